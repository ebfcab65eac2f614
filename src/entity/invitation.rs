//! `invitations`: one row per invited address. `invitation_links`: one row per link that was sent to it.
//!
//! Each attempt to deliver the mail creates a link. All of them are valid, because a mail may have arrived although the
//! attempt seemed to fail.

use chrono::{DateTime, Utc};
use sea_orm::{Condition, QuerySelect, QueryTrait, entity::prelude::*};

use crate::{
    entity::{
        page::{Range, SortColumn, SortKey, SortValue, paginate},
        user::Roles,
    },
    security::link_token::TokenHash,
};

/// A row of `invitations`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "invitations")]
pub struct Model {
    /// The id. Inviting an address again replaces the row, and so the id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The invited address as entered.
    pub email: String,
    /// The normalized address, for comparisons. Unique.
    pub email_key: String,
    /// The roles of the account. Those that are no longer in `ROLES` at acceptance are omitted.
    pub roles: Roles,
    /// The administrator who invited. `None` for the command line, and if the account was deleted.
    pub invited_by: Option<Uuid>,
    /// When the address was invited.
    pub created_at: DateTime<Utc>,
    /// When the invitation expires. Expired invitations are kept for a while, so that their links are not unknown.
    pub expires_at: DateTime<Utc>,
}

/// Links are deleted with their invitation. An invitation outlives the administrator who invited.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::entity::expiry::Expiring for Entity {
    const ID: Column = Column::Id;
    const EXPIRES_AT: Column = Column::ExpiresAt;
}

impl Model {
    /// The key of this row in [`open`].
    #[must_use]
    pub fn sort_key(&self) -> SortKey {
        vec![SortValue::Instant(self.created_at), SortValue::Id(self.id)]
    }
}

pub use link::{Entity as LinkEntity, Model as Link};

/// The table `invitation_links`.
mod link {
    use sea_orm::entity::prelude::*;

    use crate::security::link_token::TokenHash;

    /// A row of `invitation_links`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "invitation_links")]
    pub struct Model {
        /// The id.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The invitation that the link accepts.
        pub invitation_id: Uuid,
        /// The hash of the token. The token itself is only in the mail.
        pub token_hash: TokenHash,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Replaces the invitation of an address, if any, and thereby invalidates its links.
///
/// # Errors
/// A unique violation if another transaction invites the address at the same time.
pub async fn replace(db: &impl ConnectionTrait, invitation: Model) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::EmailKey.eq(&*invitation.email_key)).exec(db).await?;
    let row = sea_orm::IntoActiveModel::into_active_model(invitation).reset_all();
    Entity::insert(row).exec_without_returning(db).await.map(drop)
}

/// Sets when an invitation expires, and locks it until the transaction ends. Returns false if it no longer exists.
pub async fn prolong(db: &impl ConnectionTrait, id: Uuid, expires_at: DateTime<Utc>) -> Result<bool, DbErr> {
    let update = Entity::update_many().col_expr(Column::ExpiresAt, Expr::value(expires_at)).filter(Column::Id.eq(id));
    Ok(update.exec(db).await?.rows_affected == 1)
}

/// Creates a link of an invitation.
pub async fn insert_link(db: &impl ConnectionTrait, link: Link) -> Result<(), DbErr> {
    let row = sea_orm::IntoActiveModel::into_active_model(link).reset_all();
    link::Entity::insert(row).exec_without_returning(db).await.map(drop)
}

/// Finds the invitation of a link by the hash of its token.
pub async fn find(db: &impl ConnectionTrait, token_hash: &TokenHash) -> Result<Option<Model>, DbErr> {
    let link = link::Entity::find().select_only().column(link::Column::InvitationId);
    let link = link.filter(link::Column::TokenHash.eq(token_hash.clone())).into_query();
    Ok(Entity::find().filter(Column::Id.in_subquery(link)).all(db).await?.pop())
}

fn is_open(now: DateTime<Utc>) -> Condition {
    Condition::all().add(Column::ExpiresAt.gt(now))
}

/// Deletes an open invitation with its links. If several requests do so at the same time, one gets true.
pub async fn take(db: &impl ConnectionTrait, id: Uuid, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let taken = Entity::delete_many().filter(Column::Id.eq(id)).filter(is_open(now)).exec(db).await?;
    Ok(taken.rows_affected == 1)
}

/// Lists open invitations, newest first. They come in the reverse order if [`Range::from_end`].
pub async fn open(db: &impl ConnectionTrait, range: &Range, now: DateTime<Utc>) -> Result<Vec<Model>, DbErr> {
    let column = |column: Column| SortColumn::new(Expr::col((Entity, column)));
    let columns = [column(Column::CreatedAt), column(Column::Id)];
    let query = Entity::find().filter(is_open(now));
    paginate(query, &columns, true, range, db.get_database_backend()).all(db).await
}

/// Finds an open invitation by id.
pub async fn find_open(db: &impl ConnectionTrait, id: Uuid, now: DateTime<Utc>) -> Result<Option<Model>, DbErr> {
    Ok(Entity::find_by_id(id).filter(is_open(now)).all(db).await?.pop())
}

/// Finds an open invitation by the normalized address.
pub async fn find_open_by_email(
    db: &impl ConnectionTrait,
    email_key: &str,
    now: DateTime<Utc>,
) -> Result<Option<Model>, DbErr> {
    Ok(Entity::find().filter(Column::EmailKey.eq(email_key)).filter(is_open(now)).all(db).await?.pop())
}

/// Counts open invitations. Reads all of them.
pub async fn count_open(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<u64, DbErr> {
    let count = Entity::find().select_only().column_as(Column::Id.count(), "count").filter(is_open(now));
    let count: Option<i64> = count.into_tuple().all(db).await?.pop();
    Ok(count.unwrap_or_default().unsigned_abs())
}
