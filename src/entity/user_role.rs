//! `user_roles`: one row for each role of each user, indexed to find users by role.
//!
//! `users.roles` contains the same roles, to be read together with the user. Only [`user`] writes roles, always to both.

use chrono::{DateTime, Utc};
use sea_orm::{ExprTrait, QuerySelect, QueryTrait, entity::prelude::*, sea_query::SelectStatement};

use crate::entity::{bulk, user};

/// Maximum number of rows of one statement. SQLite binds at most 32,766 values.
const MAX_ROWS: usize = 10_000;

/// A row of `user_roles`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user_roles")]
pub struct Model {
    /// The user who has the role.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// Name of the role.
    #[sea_orm(primary_key, auto_increment = false)]
    pub role: String,
    /// `users.created_at`, to list the users who have a role by the time of creation.
    pub created_at: DateTime<Utc>,
}

/// The rows of a user are deleted with the user.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Selects, as `id`, the ids of the users who have a role.
pub(super) fn holders(role: &str) -> SelectStatement {
    Entity::find().select_only().column_as(Column::UserId, "id").filter(Column::Role.eq(role)).into_query()
}

/// Joins `user_roles` to a query on `users`.
pub(super) fn of_users() -> RelationDef {
    user::Entity::belongs_to(Entity).from(user::Column::Id).to(Column::UserId).into()
}

/// Whether the user of a query on `users` has a role.
pub(super) fn has_role(role: &str) -> Expr {
    let own = Expr::col((Entity, Column::UserId)).equals((user::Entity, user::Column::Id));
    let roles = Entity::find().select_only().expr(Expr::val(1)).filter(own).filter(Column::Role.eq(role));
    Expr::exists(roles.into_query())
}

/// Writes the roles of new users.
pub(super) async fn insert(
    db: &impl ConnectionTrait,
    users: impl IntoIterator<Item = &user::Model>,
) -> Result<(), DbErr> {
    let rows = users.into_iter().flat_map(|user| {
        let row = |role: &String| Model { user_id: user.id, role: role.clone(), created_at: user.created_at };
        user.roles.0.iter().map(move |role| ActiveModel::from(row(role)).reset_all())
    });
    let rows: Vec<ActiveModel> = rows.collect();
    for rows in rows.chunks(MAX_ROWS) {
        bulk::insert(db, rows.iter().cloned()).await?;
    }
    Ok(())
}

/// Replaces the roles of a user.
pub(super) async fn replace(db: &impl ConnectionTrait, user: &user::Model) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::UserId.eq(user.id)).exec(db).await?;
    insert(db, [user]).await
}
