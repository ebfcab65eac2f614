//! `users`: the accounts.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use sea_orm::{Condition, QuerySelect, entity::prelude::*};

mod email;
mod filter;
mod list;
mod locked;
mod many;
mod sessions;
mod unverified;

pub use email::*;
pub use filter::Filter;
pub use list::*;
pub use locked::*;
pub use many::*;
pub use sessions::*;
pub use unverified::*;

use crate::{
    entity::{columns::model, user_role},
    security::password::PasswordHash,
};

/// The administrator role. At least one active user must have it.
pub const ADMIN: &str = "admin";

model! {
    /// A row of `users`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "users")]
    pub struct Model {
        /// The opaque, permanent id; `sub` in access tokens.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The username as entered.
        pub username: String,
        /// The normalized username, for comparisons. Unique.
        pub username_key: String,
        /// The address as entered.
        pub email: Option<String>,
        /// The normalized address, for comparisons. Unique.
        pub email_key: Option<String>,
        /// The password hash.
        pub password_hash: PasswordHash,
        /// Given name.
        pub first_name: Option<String>,
        /// Family name.
        pub last_name: Option<String>,
        /// False if the account is disabled: the user cannot sign in, and all sessions are invalid.
        pub is_active: bool,
        /// The user's roles: the copy of `user_roles` that is read together with the row.
        pub roles: Roles,
        /// When the account was created.
        pub created_at: DateTime<Utc>,
        /// When the owner or an administrator last changed the account.
        pub updated_at: DateTime<Utc>,
        /// The latest sign-in.
        pub last_login_at: Option<DateTime<Utc>>,
        /// When the owner verified `email`. `None` if it is not verified.
        pub email_verified_at: Option<DateTime<Utc>>,
        /// The address of the latest request to change it. The request may have expired; see [`Model::pending_email_at`].
        pub pending_email: Option<String>,
        /// The normalized pending address. Not unique: the first account that verifies it gets it.
        pub pending_email_key: Option<String>,
        /// The number of times that all sessions were revoked at once. Sessions of an earlier epoch are revoked.
        pub session_epoch: i32,
        /// The id of the change request. Links and mails of another request to the same address do not complete it.
        pub pending_email_id: Option<Uuid>,
        /// When the change request expires.
        pub pending_email_expires_at: Option<DateTime<Utc>>,
        /// Since when the account has waited for its first verified address. `None` once it has had one.
        pub never_verified_since: Option<DateTime<Utc>>,
        /// Whether the owner registered the account. False if an administrator or an import created it.
        pub is_self_registered: bool,
        /// Whether the account has a password. Otherwise, no password matches `password_hash`.
        pub has_password: bool,
    }
}

/// Relations are declared in the tables that hold the foreign keys.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// Whether this user is active and an administrator.
    #[must_use]
    pub fn is_active_admin(&self) -> bool {
        self.is_active && self.roles.0.iter().any(|role| role == ADMIN)
    }

    /// The address, if the owner has verified it.
    #[must_use]
    pub fn verified_email(&self) -> Option<&str> {
        self.email.as_deref().filter(|_| self.email_verified_at.is_some())
    }

    /// First and last name, or `None` if neither is set.
    #[must_use]
    pub fn full_name(&self) -> Option<String> {
        let names = [self.first_name.as_deref(), self.last_name.as_deref()];
        let names: Vec<&str> = names.into_iter().flatten().collect();
        (!names.is_empty()).then(|| names.join(" "))
    }
}

/// Sorted role names, stored separated by commas.
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

/// A normalized username or email address that identifies a user. No username is an address.
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

/// Finds the user with this identifier.
pub async fn find(db: &impl ConnectionTrait, identifier: Identifier<'_>) -> Result<Option<Model>, DbErr> {
    // Not `one`: its `LIMIT ?` makes SQLite prepare the statement again each time.
    Ok(select(identifier).all(db).await?.pop())
}

/// Finds the id of the user with this identifier.
pub async fn find_id(db: &impl ConnectionTrait, identifier: Identifier<'_>) -> Result<Option<Uuid>, DbErr> {
    Ok(select(identifier).select_only().column(Column::Id).into_tuple().all(db).await?.pop())
}

/// Returns the keys of the users that have this username or this address, without those of the user `except`.
pub async fn taken_keys(
    db: &impl ConnectionTrait,
    username_key: &str,
    email_key: Option<&str>,
    except: Option<Uuid>,
) -> Result<Vec<(String, Option<String>)>, DbErr> {
    let mut taken = Vec::new();
    // Two queries, because not every query planner uses both indexes for `OR`.
    for identifier in [Some(Identifier::Username(username_key)), email_key.map(Identifier::Email)].into_iter().flatten()
    {
        let others = Condition::all().add_option(except.map(|id| Column::Id.ne(id)));
        let keys = select(identifier).filter(others).select_only().columns([Column::UsernameKey, Column::EmailKey]);
        taken.extend(keys.into_tuple().all(db).await?);
    }
    Ok(taken)
}

/// Lists the ids of active administrators, at most `limit`.
pub async fn active_admins(db: &impl ConnectionTrait, limit: u64) -> Result<Vec<Uuid>, DbErr> {
    let ids = Entity::find().select_only().column(Column::Id).filter(Column::IsActive.eq(true)).filter(has_role(ADMIN));
    ids.limit(limit).into_tuple().all(db).await
}

/// Whether a user has a role. Found by the index of `user_roles`.
fn has_role(role: &str) -> Expr {
    Column::Id.in_subquery(user_role::holders(role))
}

/// Finds a user by id.
pub async fn find_by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Ok(Entity::find_by_id(id).all(db).await?.pop())
}
