//! `throttles`: one row per counter of attempts. Pseudonyms identify the counters.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, entity::prelude::*, sea_query::OnConflict};

/// A row of `throttles`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "throttles")]
pub struct Model {
    /// The pseudonym of what is counted.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The pseudonym of the identifier that was attempted, or of the account whose owner uses this network.
    pub identifier_id: Option<Uuid>,
    /// The times of the latest attempts.
    pub attempts: Attempts,
    /// The number of consecutive full windows. The block time doubles with each.
    pub full_windows: i32,
    /// The end of the block after a full window.
    pub blocked_until: Option<DateTime<Utc>>,
    /// Until when the owner is known to use this combination of account and network. Older versions set it in the row
    /// of an identifier and a network, where it is ignored.
    pub familiar_until: Option<DateTime<Utc>>,
    /// When the row may be deleted.
    pub expires_at: DateTime<Utc>,
}

/// Counters also exist for unknown identifiers, so they have no relation to users.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::entity::expiry::Expiring for Entity {
    const ID: Column = Column::Id;
    const EXPIRES_AT: Column = Column::ExpiresAt;
}

/// Times in ascending order, stored as eight bytes each: big-endian microseconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveValueType)]
pub struct Attempts(Vec<u8>);

impl FromIterator<DateTime<Utc>> for Attempts {
    fn from_iter<I: IntoIterator<Item = DateTime<Utc>>>(times: I) -> Self {
        Self(times.into_iter().flat_map(|time| time.timestamp_micros().to_be_bytes()).collect())
    }
}

impl Attempts {
    /// The times, in ascending order.
    #[must_use]
    pub fn times(&self) -> impl DoubleEndedIterator<Item = DateTime<Utc>> {
        let (times, _) = self.0.as_chunks();
        times.iter().filter_map(|bytes| DateTime::from_timestamp_micros(i64::from_be_bytes(*bytes)))
    }
}

impl Model {
    /// Creates an empty counter.
    #[must_use]
    pub fn empty(id: Uuid, identifier_id: Option<Uuid>, now: DateTime<Utc>) -> Self {
        Self {
            id,
            identifier_id,
            attempts: Attempts::default(),
            full_windows: 0,
            blocked_until: None,
            familiar_until: None,
            expires_at: now,
        }
    }
}

/// Finds those of `ids` that exist.
pub async fn find(db: &impl ConnectionTrait, ids: Vec<Uuid>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::Id.is_in(ids)).all(db).await
}

/// Locks rows until the transaction ends, and returns them. Creates the `empty` ones that do not exist yet. The rows
/// are always locked in the same order, so that two transactions cannot deadlock.
pub async fn lock(db: &impl ConnectionTrait, mut empty: Vec<Model>) -> Result<Vec<Model>, DbErr> {
    empty.sort_by_key(|row| row.id);
    let ids = empty.iter().map(|row| row.id).collect();
    // If the row exists, its id is overwritten with itself, which locks the row.
    let untouched = OnConflict::column(Column::Id).update_column(Column::Id).to_owned();
    Entity::insert_many(empty.into_iter().map(set)).on_conflict(untouched).exec_without_returning(db).await?;
    find(db, ids).await
}

/// Stores locked rows.
pub async fn save(db: &impl ConnectionTrait, mut rows: Vec<Model>) -> Result<(), DbErr> {
    rows.sort_by_key(|row| row.id);
    let replaced = OnConflict::column(Column::Id)
        .update_columns([
            Column::Attempts,
            Column::FullWindows,
            Column::BlockedUntil,
            Column::FamiliarUntil,
            Column::ExpiresAt,
        ])
        .to_owned();
    Entity::insert_many(rows.into_iter().map(set)).on_conflict(replaced).exec_without_returning(db).await.map(drop)
}

/// Sets all columns.
fn set(row: Model) -> ActiveModel {
    ActiveModel {
        id: Set(row.id),
        identifier_id: Set(row.identifier_id),
        attempts: Set(row.attempts),
        full_windows: Set(row.full_windows),
        blocked_until: Set(row.blocked_until),
        familiar_until: Set(row.familiar_until),
        expires_at: Set(row.expires_at),
    }
}

/// Resets the attempts and blocks of some identifiers, for all networks.
pub async fn clear(db: &impl ConnectionTrait, identifier_ids: Vec<Uuid>) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Attempts, Expr::value(Attempts::default()))
        .col_expr(Column::FullWindows, Expr::value(0))
        .col_expr(Column::BlockedUntil, Expr::value(None::<DateTime<Utc>>))
        .filter(Column::IdentifierId.is_in(identifier_ids))
        .exec(db)
        .await
        .map(drop)
}

/// Deletes the counters of some identifiers.
pub async fn forget(db: &impl ConnectionTrait, identifier_ids: Vec<Uuid>) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::IdentifierId.is_in(identifier_ids)).exec(db).await.map(drop)
}
