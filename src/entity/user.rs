//! `users`: a person with an account.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use sea_orm::{Condition, QueryOrder, QuerySelect, entity::prelude::*};

mod email;
mod locked;
mod many;
mod sessions;
mod unverified;

pub use email::*;
pub use locked::*;
pub use many::*;
pub use sessions::*;
pub use unverified::*;

use crate::{
    entity::{columns::Columns, user_role},
    security::password::PasswordHash,
};

/// The role that administers the others. One active user who has it must always be left.
pub const ADMIN: &str = "admin";

/// A row of `users`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    /// Opaque and permanent; `sub` of the access tokens.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// As its owner writes it.
    pub username: String,
    /// The username as it is compared: unique.
    pub username_key: String,
    /// As its owner writes it.
    pub email: Option<String>,
    /// The address as it is compared: unique.
    pub email_key: Option<String>,
    /// What the password is checked against.
    pub password_hash: PasswordHash,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// False for a disabled account: it can't sign in, and its sessions are no longer good.
    pub is_active: bool,
    /// The roles held, as in `user_roles`: read here, searched for there.
    pub roles: Roles,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
    /// When its owner or an administrator last changed it.
    pub updated_at: DateTime<Utc>,
    /// The latest sign-in.
    pub last_login_at: Option<DateTime<Utc>>,
    /// When the owner proved to read what comes to `email`; none as long as they have not.
    pub email_verified_at: Option<DateTime<Utc>>,
    /// The address of the latest request to move, which may have expired: see [`Model::pending_email_at`].
    pub pending_email: Option<String>,
    /// The same as it is compared. Not unique: who verifies it first gets it.
    pub pending_email_key: Option<String>,
    /// Counts how often all sessions were ended at once. Sessions of an earlier epoch have ended.
    pub session_epoch: i32,
    /// The request to move. Links and mails of another request to the same address do not complete it.
    pub pending_email_id: Option<Uuid>,
    /// When that request expires.
    pub pending_email_expires_at: Option<DateTime<Utc>>,
    /// Since when the account has waited for a first verified address; none once it has ever had one.
    pub never_verified_since: Option<DateTime<Utc>>,
    /// Whether its owner registered it, and not an administrator or an import.
    pub is_self_registered: bool,
}

/// Relations to other tables are declared where they point from.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// Whether this user can administrate at this moment.
    #[must_use]
    pub fn is_active_admin(&self) -> bool {
        self.is_active && self.roles.0.iter().any(|role| role == ADMIN)
    }

    /// First and last name together; none where neither is set.
    #[must_use]
    pub fn full_name(&self) -> Option<String> {
        let names = [self.first_name.as_deref(), self.last_name.as_deref()];
        let names: Vec<&str> = names.into_iter().flatten().collect();
        (!names.is_empty()).then(|| names.join(" "))
    }

    /// From the columns of a row, which are in the order of the fields above.
    pub(super) fn read(columns: &mut Columns<'_>) -> Result<Self, DbErr> {
        Ok(Self {
            id: columns.read()?,
            username: columns.read()?,
            username_key: columns.read()?,
            email: columns.read()?,
            email_key: columns.read()?,
            password_hash: columns.read()?,
            first_name: columns.read()?,
            last_name: columns.read()?,
            is_active: columns.read()?,
            roles: columns.read()?,
            created_at: columns.read()?,
            updated_at: columns.read()?,
            last_login_at: columns.read()?,
            email_verified_at: columns.read()?,
            pending_email: columns.read()?,
            pending_email_key: columns.read()?,
            session_epoch: columns.read()?,
            pending_email_id: columns.read()?,
            pending_email_expires_at: columns.read()?,
            never_verified_since: columns.read()?,
            is_self_registered: columns.read()?,
        })
    }
}

/// Names of roles, sorted; stored with commas between them.
#[derive(Clone, Debug, PartialEq, Eq, DeriveValueType)]
#[sea_orm(value_type = "String")]
pub struct Roles(pub Vec<String>);

impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(","))
    }
}

impl FromStr for Roles {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.split(',').filter(|role| !role.is_empty()).map(ToOwned::to_owned).collect()))
    }
}

/// What someone typed to say who they are, normalised as at registration. A username never has an `@`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identifier<'a> {
    /// Compared with `username_key`.
    Username(&'a str),
    /// Compared with `email_key`.
    Email(&'a str),
}

fn select(identifier: Identifier<'_>) -> Select<Entity> {
    match identifier {
        Identifier::Username(key) => Entity::find().filter(Column::UsernameKey.eq(key)),
        Identifier::Email(key) => Entity::find().filter(Column::EmailKey.eq(key)),
    }
}

/// The user whom `identifier` names.
pub async fn find(db: &impl ConnectionTrait, identifier: Identifier<'_>) -> Result<Option<Model>, DbErr> {
    // Not `one`, whose `LIMIT ?` makes SQLite prepare the statement anew each time.
    Ok(select(identifier).all(db).await?.pop())
}

/// The id of the user whom `identifier` names.
pub async fn find_id(db: &impl ConnectionTrait, identifier: Identifier<'_>) -> Result<Option<Uuid>, DbErr> {
    Ok(select(identifier).select_only().column(Column::Id).into_tuple().all(db).await?.pop())
}

/// Which of two keys are in use: the rows that hold them, as pairs of keys.
pub async fn taken_keys(
    db: &impl ConnectionTrait,
    username_key: &str,
    email_key: Option<&str>,
) -> Result<Vec<(String, Option<String>)>, DbErr> {
    let mut taken = Vec::new();
    // One by one: for `OR` not every planner takes both indexes.
    for identifier in [Some(Identifier::Username(username_key)), email_key.map(Identifier::Email)].into_iter().flatten()
    {
        let keys = select(identifier).select_only().columns([Column::UsernameKey, Column::EmailKey]);
        taken.extend(keys.into_tuple().all(db).await?);
    }
    Ok(taken)
}

/// Some active administrators, by their ids.
pub async fn active_admins(db: &impl ConnectionTrait, most: u64) -> Result<Vec<Uuid>, DbErr> {
    let ids = Entity::find().select_only().column(Column::Id).filter(Column::IsActive.eq(true)).filter(has_role(ADMIN));
    ids.limit(most).into_tuple().all(db).await
}

/// Whether a user has a role. Found by the index of `user_roles`.
fn has_role(role: &str) -> Expr {
    Column::Id.in_subquery(user_role::holders(role))
}

/// The user with an id.
pub async fn find_by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Ok(Entity::find_by_id(id).all(db).await?.pop())
}

/// Some users in the order of their usernames, from behind the one with the key `after`.
pub async fn by_username(db: &impl ConnectionTrait, after: Option<&str>, most: u64) -> Result<Vec<Model>, DbErr> {
    let rest = Condition::all().add_option(after.map(|key| Column::UsernameKey.gt(key)));
    Entity::find().filter(rest).order_by_asc(Column::UsernameKey).limit(most).all(db).await
}
