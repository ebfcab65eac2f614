//! `passkeys`: one row per passkey (WebAuthn credential) of a user.

use chrono::{DateTime, Utc};
use sea_orm::{
    Condition, ExprTrait, QueryOrder, QuerySelect, QueryTrait, entity::prelude::*, sea_query::SelectStatement,
};

use crate::{
    entity::user,
    security::{link_token::TokenHash, webauthn::Transport},
};

/// Maximum number of passkeys of a user.
pub const MAX_PASSKEYS: u64 = 20;

/// A row of `passkeys`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "passkeys")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The user.
    pub user_id: Uuid,
    /// The id that the authenticator chose, at most 1,023 bytes.
    pub credential_id: Vec<u8>,
    /// The hash of `credential_id`. Unique.
    pub credential_hash: TokenHash,
    /// The public key as the authenticator sent it (`COSE_Key`).
    pub public_key: Vec<u8>,
    /// The authenticator's counter of signatures. Zero if it has none.
    pub counter: i64,
    /// Whether the authenticator may copy the passkey to other devices. It never changes.
    pub is_backup_eligible: bool,
    /// Whether the passkey was copied.
    pub is_backed_up: bool,
    /// How browsers can reach the authenticator, separated by spaces.
    pub transports: String,
    /// The model of the authenticator. Nil if it does not say.
    pub aaguid: Uuid,
    /// A name for the user.
    pub name: String,
    /// When the passkey was added.
    pub created_at: DateTime<Utc>,
    /// The latest sign-in or proof of identity.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// Passkeys are deleted with their user.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The transports.
    #[must_use]
    pub fn known_transports(&self) -> Vec<Transport> {
        Transport::parse_known(self.transports.split(' '))
    }
}

/// Inserts a passkey.
///
/// # Errors
/// A unique violation if a user has a passkey with this credential id.
pub async fn insert(db: &impl ConnectionTrait, passkey: Model) -> Result<(), DbErr> {
    let row = sea_orm::IntoActiveModel::into_active_model(passkey).reset_all();
    Entity::insert(row).exec_without_returning(db).await.map(drop)
}

/// Finds a passkey by the hash of its credential id.
pub async fn find(db: &impl ConnectionTrait, credential_hash: &TokenHash) -> Result<Option<Model>, DbErr> {
    Ok(Entity::find().filter(Column::CredentialHash.eq(credential_hash.clone())).all(db).await?.pop())
}

/// Lists the passkeys of a user, oldest first, at most [`MAX_PASSKEYS`].
pub async fn list(db: &impl ConnectionTrait, user_id: Uuid) -> Result<Vec<Model>, DbErr> {
    let passkeys = Entity::find().filter(Column::UserId.eq(user_id));
    passkeys.order_by_asc(Column::CreatedAt).order_by_asc(Column::Id).limit(MAX_PASSKEYS).all(db).await
}

/// Whether the user has a passkey.
pub async fn exists(db: &impl ConnectionTrait, user_id: Uuid) -> Result<bool, DbErr> {
    Ok(count(db, user_id).await? > 0)
}

/// Counts the passkeys of a user.
pub async fn count(db: &impl ConnectionTrait, user_id: Uuid) -> Result<u64, DbErr> {
    let count = Entity::find().select_only().column_as(Column::Id.count(), "count");
    let count: Option<i64> = count.filter(Column::UserId.eq(user_id)).into_tuple().all(db).await?.pop();
    Ok(count.unwrap_or_default().unsigned_abs())
}

/// Finds a passkey by its id.
pub async fn find_by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Ok(Entity::find_by_id(id).all(db).await?.pop())
}

/// Lists the passkeys of these users, oldest first.
pub async fn list_of_many(db: &impl ConnectionTrait, user_ids: &[Uuid]) -> Result<Vec<Model>, DbErr> {
    let passkeys = Entity::find().filter(Column::UserId.is_in(user_ids.iter().copied()));
    passkeys.order_by_asc(Column::CreatedAt).order_by_asc(Column::Id).all(db).await
}

/// Selects, as `id`, the ids of the users who have a passkey, in the order of an index.
pub(super) fn holders() -> SelectStatement {
    let owners = Entity::find().select_only().column_as(Column::UserId, "id");
    owners.order_by_asc(Column::UserId).into_query()
}

/// Whether the user of a query on `users` has a passkey.
pub(super) fn has_passkey() -> Expr {
    let own = Expr::col((Entity, Column::UserId)).equals((user::Entity, user::Column::Id));
    Expr::exists(Entity::find().select_only().expr(Expr::val(1)).filter(own).into_query())
}

/// Returns those of the users who have a passkey.
pub async fn owners_among(db: &impl ConnectionTrait, user_ids: &[Uuid]) -> Result<Vec<Uuid>, DbErr> {
    let owners = Entity::find().select_only().column(Column::UserId).distinct();
    owners.filter(Column::UserId.is_in(user_ids.iter().copied())).into_tuple().all(db).await
}

/// Records a use. If several requests use one passkey at the same time, each counter is accepted once: returns false if the
/// stored counter is no longer `seen`, or if the passkey was deleted.
pub async fn record_use(
    db: &impl ConnectionTrait,
    id: Uuid,
    (seen, counter): (i64, i64),
    is_backed_up: bool,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let updated = Entity::update_many()
        .col_expr(Column::Counter, Expr::value(counter))
        .col_expr(Column::IsBackedUp, Expr::value(is_backed_up))
        .col_expr(Column::LastUsedAt, Expr::value(now))
        .filter(Condition::all().add(Column::Id.eq(id)).add(Column::Counter.eq(seen)))
        .exec(db)
        .await?;
    Ok(updated.rows_affected == 1)
}

/// Renames a passkey of a user. Returns false if the user has no passkey with this id.
pub async fn rename(db: &impl ConnectionTrait, user_id: Uuid, id: Uuid, name: &str) -> Result<bool, DbErr> {
    let renamed = Entity::update_many().col_expr(Column::Name, Expr::value(name)).filter(Column::Id.eq(id));
    Ok(renamed.filter(Column::UserId.eq(user_id)).exec(db).await?.rows_affected == 1)
}

/// Deletes a passkey of a user. Returns false if the user has no passkey with this id.
pub async fn delete(db: &impl ConnectionTrait, user_id: Uuid, id: Uuid) -> Result<bool, DbErr> {
    let deleted = Entity::delete_many().filter(Column::Id.eq(id)).filter(Column::UserId.eq(user_id));
    Ok(deleted.exec(db).await?.rows_affected == 1)
}

/// Deletes all passkeys of a user.
pub async fn delete_of(db: &impl ConnectionTrait, user_id: Uuid) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::UserId.eq(user_id)).exec(db).await.map(drop)
}
