//! The links in mails. Their tokens prove access to the mailbox that they were sent to.
//!
//! A link is valid for one purpose, one account and the address that it was sent to, once, for a limited time. A new
//! link does not invalidate older ones, because anyone may request one. Using a link deletes the others of its purpose;
//! changing the password or address ends all links of the account, and all mails for sign-in. A link for a change of address completes only the
//! request that it was created for. A used link is kept, so that using it again does not fail with "unknown link".

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    Error, Result,
    config::SecretString,
    database::Transaction,
    domain::{Context, UnitOfWork, notifications::LinkKind},
    entity::{
        email_sign_in,
        link::{self, Purpose},
        user,
    },
    security::{
        link_token::{self, TokenHash},
        random,
    },
};

/// Creates a link and returns its token, which is not stored. A link for a change of address expires with the request.
pub(crate) async fn create(
    transaction: &Transaction,
    &LinkKind { purpose, lifetime, .. }: &LinkKind,
    user: &user::Model,
    (email_key, pending_email_id): (&str, Option<Uuid>),
    now: DateTime<Utc>,
) -> Result<SecretString> {
    let (token, token_hash) = link_token::generate()?;
    let expires_at = now + lifetime;
    let request_expires_at = pending_email_id.and(user.pending_email_expires_at).unwrap_or(expires_at);
    let link = link::Model {
        id: random::id(now)?,
        user_id: user.id,
        purpose,
        token_hash,
        email_key: email_key.to_owned(),
        created_at: now,
        expires_at: expires_at.min(request_expires_at),
        pending_email_id,
        used_at: None,
    };
    link::insert(transaction, link).await?;
    Ok(token)
}

/// Ends everything in mails that were sent to a user: the unused links, and the links and codes for sign-in.
pub(in crate::domain) async fn end_all(work: &UnitOfWork<'_>, user_id: Uuid) -> Result<()> {
    link::delete_unused(work.db(), user_id, None).await?;
    Ok(email_sign_in::delete_of(work.db(), user_id).await?)
}

/// Whether a link that was sent to `email_key` still matches the state of its account. `pending_email_id` is set for a
/// change of address.
pub(crate) fn matches(purpose: Purpose, user: &user::Model, email_key: &str, pending_email_id: Option<Uuid>) -> bool {
    user.is_active
        && match pending_email_id {
            None => user.email_key.as_deref() == Some(email_key),
            Some(request) => purpose == Purpose::VerifyEmail && user.pending_email_id == Some(request),
        }
}

/// Whether the address that a used link has verified is still that of its account.
fn is_done(user: &user::Model, link: &link::Model) -> bool {
    user.is_active && user.email_verified_at.is_some() && user.email_key.as_ref() == Some(&link.email_key)
}

/// Finds the link of a token, and its user. Does not mark it as used; [`link::mark_used`] does, in the transaction of the
/// change. A used verification link is returned as long as its user has the address that it verified.
///
/// # Errors
/// LINK_INVALID, with a different message for a used reset link; LINK_EXPIRED, only for a link that is valid otherwise.
pub(in crate::domain) async fn find(
    context: &Context,
    purpose: Purpose,
    token: &SecretString,
) -> Result<(link::Model, user::Model)> {
    let db = context.app.database.read();
    let link = link::find(db, &TokenHash::of(token)).await?.filter(|link| link.purpose == purpose);
    let link = link.ok_or(Error::LinkInvalid)?;
    let is_used = link.used_at.is_some();
    if is_used && purpose == Purpose::ResetPassword {
        return Err(Error::LinkUsed);
    }
    let user = user::find_by_id(db, link.user_id).await?.ok_or(Error::LinkInvalid)?;
    if is_used {
        return if is_done(&user, &link) { Ok((link, user)) } else { Err(Error::LinkInvalid) };
    }
    if !matches(purpose, &user, &link.email_key, link.pending_email_id) {
        return Err(Error::LinkInvalid);
    }
    if link.expires_at <= context.now() {
        return Err(Error::LinkExpired);
    }
    Ok((link, user))
}
