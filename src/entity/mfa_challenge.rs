//! `mfa_challenges`: one row per sign-in that waits for a second factor.

use chrono::{DateTime, Utc};
use sea_orm::{Condition, ExprTrait, entity::prelude::*};

use crate::{
    entity::session::{AuthenticationMethods, Delivery},
    security::link_token::TokenHash,
};

/// Maximum number of attempts at one challenge.
pub const MAX_ATTEMPTS: i32 = 5;

/// A row of `mfa_challenges`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mfa_challenges")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The hash of the token, which only the client has.
    pub token_hash: TokenHash,
    /// The user who has proved their identity with the first factor.
    pub user_id: Uuid,
    /// `users.session_epoch` at that time. The end of all sessions invalidates the challenge.
    pub epoch: i32,
    /// The methods of the first factor.
    pub amr: AuthenticationMethods,
    /// How the session will deliver its refresh tokens.
    pub delivery: Delivery,
    /// The hash of the token in the cookie that binds the challenge to a browser. `None` for other clients.
    pub client_hash: Option<TokenHash>,
    /// When the first factor was proved.
    pub created_at: DateTime<Utc>,
    /// When the challenge expires.
    pub expires_at: DateTime<Utc>,
    /// The number of attempts.
    pub attempts: i32,
}

/// Challenges are deleted with their user.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::entity::expiry::Expiring for Entity {
    const ID: Column = Column::Id;
    const EXPIRES_AT: Column = Column::ExpiresAt;
}

fn is_open(now: DateTime<Utc>) -> Condition {
    Condition::all().add(Column::ExpiresAt.gt(now)).add(Column::Attempts.lt(MAX_ATTEMPTS))
}

/// Inserts a challenge.
pub async fn insert(db: &impl ConnectionTrait, challenge: Model) -> Result<(), DbErr> {
    let row = sea_orm::IntoActiveModel::into_active_model(challenge).reset_all();
    Entity::insert(row).exec_without_returning(db).await.map(drop)
}

/// Finds a challenge that has not expired and allows another attempt, by the hash of its token.
pub async fn find(
    db: &impl ConnectionTrait,
    token_hash: &TokenHash,
    now: DateTime<Utc>,
) -> Result<Option<Model>, DbErr> {
    Ok(Entity::find().filter(Column::TokenHash.eq(token_hash.clone())).filter(is_open(now)).all(db).await?.pop())
}

/// Counts an attempt, before its code is checked. Returns false if the challenge allows no further attempt.
pub async fn book_attempt(db: &impl ConnectionTrait, id: Uuid, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let booked = Entity::update_many()
        .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
        .filter(Column::Id.eq(id))
        .filter(is_open(now))
        .exec(db)
        .await?;
    Ok(booked.rows_affected == 1)
}

/// Deletes a challenge that was passed. If several requests do so at the same time, one gets true.
pub async fn take(db: &impl ConnectionTrait, id: Uuid, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let taken = Entity::delete_many().filter(Column::Id.eq(id)).filter(Column::ExpiresAt.gt(now)).exec(db).await?;
    Ok(taken.rows_affected == 1)
}

/// Deletes a challenge, by the hash of its token.
pub async fn delete(db: &impl ConnectionTrait, token_hash: &TokenHash) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::TokenHash.eq(token_hash.clone())).exec(db).await.map(drop)
}

/// Deletes all challenges of a user.
pub async fn delete_of(db: &impl ConnectionTrait, user_id: Uuid) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::UserId.eq(user_id)).exec(db).await.map(drop)
}
