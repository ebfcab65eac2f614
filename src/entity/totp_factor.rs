//! `totp_factors`: at most one authenticator app per user. A row that is not confirmed is an enrollment.

use chrono::{DateTime, Utc};
use sea_orm::{
    Condition, ExprTrait, QueryOrder, QuerySelect, QueryTrait, entity::prelude::*, sea_query::SelectStatement,
};

use crate::{entity::user, security::sealed::Sealed};

/// A row of `totp_factors`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "totp_factors")]
pub struct Model {
    /// The user.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// The secret that the server shares with the app, sealed.
    pub sealed_secret: Vec<u8>,
    /// The key that sealed it.
    pub key_id: String,
    /// When the enrollment started.
    pub created_at: DateTime<Utc>,
    /// When the user entered the first code. `None` while the enrollment is not complete.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// When the enrollment expires. `None` if it is complete.
    pub expires_at: Option<DateTime<Utc>>,
    /// The step of the last accepted code. Codes of this step and of earlier ones are refused.
    pub last_step: Option<i64>,
}

/// A factor is deleted with its user.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::entity::expiry::Expiring for Entity {
    const ID: Column = Column::UserId;
    const EXPIRES_AT: Column = Column::ExpiresAt;
}

impl Model {
    /// The sealed secret.
    #[must_use]
    pub fn sealed(&self) -> Sealed {
        Sealed { key_id: self.key_id.clone(), bytes: self.sealed_secret.clone() }
    }

    /// Whether sign-ins require a code.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        self.confirmed_at.is_some()
    }
}

/// Finds the factor or the enrollment of a user.
pub async fn find(db: &impl ConnectionTrait, user_id: Uuid) -> Result<Option<Model>, DbErr> {
    Ok(Entity::find_by_id(user_id).all(db).await?.pop())
}

/// Whether the user has a confirmed factor.
pub async fn is_confirmed(db: &impl ConnectionTrait, user_id: Uuid) -> Result<bool, DbErr> {
    Ok(find(db, user_id).await?.is_some_and(|factor| factor.is_confirmed()))
}

/// Returns those of the users who have a confirmed factor.
pub async fn confirmed_among(db: &impl ConnectionTrait, user_ids: &[Uuid]) -> Result<Vec<Uuid>, DbErr> {
    let confirmed = Entity::find().select_only().column(Column::UserId).filter(Column::ConfirmedAt.is_not_null());
    confirmed.filter(Column::UserId.is_in(user_ids.iter().copied())).into_tuple().all(db).await
}

/// Selects, as `id`, the ids of the users who have a confirmed factor, in the order of an index.
pub(super) fn holders() -> SelectStatement {
    let confirmed =
        Entity::find().select_only().column_as(Column::UserId, "id").filter(Column::ConfirmedAt.is_not_null());
    confirmed.order_by_asc(Column::ConfirmedAt).into_query()
}

/// Whether the user of a query on `users` has a confirmed factor.
pub(super) fn has_confirmed() -> Expr {
    let own = Expr::col((Entity, Column::UserId)).equals((user::Entity, user::Column::Id));
    let factors = Entity::find().select_only().expr(Expr::val(1)).filter(own).filter(Column::ConfirmedAt.is_not_null());
    Expr::exists(factors.into_query())
}

/// Stores an enrollment. Replaces an earlier enrollment of the user that was not confirmed.
///
/// # Errors
/// A unique violation if the user has a confirmed factor.
pub async fn start(db: &impl ConnectionTrait, enrollment: Model) -> Result<(), DbErr> {
    let earlier = Entity::delete_many().filter(Column::UserId.eq(enrollment.user_id));
    earlier.filter(Column::ConfirmedAt.is_null()).exec(db).await?;
    let row = sea_orm::IntoActiveModel::into_active_model(enrollment).reset_all();
    Entity::insert(row).exec_without_returning(db).await.map(drop)
}

/// Confirms an enrollment, whose first code is of `step`. Returns false if it has expired, was confirmed or was replaced.
pub async fn confirm(
    db: &impl ConnectionTrait,
    enrollment: &Model,
    step: i64,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let confirmed = Entity::update_many()
        .col_expr(Column::ConfirmedAt, Expr::value(now))
        .col_expr(Column::ExpiresAt, Expr::value(None::<DateTime<Utc>>))
        .col_expr(Column::LastStep, Expr::value(step))
        .filter(Column::UserId.eq(enrollment.user_id))
        .filter(Column::SealedSecret.eq(&*enrollment.sealed_secret))
        .filter(Column::ConfirmedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .exec(db)
        .await?;
    Ok(confirmed.rows_affected == 1)
}

/// Records that a code of `step` was accepted. If several requests do so at the same time, one gets true. Returns false also
/// if a later code was accepted, or if the factor no longer exists.
pub async fn advance(db: &impl ConnectionTrait, factor: &Model, step: i64) -> Result<bool, DbErr> {
    let is_later = Condition::any().add(Column::LastStep.is_null()).add(Column::LastStep.lt(step));
    let advanced = Entity::update_many()
        .col_expr(Column::LastStep, Expr::value(step))
        .filter(Column::UserId.eq(factor.user_id))
        .filter(Column::SealedSecret.eq(&*factor.sealed_secret))
        .filter(Column::ConfirmedAt.is_not_null())
        .filter(is_later)
        .exec(db)
        .await?;
    Ok(advanced.rows_affected == 1)
}

/// Deletes the factor or the enrollment of a user. Returns whether there was one.
pub async fn delete(db: &impl ConnectionTrait, user_id: Uuid) -> Result<bool, DbErr> {
    Ok(Entity::delete_by_id(user_id).exec(db).await?.rows_affected == 1)
}

/// Lists factors whose secret was sealed by this key, at most `limit`, by user id, after the user `after`.
pub async fn sealed_by(
    db: &impl ConnectionTrait,
    key_id: &str,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let rest = Condition::all().add(Column::KeyId.eq(key_id)).add_option(after.map(|after| Column::UserId.gt(after)));
    Entity::find().filter(rest).order_by_asc(Column::UserId).limit(limit).all(db).await
}

/// Counts factors whose secret was not sealed by this key.
pub async fn count_sealed_by_other_keys(db: &impl ConnectionTrait, key_id: &str) -> Result<u64, DbErr> {
    let count = Entity::find().select_only().column_as(Column::UserId.count(), "count");
    // Two ranges, which an index can find.
    let count = count.filter(Condition::any().add(Column::KeyId.lt(key_id)).add(Column::KeyId.gt(key_id)));
    let count: Option<i64> = count.into_tuple().all(db).await?.pop();
    Ok(count.unwrap_or_default().unsigned_abs())
}

/// Replaces the sealed secret, which was opened and sealed again. Returns false if the factor has changed in the meantime.
pub async fn reseal(db: &impl ConnectionTrait, factor: &Model, sealed: Sealed) -> Result<bool, DbErr> {
    let resealed = Entity::update_many()
        .col_expr(Column::SealedSecret, Expr::value(sealed.bytes))
        .col_expr(Column::KeyId, Expr::value(sealed.key_id))
        .filter(Column::UserId.eq(factor.user_id))
        .filter(Column::SealedSecret.eq(&*factor.sealed_secret))
        .exec(db)
        .await?;
    Ok(resealed.rows_affected == 1)
}
