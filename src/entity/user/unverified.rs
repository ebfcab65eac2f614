//! Users who registered themselves and never verified an address.

use chrono::{DateTime, Utc};
use sea_orm::{Condition, ExprTrait, QueryOrder, QuerySelect, entity::prelude::*};

use crate::entity::user::{ADMIN, Column, Entity, has_role};

/// Which of them may be deleted.
#[derive(Clone, Copy, Debug)]
pub struct Unverified {
    /// The latest time at which one of them may have begun to wait for a verification.
    pub since: DateTime<Utc>,
    /// Whether those without an address are among them.
    pub without_email: bool,
}

impl Unverified {
    fn condition(self) -> Condition {
        Condition::all()
            .add(Column::IsSelfRegistered.eq(true))
            .add(Column::NeverVerifiedSince.lte(self.since))
            .add(Column::EmailVerifiedAt.is_null())
            // A disabled account keeps its names, so that its owner does not come back with them.
            .add(Column::IsActive.eq(true))
            .add(has_role(ADMIN).not())
            .add_option((!self.without_email).then(|| Column::EmailKey.is_not_null()))
    }

    /// Some of them, the oldest first.
    pub async fn find(self, db: &impl ConnectionTrait, limit: u64) -> Result<Vec<Uuid>, DbErr> {
        let ids = Entity::find().select_only().column(Column::Id).filter(self.condition());
        ids.order_by_asc(Column::NeverVerifiedSince).limit(limit).into_tuple().all(db).await
    }

    /// Whether a user, whose row is locked, is one of them.
    pub async fn has(self, db: &impl ConnectionTrait, id: Uuid) -> Result<bool, DbErr> {
        let query = Entity::find_by_id(id).select_only().column(Column::Id).filter(self.condition());
        Ok(!query.into_tuple::<Uuid>().all(db).await?.is_empty())
    }
}
