//! `identities`: one row per account at a provider that a user can sign in with.

use chrono::{DateTime, Utc};
use sea_orm::{QueryOrder, QuerySelect, entity::prelude::*};

use crate::{entity::bulk, security::link_token::TokenHash};

/// Maximum number of identities of a user.
pub const MAX_IDENTITIES: u64 = 20;

/// Maximum number of rows in one statement, whose parameters are limited.
const MAX_ROWS: usize = 1000;

/// A row of `identities`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "identities")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The user.
    pub user_id: Uuid,
    /// The id of the provider in the settings. The provider may no longer exist.
    pub provider_id: String,
    /// The issuer.
    pub issuer: String,
    /// The subject: the permanent id of the user at the issuer.
    pub subject: String,
    /// The hash of issuer and subject. Unique.
    pub identity_hash: TokenHash,
    /// The address at the provider when the identity was last used. For the user to recognize the identity; nothing is found by it.
    pub email: Option<String>,
    /// When the identity was linked.
    pub linked_at: DateTime<Utc>,
    /// The latest sign-in.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// Identities are deleted with their user.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Inserts an identity.
///
/// # Errors
/// A unique violation if a user has an identity with this issuer and subject.
pub async fn insert(db: &impl ConnectionTrait, identity: Model) -> Result<(), DbErr> {
    let row = sea_orm::IntoActiveModel::into_active_model(identity).reset_all();
    Entity::insert(row).exec_without_returning(db).await.map(drop)
}

/// Inserts the identities of several users.
///
/// # Errors
/// A unique violation, as [`insert`].
pub async fn insert_all(db: &impl ConnectionTrait, identities: impl IntoIterator<Item = Model>) -> Result<(), DbErr> {
    let rows = identities.into_iter().map(|identity| sea_orm::IntoActiveModel::into_active_model(identity).reset_all());
    let rows: Vec<ActiveModel> = rows.collect();
    for rows in rows.chunks(MAX_ROWS) {
        bulk::insert(db, rows.to_vec()).await?;
    }
    Ok(())
}

/// Returns those of these hashes that identities have.
pub async fn taken(db: &impl ConnectionTrait, hashes: Vec<TokenHash>) -> Result<Vec<TokenHash>, DbErr> {
    if hashes.is_empty() {
        return Ok(Vec::new());
    }
    let taken = Entity::find().filter(Column::IdentityHash.is_in(hashes));
    taken.select_only().column(Column::IdentityHash).into_tuple().all(db).await
}

/// Finds an identity by the hash of its issuer and subject.
pub async fn find(db: &impl ConnectionTrait, identity_hash: &TokenHash) -> Result<Option<Model>, DbErr> {
    Ok(Entity::find().filter(Column::IdentityHash.eq(identity_hash.clone())).all(db).await?.pop())
}

/// Finds an identity by its id.
pub async fn find_by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Ok(Entity::find_by_id(id).all(db).await?.pop())
}

/// Lists the identities of a user, oldest first, at most [`MAX_IDENTITIES`].
pub async fn list(db: &impl ConnectionTrait, user_id: Uuid) -> Result<Vec<Model>, DbErr> {
    let identities = Entity::find().filter(Column::UserId.eq(user_id));
    identities.order_by_asc(Column::LinkedAt).order_by_asc(Column::Id).limit(MAX_IDENTITIES).all(db).await
}

/// Lists the identities of these users, oldest first.
pub async fn list_of_many(db: &impl ConnectionTrait, user_ids: &[Uuid]) -> Result<Vec<Model>, DbErr> {
    let identities = Entity::find().filter(Column::UserId.is_in(user_ids.iter().copied()));
    identities.order_by_asc(Column::LinkedAt).order_by_asc(Column::Id).all(db).await
}

/// Records a sign-in, and the address at the provider. Returns false if the identity was deleted.
pub async fn record_use(
    db: &impl ConnectionTrait,
    id: Uuid,
    email: Option<&str>,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let updated = Entity::update_many()
        .col_expr(Column::Email, Expr::value(email))
        .col_expr(Column::LastUsedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .exec(db)
        .await?;
    Ok(updated.rows_affected == 1)
}

/// Deletes an identity of a user. Returns false if the user has no identity with this id.
pub async fn delete(db: &impl ConnectionTrait, user_id: Uuid, id: Uuid) -> Result<bool, DbErr> {
    let deleted = Entity::delete_many().filter(Column::Id.eq(id)).filter(Column::UserId.eq(user_id));
    Ok(deleted.exec(db).await?.rows_affected == 1)
}

/// Deletes all identities of a user.
pub async fn delete_of(db: &impl ConnectionTrait, user_id: Uuid) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::UserId.eq(user_id)).exec(db).await.map(drop)
}
