//! `audit_events`: what happened to accounts. Written in the transaction of what it tells, and never changed.

use chrono::{DateTime, Utc};
use sea_orm::{Condition, entity::prelude::*};

use crate::entity::bulk;

/// A row of `audit_events`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_events")]
pub struct Model {
    /// Its name.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What happened.
    pub kind: Kind,
    /// Who did it; none for someone not signed in, or a deleted account.
    pub actor_id: Option<Uuid>,
    /// Whose account it concerns; none once that is deleted, or where a name that was tried is nobody's.
    pub user_id: Option<Uuid>,
    /// Where the request came from.
    pub ip_address: Option<String>,
    /// `User-Agent` of the request, cut to 512 characters.
    pub user_agent: Option<String>,
}

/// An event outlives the account that it names, so it has no relation that loads one.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Takes out of the log where a user's requests came from. Their names go out of it with their row.
///
/// # Errors
/// The driver's.
pub async fn forget_client(db: &impl ConnectionTrait, user_id: Uuid) -> Result<(), DbErr> {
    let own = Condition::any()
        .add(Column::ActorId.eq(user_id))
        .add(Condition::all().add(Column::ActorId.is_null()).add(Column::UserId.eq(user_id)));
    Entity::update_many()
        .col_expr(Column::IpAddress, Expr::value(None::<String>))
        .col_expr(Column::UserAgent, Expr::value(None::<String>))
        .filter(own)
        .exec(db)
        .await
        .map(drop)
}

/// Writes many events at once.
///
/// # Errors
/// The driver's.
pub async fn insert_all(db: &impl ConnectionTrait, events: Vec<ActiveModel>) -> Result<(), DbErr> {
    bulk::insert(db, events).await
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(40))", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Kind {
    /// Someone made an account, and signed in with it.
    Registered,
    /// Someone signed in.
    LoggedIn,
    /// Someone tried to sign in with a wrong name or password.
    LoginFailed,
    /// Someone signed out, of one session or of all.
    LoggedOut,
    /// Someone changed their own names.
    ProfileChanged,
    /// Someone changed their own password.
    PasswordChanged,
    /// An account was deleted: by its owner, by an administrator, or because no address was ever verified. Whose it was is
    /// no longer known.
    AccountDeleted,
    /// Someone ended a session, or all others, from another one.
    SessionRevoked,
    /// A refresh token came again whose successor's answer may have got lost, outside the grace: the session went on.
    RefreshTokenRepeated,
    /// A refresh token came again that had long been replaced: the session was ended.
    RefreshTokenReused,
    /// Someone asked for a link to set a new password, and it was made for this account.
    PasswordResetRequested,
    /// The link was used: the password is a new one, and all sessions are ended.
    PasswordReset,
    /// The account's own address was verified.
    EmailVerified,
    /// The user asked to move the account to another address.
    EmailChangeRequested,
    /// The account moved to the address that was asked for, which is thereby verified.
    EmailChanged,
    /// The user cancelled the move to another address.
    EmailChangeCancelled,
    /// Somebody who knew the password replaced an address that was never verified.
    EmailReplaced,
    /// The account lost an address that it had never verified, because the owner of another account proved to read it.
    EmailRemoved,
    /// An administrator made an account.
    UserCreated,
    /// An administrator changed an account: enabled or disabled it, or gave it other roles, another password or another address.
    UserUpdated,
}
