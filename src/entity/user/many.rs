//! Queries for many users.

use sea_orm::{Condition, IntoActiveModel, QueryOrder, QuerySelect, entity::prelude::*};

use crate::entity::{
    bulk,
    user::{Column, Entity, Model, Roles},
    user_role, user_word,
};

/// Maximum number of ids in one statement.
const MAX_IDS: usize = 1000;

/// Inserts users with their roles and words. If one violates a unique index, none is inserted.
pub async fn insert_all(db: &impl ConnectionTrait, users: impl IntoIterator<Item = Model>) -> Result<(), DbErr> {
    let users: Vec<Model> = users.into_iter().collect();
    bulk::insert(db, users.iter().map(|user| user.clone().into_active_model().reset_all())).await?;
    user_role::insert(db, &users).await?;
    user_word::insert(db, &users).await
}

/// Finds users with one of these ids, usernames or addresses. A user may be returned more than once.
pub async fn holders(
    db: &impl ConnectionTrait,
    ids: Vec<Uuid>,
    username_keys: Vec<&str>,
    email_keys: Vec<&str>,
) -> Result<Vec<Model>, DbErr> {
    // Three queries, because not every query planner uses all indexes for `OR`.
    let (mut holders, by_username, by_email) = tokio::try_join!(
        Entity::find().filter(Column::Id.is_in(ids)).all(db),
        Entity::find().filter(Column::UsernameKey.is_in(username_keys)).all(db),
        Entity::find().filter(Column::EmailKey.is_in(email_keys)).all(db),
    )?;
    holders.extend(by_username);
    holders.extend(by_email);
    Ok(holders)
}

/// Finds the users with these ids.
pub async fn find_by_ids(db: &impl ConnectionTrait, ids: &[Uuid]) -> Result<Vec<Model>, DbErr> {
    let mut users = Vec::with_capacity(ids.len());
    for ids in ids.chunks(MAX_IDS) {
        users.extend(Entity::find().filter(Column::Id.is_in(ids.iter().copied())).all(db).await?);
    }
    Ok(users)
}

/// Lists users ordered by id, after the id `after`, at most `limit`. Ids never change.
pub async fn by_id(db: &impl ConnectionTrait, after: Option<Uuid>, limit: u64) -> Result<Vec<Model>, DbErr> {
    let rest = Condition::all().add_option(after.map(|id| Column::Id.gt(id)));
    Entity::find().filter(rest).order_by_asc(Column::Id).limit(limit).all(db).await
}

/// Lists the roles of users ordered by id, after the id `after`, at most `limit`.
pub async fn roles_by_id(
    db: &impl ConnectionTrait,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<(Uuid, Roles)>, DbErr> {
    let rest = Condition::all().add_option(after.map(|id| Column::Id.gt(id)));
    let columns = Entity::find().select_only().columns([Column::Id, Column::Roles]).filter(rest);
    columns.order_by_asc(Column::Id).limit(limit).into_tuple().all(db).await
}
