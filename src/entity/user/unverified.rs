//! Users who registered themselves and never verified an address.

use chrono::{DateTime, Utc};
use sea_orm::{Condition, ExprTrait, QueryOrder, QuerySelect, entity::prelude::*};

use crate::entity::user::{ADMIN, Column, Entity, has_role};

/// The filter for unverified users that may be deleted.
#[derive(Clone, Copy, Debug)]
pub struct Unverified {
    /// Includes users whose `never_verified_since` is at or before this time.
    pub since: DateTime<Utc>,
    /// Whether to include users without an address.
    pub without_email: bool,
}

impl Unverified {
    fn condition(self) -> Condition {
        Condition::all()
            .add(Column::IsSelfRegistered.eq(true))
            .add(Column::NeverVerifiedSince.lte(self.since))
            .add(Column::EmailVerifiedAt.is_null())
            // Disabled accounts are kept, so that their owners cannot register again with the same username or address.
            .add(Column::IsActive.eq(true))
            .add(has_role(ADMIN).not())
            .add_option((!self.without_email).then(|| Column::EmailKey.is_not_null()))
    }

    /// Lists the ids of matching users, oldest first, at most `limit`.
    pub async fn find(self, db: &impl ConnectionTrait, limit: u64) -> Result<Vec<Uuid>, DbErr> {
        let ids = Entity::find().select_only().column(Column::Id).filter(self.condition());
        ids.order_by_asc(Column::NeverVerifiedSince).limit(limit).into_tuple().all(db).await
    }

    /// Whether a user, whose row is locked, matches.
    pub async fn contains(self, db: &impl ConnectionTrait, id: Uuid) -> Result<bool, DbErr> {
        let query = Entity::find_by_id(id).select_only().column(Column::Id).filter(self.condition());
        Ok(!query.into_tuple::<Uuid>().all(db).await?.is_empty())
    }
}
