//! The links in mails: whoever shows the token of one reads what comes to its address.
//!
//! A link is good for one purpose, one account, and the address that it was sent to, once, and for a while. A new one does
//! not kill older ones, because anyone may ask for one; its use kills all of its purpose, a changed password or address
//! all of the account. One that moves an account completes the request that it was made for, and no later one. A used link
//! is remembered, so that its holder is not told that it never was one.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};
use uuid::Uuid;

use crate::{
    App, Error, Result,
    config::SecretString,
    entity::{
        link::{self, Purpose},
        user,
    },
    security::{
        link_token::{self, TokenHash},
        random,
    },
};

/// How long a link is good.
pub(crate) const fn lifetime(purpose: Purpose) -> TimeDelta {
    match purpose {
        Purpose::VerifyEmail => TimeDelta::hours(24),
        Purpose::ResetPassword => TimeDelta::hours(1),
    }
}

/// Makes a link, and returns its token, which is nowhere else. One for a request to move does not outlive it.
pub(crate) async fn make(
    transaction: &impl ConnectionTrait,
    purpose: Purpose,
    user: &user::Model,
    (email_key, pending_email_id): (&str, Option<Uuid>),
    now: DateTime<Utc>,
) -> Result<SecretString> {
    let (token, token_hash) = link_token::generate()?;
    let expires_at = now + lifetime(purpose);
    let request_expires_at = pending_email_id.and(user.pending_email_expires_at).unwrap_or(expires_at);
    let link = link::ActiveModel {
        id: Set(random::id(now)?),
        user_id: Set(user.id),
        purpose: Set(purpose),
        token_hash: Set(token_hash),
        email_key: Set(email_key.to_owned()),
        created_at: Set(now),
        expires_at: Set(expires_at.min(request_expires_at)),
        pending_email_id: Set(pending_email_id),
        used_at: Set(None),
    };
    link::Entity::insert(link).exec_without_returning(transaction).await?;
    Ok(token)
}

/// Whether a link that was sent to `email_key`, perhaps for a request to move, still fits its account.
pub(crate) fn fits(purpose: Purpose, user: &user::Model, email_key: &str, pending_email_id: Option<Uuid>) -> bool {
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

/// The link of a token, and its account. It is not used by this: [`link::take`] does so, in the transaction of what it is
/// for. One that was used before, as `used_at` says, is returned as long as the address that it verified is its account's.
///
/// # Errors
/// LINK_INVALID, with another message for a used link that resets a password; LINK_EXPIRED, only for one that would be good
/// otherwise.
pub(crate) async fn find(app: &App, purpose: Purpose, token: &SecretString) -> Result<(link::Model, user::Model)> {
    let db = app.database.read();
    let link = link::find(db, &TokenHash::of(token)).await?.filter(|link| link.purpose == purpose);
    let link = link.ok_or(Error::LinkInvalid)?;
    let is_used = link.used_at.is_some();
    if is_used && purpose == Purpose::ResetPassword {
        return Err(Error::LinkUsed);
    }
    let user = user::Entity::find_by_id(link.user_id).all(db).await?.pop().ok_or(Error::LinkInvalid)?;
    if is_used {
        return if is_done(&user, &link) { Ok((link, user)) } else { Err(Error::LinkInvalid) };
    }
    if !fits(purpose, &user, &link.email_key, link.pending_email_id) {
        return Err(Error::LinkInvalid);
    }
    if link.expires_at <= app.clock.now() {
        return Err(Error::LinkExpired);
    }
    Ok((link, user))
}
