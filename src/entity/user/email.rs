//! Email addresses of users.

use chrono::{DateTime, Utc};
use sea_orm::{QueryOrder, QuerySelect, entity::prelude::*};

use super::{Column, Entity, Model};

impl Model {
    /// The requested new address, unless the request has expired.
    #[must_use]
    pub fn pending_email_at(&self, now: DateTime<Utc>) -> Option<&str> {
        self.pending_email.as_deref().filter(|_| self.pending_email_expires_at.is_some_and(|end| end > now))
    }

    /// Cancels a requested change of address. Every change of the account's credentials also does this.
    pub fn clear_pending_email(&mut self) {
        self.pending_email = None;
        self.pending_email_key = None;
        self.pending_email_id = None;
        self.pending_email_expires_at = None;
    }

    /// Records that the address is verified.
    pub fn set_email_verified(&mut self, at: DateTime<Utc>) {
        self.email_verified_at = self.email_verified_at.or(Some(at));
        self.never_verified_since = None;
    }
}

/// Finds active users with one of these addresses, verified or not.
pub async fn email_holders(db: &impl ConnectionTrait, email_keys: Vec<&str>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::EmailKey.is_in(email_keys)).filter(Column::IsActive.eq(true)).all(db).await
}

/// Finds active users with an unexpired request to change to one of these addresses, latest request first.
pub async fn pending_email_holders(
    db: &impl ConnectionTrait,
    email_keys: Vec<&str>,
    limit: u64,
    now: DateTime<Utc>,
) -> Result<Vec<Model>, DbErr> {
    let users = Entity::find().filter(Column::PendingEmailKey.is_in(email_keys)).filter(Column::IsActive.eq(true));
    let live = users.filter(Column::PendingEmailExpiresAt.gt(now));
    live.order_by_desc(Column::PendingEmailExpiresAt).order_by_desc(Column::Id).limit(limit).all(db).await
}
