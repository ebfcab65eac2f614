//! Locked user rows, the only way to change a user.

use std::ops::Deref;

use sea_orm::{DbBackend, Iterable, QueryOrder, QuerySelect, entity::prelude::*, sea_query::LockType};

use super::{Column, Entity, Model};
use crate::entity::{user_role, user_word};

/// A user row that is locked until the transaction ends.
#[derive(Debug)]
pub struct Locked(Model);

impl Deref for Locked {
    type Target = Model;

    fn deref(&self) -> &Model {
        &self.0
    }
}

impl From<Locked> for Model {
    fn from(locked: Locked) -> Self {
        locked.0
    }
}

impl Locked {
    /// Returns a copy of the current row.
    #[must_use]
    pub fn to_model(&self) -> Model {
        self.0.clone()
    }

    /// Updates the changed columns, and the rows in `user_roles` and `user_words`. Returns whether anything changed; if not, no statement is
    /// executed.
    ///
    /// # Errors
    /// A unique violation if another user has the username or the address.
    pub async fn update(&mut self, db: &impl ConnectionTrait, change: impl FnOnce(&mut Model)) -> Result<bool, DbErr> {
        let mut after = self.0.clone();
        change(&mut after);
        let changed: Vec<Column> = Column::iter().filter(|column| after.get(*column) != self.0.get(*column)).collect();
        if changed.is_empty() {
            return Ok(false);
        }
        let update = changed
            .into_iter()
            .fold(Entity::update_many(), |update, column| update.col_expr(column, Expr::value(after.get(column))));
        update.filter(Column::Id.eq(self.0.id)).exec(db).await?;
        if after.roles != self.0.roles {
            user_role::replace(db, &after).await?;
        }
        user_word::replace(db, &self.0, &after).await?;
        self.0 = after;
        Ok(true)
    }

    /// Deletes the user and all rows that belong to the user.
    pub async fn delete(self, db: &impl ConnectionTrait) -> Result<(), DbErr> {
        Entity::delete_by_id(self.0.id).exec(db).await.map(drop)
    }
}

/// Locks users until the transaction ends, and returns their current rows. The rows are always locked in the same
/// order, so that two transactions cannot deadlock.
pub async fn lock_all(transaction: &impl ConnectionTrait, ids: Vec<Uuid>) -> Result<Vec<Locked>, DbErr> {
    let rows = Entity::find().filter(Column::Id.is_in(ids)).order_by_asc(Column::Id);
    let rows = match transaction.get_database_backend() {
        // SQLite has a single writer, so no lock is needed.
        DbBackend::Sqlite => rows,
        // This lock does not block transactions that write a row with a foreign key to the user.
        DbBackend::Postgres => rows.lock(LockType::NoKeyUpdate),
        _ => rows.lock_exclusive(),
    };
    Ok(rows.all(transaction).await?.into_iter().map(Locked).collect())
}

/// Locks one user. Returns `None` if the user no longer exists.
pub async fn lock(transaction: &impl ConnectionTrait, id: Uuid) -> Result<Option<Locked>, DbErr> {
    Ok(lock_all(transaction, vec![id]).await?.pop())
}

/// Inserts a user with their roles and words.
///
/// # Errors
/// A unique violation if another user has the username or the address.
pub async fn insert(db: &impl ConnectionTrait, user: Model) -> Result<Locked, DbErr> {
    let row = sea_orm::IntoActiveModel::into_active_model(user.clone()).reset_all();
    Entity::insert(row).exec_without_returning(db).await?;
    user_role::insert(db, [&user]).await?;
    user_word::insert(db, [&user]).await?;
    Ok(Locked(user))
}
