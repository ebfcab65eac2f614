//! `throttles`: one row for each counter of attempts. Whom it counts, its name does not say.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect, entity::prelude::*, sea_query::OnConflict};

/// A row of `throttles`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "throttles")]
pub struct Model {
    /// A pseudonym of what is counted.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// A pseudonym of the identifier that the attempts are at, or of the account whose owner uses this place.
    pub identifier_id: Option<Uuid>,
    /// When the latest attempts were made.
    pub attempts: Attempts,
    /// How many windows in a row were full, for a wait that doubles.
    pub full_windows: i32,
    /// The end of the wait after a full window.
    pub blocked_until: Option<DateTime<Utc>>,
    /// Until when this is a place (an account and a network) that the owner uses. Older versions set it in the row of an
    /// identifier and a network, where it means nothing any more.
    pub familiar_until: Option<DateTime<Utc>>,
    /// When nothing of this matters any more.
    pub expires_at: DateTime<Utc>,
}

/// Counters belong to names that need not exist, so they have no relation.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Instants, in order: eight bytes for each, microseconds since 1970, most significant first.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveValueType)]
pub struct Attempts(Vec<u8>);

impl FromIterator<DateTime<Utc>> for Attempts {
    fn from_iter<I: IntoIterator<Item = DateTime<Utc>>>(times: I) -> Self {
        Self(times.into_iter().flat_map(|time| time.timestamp_micros().to_be_bytes()).collect())
    }
}

impl Attempts {
    /// The instants.
    #[must_use]
    pub fn times(&self) -> impl DoubleEndedIterator<Item = DateTime<Utc>> {
        let (times, _) = self.0.as_chunks();
        times.iter().filter_map(|bytes| DateTime::from_timestamp_micros(i64::from_be_bytes(*bytes)))
    }
}

impl Model {
    /// A counter that has counted nothing.
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

/// Those of `ids` that are there.
pub async fn find(db: &impl ConnectionTrait, ids: Vec<Uuid>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::Id.is_in(ids)).all(db).await
}

/// The rows, which nobody else changes until the transaction ends; `empty` ones are those that are not there yet. All
/// who lock several do so in one order, so that no two wait for each other.
pub async fn lock(db: &impl ConnectionTrait, mut empty: Vec<Model>) -> Result<Vec<Model>, DbErr> {
    empty.sort_by_key(|row| row.id);
    let ids = empty.iter().map(|row| row.id).collect();
    // Where there is a row, it is written over its own name: that locks it.
    let untouched = OnConflict::column(Column::Id).update_column(Column::Id).to_owned();
    Entity::insert_many(empty.into_iter().map(set)).on_conflict(untouched).exec_without_returning(db).await?;
    find(db, ids).await
}

/// Stores rows that are locked.
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

/// All columns to be written, whatever they were before.
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

/// Forgets the attempts at some identifiers, from everywhere, and the waits that they led to.
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

/// Some counters that matter no more, the oldest first.
pub async fn expired(db: &impl ConnectionTrait, most: u64, now: DateTime<Utc>) -> Result<Vec<Uuid>, DbErr> {
    let ids = Entity::find().select_only().column(Column::Id).filter(Column::ExpiresAt.lte(now));
    ids.order_by_asc(Column::ExpiresAt).limit(most).into_tuple().all(db).await
}

/// Deletes those of `ids` that matter no more. Returns how many.
pub async fn delete_expired(db: &impl ConnectionTrait, ids: Vec<Uuid>, now: DateTime<Utc>) -> Result<u64, DbErr> {
    let those = Entity::delete_many().filter(Column::Id.is_in(ids)).filter(Column::ExpiresAt.lte(now));
    Ok(those.exec(db).await?.rows_affected)
}
