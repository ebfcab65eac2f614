//! Rows that expire, and are deleted later.

use chrono::{DateTime, Utc};
use sea_orm::{Condition, QueryOrder, QuerySelect, entity::prelude::*};

/// A table whose rows expire, with an index of the times.
pub trait Expiring: EntityTrait {
    /// The primary key.
    const ID: Self::Column;
    /// When a row expires. Rows without a time never expire.
    const EXPIRES_AT: Self::Column;
}

/// Lists rows that expired by `before`, oldest first, at most `limit`, with the time of their expiry. `from` skips those that
/// expired earlier.
pub async fn expired<E: Expiring>(
    db: &impl ConnectionTrait,
    limit: u64,
    from: Option<DateTime<Utc>>,
    before: DateTime<Utc>,
) -> Result<Vec<(Uuid, DateTime<Utc>)>, DbErr> {
    let times = Condition::all().add(E::EXPIRES_AT.lte(before)).add_option(from.map(|from| E::EXPIRES_AT.gte(from)));
    let rows = E::find().select_only().columns([E::ID, E::EXPIRES_AT]).filter(times);
    rows.order_by_asc(E::EXPIRES_AT).limit(limit).into_tuple().all(db).await
}

/// Deletes those of `ids` that expired by `before`. Returns how many.
pub async fn delete_expired<E: Expiring>(
    db: &impl ConnectionTrait,
    ids: Vec<Uuid>,
    before: DateTime<Utc>,
) -> Result<u64, DbErr> {
    let query = E::delete_many().filter(E::ID.is_in(ids)).filter(E::EXPIRES_AT.lte(before));
    Ok(query.exec(db).await?.rows_affected)
}
