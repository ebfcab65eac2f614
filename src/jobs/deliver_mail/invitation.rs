//! The mail of an invitation, which concerns no account.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{LEASE, Leased, link_to};
use crate::{
    Result,
    domain::{
        UnitOfWork,
        notifications::{INVITATION_LIFETIME, INVITATION_PAGE, Kind},
        throttle,
    },
    entity::{invitation, mail},
    mail::OutgoingMail,
    security::{link_token, random},
};

/// Leases the mail of an invitation, and creates its link. The lifetime of the invitation starts when the mail is sent.
/// Returns `None` if the invitation was accepted, revoked or replaced, or the mail is leased by another worker.
pub(super) async fn lease(
    work: &UnitOfWork<'_>,
    mut mail: mail::Model,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<Leased>> {
    let app = work.app();
    // Lock order: the invitation before the mail, as when it is written.
    let is_needed = invitation::prolong(work.db(), id, now + INVITATION_LIFETIME).await?;
    if !mail::lease(work.db(), &mail, now + LEASE).await? {
        return Ok(None);
    }
    mail.attempts += 1;
    if !is_needed {
        mail::delete(work.db(), mail.id, mail.attempts).await?;
        return Ok(None);
    }
    // The throttle counts a mail once, not once per attempt.
    if mail.attempts == 1 && !throttle::book_delivery(app, work.db(), (&mail, None), now).await? {
        tracing::info!(mail = %mail.id, purpose = ?mail.purpose, "mail dropped: its address has reached the limit");
        mail::delete(work.db(), mail.id, mail.attempts).await?;
        return Ok(None);
    }
    let (token, token_hash) = link_token::generate()?;
    let link = invitation::Link { id: random::id(now)?, invitation_id: id, token_hash };
    invitation::insert_link(work.db(), link).await?;
    let Kind { template, .. } = Kind::of(mail.purpose);
    let outgoing = OutgoingMail {
        id: mail.id,
        to: mail.email.clone(),
        language: mail.language(),
        username: None,
        template,
        link: Some(link_to(app, INVITATION_PAGE, &token)),
        code: None,
    };
    Ok(Some(Leased { mail, outgoing }))
}
