//! The notice that an account was deleted, whose row no longer exists.

use chrono::{DateTime, Utc};

use super::{LEASE, Leased};
use crate::{
    Result,
    domain::{UnitOfWork, notifications::Kind, throttle},
    entity::mail,
    mail::OutgoingMail,
};

/// Leases the notice. Returns `None` if another worker has leased it, or its address has reached the limit.
pub(super) async fn lease(work: &UnitOfWork<'_>, mut mail: mail::Model, now: DateTime<Utc>) -> Result<Option<Leased>> {
    if !mail::lease(work.db(), &mail, now + LEASE).await? {
        return Ok(None);
    }
    mail.attempts += 1;
    // The throttle counts a mail once, not once per attempt.
    if mail.attempts == 1 && !throttle::book_delivery(work.app(), work.db(), (&mail, None), now).await? {
        tracing::info!(mail = %mail.id, purpose = ?mail.purpose, "mail dropped: its address has reached the limit");
        mail::delete(work.db(), mail.id, mail.attempts).await?;
        return Ok(None);
    }
    let outgoing = OutgoingMail {
        id: mail.id,
        to: mail.email.clone(),
        language: mail.language(),
        username: None,
        template: Kind::of(mail.purpose).template,
        link: None,
        code: None,
    };
    Ok(Some(Leased { mail, outgoing }))
}
