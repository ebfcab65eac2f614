//! The links in mails: whoever shows the token of one reads what comes to its address.
//!
//! A link is good for one purpose, one account, and the address that it was sent to, once, and for a while. A new one does
//! not kill older ones, because anyone may ask for one; its use kills all of its purpose, a changed password or address
//! all of the account.

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

/// How long expired links are told from those that never were.
const REMEMBERED: TimeDelta = TimeDelta::days(7);

/// Rows deleted in one transaction.
const BATCH: u64 = 200;

/// How long a link is good.
pub(super) const fn lifetime(purpose: Purpose) -> TimeDelta {
    match purpose {
        Purpose::VerifyEmail => TimeDelta::hours(24),
        Purpose::ResetPassword => TimeDelta::hours(1),
    }
}

/// Makes a link, and returns its token, which is nowhere else.
pub(super) async fn make(
    transaction: &impl ConnectionTrait,
    purpose: Purpose,
    user_id: Uuid,
    email_key: &str,
    now: DateTime<Utc>,
) -> Result<SecretString> {
    let (token, token_hash) = link_token::generate()?;
    let link = link::ActiveModel {
        id: Set(random::id(now)?),
        user_id: Set(user_id),
        purpose: Set(purpose),
        token_hash: Set(token_hash),
        email_key: Set(email_key.to_owned()),
        created_at: Set(now),
        expires_at: Set(now + lifetime(purpose)),
    };
    link::Entity::insert(link).exec_without_returning(transaction).await?;
    Ok(token)
}

/// Whether a link that was sent to `email_key` still fits its account.
pub(super) fn fits(purpose: Purpose, user: &user::Model, email_key: &str) -> bool {
    let is_own = user.email_key.as_deref() == Some(email_key);
    let is_wanted = user.pending_email_key.as_deref() == Some(email_key);
    user.is_active
        && match purpose {
            Purpose::VerifyEmail => is_own || is_wanted,
            Purpose::ResetPassword => is_own,
        }
}

/// The link of a token, and its account. It is not used yet: [`link::take`] does so, in the transaction of what it is for.
///
/// # Errors
/// LINK_INVALID; LINK_EXPIRED, only for one that would be good otherwise.
pub(super) async fn find(app: &App, purpose: Purpose, token: &SecretString) -> Result<(link::Model, user::Model)> {
    let db = app.database.read();
    let link = link::find(db, &TokenHash::of(token)).await?.filter(|link| link.purpose == purpose);
    let link = link.ok_or(Error::LinkInvalid)?;
    let user = user::Entity::find_by_id(link.user_id).all(db).await?.pop();
    let user = user.filter(|user| fits(purpose, user, &link.email_key)).ok_or(Error::LinkInvalid)?;
    if link.expires_at <= app.clock.now() {
        return Err(Error::LinkExpired);
    }
    Ok((link, user))
}

/// Deletes the links that expired long ago, a batch at a time. Returns how many. Any number of instances may do so.
///
/// # Errors
/// SERVICE_UNAVAILABLE, when the database is out of reach; what was deleted before stays deleted.
pub async fn sweep(app: &App) -> Result<u64> {
    let then = app.clock.now() - REMEMBERED;
    let mut swept = 0;
    loop {
        let ids = link::expired(app.database.read(), BATCH, then).await?;
        if ids.is_empty() {
            return Ok(swept);
        }
        let transaction = app.write().await?;
        swept += link::delete(&transaction, ids).await?;
        transaction.commit().await?;
    }
}
