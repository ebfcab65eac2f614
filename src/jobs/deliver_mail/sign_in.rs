//! The mail with which a user signs in. Its link and its code are stored as hashes in the row of the request.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{LEASE, Leased, link_to};
use crate::{
    Result,
    domain::{
        UnitOfWork,
        notifications::{Kind, SIGN_IN_LIFETIME, SIGN_IN_PAGE},
        throttle,
    },
    entity::{email_sign_in, mail, user},
    mail::OutgoingMail,
    security::{link_token, mail_code::MailCode},
};

/// Leases the mail, and creates its link and its code. An earlier attempt may have created others, which become invalid. Returns
/// `None` if the request has expired, or another worker has leased the mail.
pub(super) async fn lease(
    work: &UnitOfWork<'_>,
    mut mail: mail::Model,
    user_id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<Leased>> {
    let app = work.app();
    // Lock order: the user first, then dependent rows, as in every unit of work, so that two of them cannot deadlock.
    let user = user::lock(work.db(), user_id).await?;
    if !mail::lease(work.db(), &mail, now + LEASE).await? {
        return Ok(None);
    }
    mail.attempts += 1;
    let is_needed = |user: &user::Locked| {
        user.is_active && user.email_key.as_ref() == Some(&mail.email_key) && now < mail.created_at + SIGN_IN_LIFETIME
    };
    let Some(user) = user.filter(is_needed) else {
        mail::delete(work.db(), mail.id, mail.attempts).await?;
        return Ok(None);
    };
    // The throttle counts a mail once, not once per attempt.
    if mail.attempts == 1 && !throttle::book_delivery(app, work.db(), (&mail, Some(&user)), now).await? {
        tracing::info!(mail = %mail.id, purpose = ?mail.purpose, "mail dropped: its address has reached the limit");
        mail::delete(work.db(), mail.id, mail.attempts).await?;
        return Ok(None);
    }
    let (token, token_hash) = link_token::generate()?;
    let code = MailCode::generate()?;
    let code_hash = app.mail_codes.hash(mail.id, &code)?;
    if !email_sign_in::set_sent(work.db(), mail.id, user.id, (token_hash, code_hash), now).await? {
        mail::delete(work.db(), mail.id, mail.attempts).await?;
        return Ok(None);
    }
    let outgoing = OutgoingMail {
        id: mail.id,
        to: mail.email.clone(),
        language: mail.language(),
        username: Some(user.username.clone()),
        template: Kind::of(mail.purpose).template,
        link: Some(link_to(app, SIGN_IN_PAGE, &token)),
        code: Some(code.to_text()),
    };
    Ok(Some(Leased { mail, outgoing }))
}
