//! `audit_log`: security-relevant actions. A row is written in the transaction of the action that it records.
//!
//! The log is append-only: rows are inserted here and read in `list` and `recent`, and only the functions in `retention` change or
//! delete rows.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use sea_orm::{Iterable, entity::prelude::*};

mod list;
mod recent;
mod retention;

pub use list::*;
pub use recent::*;
pub use retention::*;

use super::bulk;

/// A row of `audit_log`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_log")]
pub struct Model {
    /// The id, ordered by time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What happened.
    pub action: Action,
    /// The kind of actor.
    pub actor_type: ActorType,
    /// The id of the acting user. It is kept when the user is deleted.
    pub actor_id: Option<Uuid>,
    /// The id of the affected user. It is kept when the user is deleted. `None` for a failed login with an unknown
    /// identifier.
    pub user_id: Option<Uuid>,
    /// The client's IP address.
    pub ip_address: Option<String>,
    /// `User-Agent` of the request, at most 512 characters.
    pub user_agent: Option<String>,
    /// Details such as the names of changed fields or the sign-in method.
    pub details: Option<Details>,
}

/// Rows outlive users, so there is no relation.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The kind of actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(20))", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ActorType {
    /// A client that was not signed in.
    Anonymous,
    /// A signed-in user who acted on their own account.
    User,
    /// An administrator.
    Administrator,
    /// The operator, on the command line.
    CommandLine,
    /// A background job of the server.
    System,
}

impl ActorType {
    /// The name in the database and in exports.
    #[must_use]
    pub fn name(self) -> String {
        self.to_value()
    }
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(40))", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Action {
    /// A user registered.
    UserRegistered,
    /// An administrator or an import created a user.
    UserCreated,
    /// A user signed in.
    LoggedIn,
    /// A sign-in failed: the identifier or the password, or the code of a mail, was incorrect.
    LoginFailed,
    /// A user signed out of one session or of all sessions.
    LoggedOut,
    /// A user ended another session, or all other sessions.
    SessionRevoked,
    /// A refresh token was presented again after the grace period, and its successor had not been used. The session
    /// continued, because the response may have been lost.
    TokenRepeated,
    /// A refresh token was presented again after its successor had been used. The session was ended.
    TokenReused,
    /// A user changed their names.
    ProfileUpdated,
    /// A password was changed, by the user or an administrator.
    PasswordChanged,
    /// A link to reset the password was requested and sent.
    PasswordResetRequested,
    /// The password was reset by a link, and all sessions were ended.
    PasswordReset,
    /// The password was removed, because the address was verified by a sign-in by mail or with a provider, and never before.
    PasswordRemoved,
    /// The address of the account was verified.
    EmailVerified,
    /// A user requested a change of the address.
    EmailChangeRequested,
    /// A user cancelled a change of the address.
    EmailChangeCancelled,
    /// The address was changed.
    EmailChanged,
    /// A user replaced an address that was never verified.
    EmailReplaced,
    /// An unverified address was removed from the account, because the owner of another account verified it.
    EmailRemoved,
    /// An administrator changed the roles.
    RolesChanged,
    /// An administrator disabled the account.
    UserDisabled,
    /// An administrator enabled the account.
    UserEnabled,
    /// An administrator changed the account. Written by older versions, which did not record what was changed.
    UserUpdated,
    /// The account was deleted.
    UserDeleted,
    /// An administrator invited an address, for the first time or again.
    UserInvited,
    /// An invitation was accepted, which created the account.
    InvitationAccepted,
    /// An administrator revoked an invitation.
    InvitationRevoked,
    /// A user exported the data of their account.
    DataExported,
    /// A user set up a second factor.
    MfaEnabled,
    /// A user removed the second factor.
    MfaDisabled,
    /// An administrator removed the second factor of a user.
    MfaReset,
    /// A sign-in failed: the code of the second factor was incorrect or used.
    MfaFailed,
    /// A user used a recovery code.
    RecoveryCodeUsed,
    /// A user replaced the recovery codes.
    RecoveryCodesRegenerated,
    /// A user no longer needs the second factor in a browser.
    DeviceRemembered,
    /// A user forgot a remembered device.
    RememberedDeviceRevoked,
    /// A user added a passkey.
    PasskeyAdded,
    /// A user renamed a passkey.
    PasskeyRenamed,
    /// A user deleted a passkey.
    PasskeyRemoved,
    /// The signature counter of a passkey went back, so the authenticator may have been cloned. The passkey was refused.
    PasskeyFailed,
    /// An identity at a provider was linked.
    IdentityLinked,
    /// An identity at a provider was unlinked.
    IdentityUnlinked,
}

impl Action {
    /// All actions.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::iter()
    }

    /// The name in the database and in exports.
    #[must_use]
    pub fn name(self) -> String {
        self.to_value()
    }
}

/// Pairs of names and values, stored as a JSON array of pairs.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveValueType)]
#[sea_orm(value_type = "String")]
pub struct Details(pub Vec<(String, String)>);

impl fmt::Display for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(&self.0).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for Details {
    type Err = serde_json::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        serde_json::from_str(text).map(Self)
    }
}

/// Inserts rows.
pub async fn insert(db: &impl ConnectionTrait, rows: Vec<Model>) -> Result<(), DbErr> {
    bulk::insert(db, rows.into_iter().map(|row| sea_orm::IntoActiveModel::into_active_model(row).reset_all())).await
}
