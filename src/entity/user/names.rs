//! `users`, its names: what people change most.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::entity::user::{Column, Entity, Model};

/// Other names for a user. What is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The username, and its key.
    pub username: Option<(String, String)>,
    /// Given name.
    pub first_name: Option<Option<String>>,
    /// Family name.
    pub last_name: Option<Option<String>>,
}

impl Names {
    /// Whether they are those that the user has.
    #[must_use]
    pub fn is_of(&self, user: &Model) -> bool {
        self.username.as_ref().is_none_or(|(username, _)| *username == user.username)
            && self.first_name.as_ref().is_none_or(|name| *name == user.first_name)
            && self.last_name.as_ref().is_none_or(|name| *name == user.last_name)
    }
}

/// Gives a user other names.
///
/// # Errors
/// The driver's; a unique violation when another user has the username.
pub async fn rename(db: &impl ConnectionTrait, id: Uuid, names: Names, now: DateTime<Utc>) -> Result<(), DbErr> {
    let mut update = Entity::update_many().col_expr(Column::UpdatedAt, Expr::value(now)).filter(Column::Id.eq(id));
    if let Some((username, key)) = names.username {
        update =
            update.col_expr(Column::Username, Expr::value(username)).col_expr(Column::UsernameKey, Expr::value(key));
    }
    if let Some(name) = names.first_name {
        update = update.col_expr(Column::FirstName, Expr::value(name));
    }
    if let Some(name) = names.last_name {
        update = update.col_expr(Column::LastName, Expr::value(name));
    }
    update.exec(db).await.map(drop)
}
