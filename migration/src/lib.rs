//! Database migrations: one file per migration, and the list of all migrations.
//!
//! A process may be killed at any time, and MySQL cannot roll back schema changes. A migration therefore changes the
//! database only through [`Schema`], whose steps check the current state and do what is missing. [`History`] records
//! which migrations have begun.

use sea_orm_migration::prelude::*;
pub use sea_orm_migration::{IntoSchemaManagerConnection, MigrationName};

mod history;
mod m20261121_000001_user;
mod m20261121_000002_session;
mod m20261121_000003_audit_event;
mod m20261121_000004_session_rotation;
mod m20261121_000005_throttle;
mod m20261121_000006_mail;
mod m20261128_000007_session_generations;
mod m20261128_000008_pending_email;
mod m20261128_000009_mail_limits;
mod m20261128_000010_audit_log;
mod m20261128_000011_user_roles;
mod m20261128_000012_user_words;
mod m20261128_000013_invitations;
mod m20261128_000014_session_authentication;
mod m20261129_000015_second_factor;
mod m20261129_000016_passkeys;
mod m20261129_000017_identities;
mod m20261130_000018_email_sign_in;
mod recording;
mod schema;

pub use history::{Compatibility, History, MigrationState};
pub use recording::{mark_as_unfinished_copy, unmark_as_unfinished_copy};
pub use schema::Schema;

/// A schema migration. Its name is the name of its file.
#[async_trait::async_trait]
pub trait Migration: MigrationName + Send + Sync {
    /// Whether instances of the previous version may continue to serve requests after this migration. They must not
    /// write rows that this version misunderstands, or fail to write what it relies on. New tables, and new columns
    /// that are nullable or have a default, are additive unless older versions would have to maintain them.
    fn is_additive(&self) -> bool;

    /// Applies the migration. It runs again from the start if it was interrupted.
    async fn up(&self, schema: &Schema<'_>) -> Result<(), DbErr>;

    /// Reverts the migration and deletes the data in the tables and columns that it created. It runs again from the
    /// start if it was interrupted, including while it was being applied.
    async fn down(&self, schema: &Schema<'_>) -> Result<(), DbErr>;
}

/// All migrations, oldest first.
#[must_use]
pub fn migrations() -> Vec<Box<dyn Migration>> {
    vec![
        Box::new(m20261121_000001_user::User),
        Box::new(m20261121_000002_session::Session),
        Box::new(m20261121_000003_audit_event::AuditEvent),
        Box::new(m20261121_000004_session_rotation::SessionRotation),
        Box::new(m20261121_000005_throttle::Throttle),
        Box::new(m20261121_000006_mail::Mail),
        Box::new(m20261128_000007_session_generations::SessionGenerations),
        Box::new(m20261128_000008_pending_email::PendingEmail),
        Box::new(m20261128_000009_mail_limits::MailLimits),
        Box::new(m20261128_000010_audit_log::AuditLog),
        Box::new(m20261128_000011_user_roles::UserRoles),
        Box::new(m20261128_000012_user_words::UserWords),
        Box::new(m20261128_000013_invitations::Invitations),
        Box::new(m20261128_000014_session_authentication::SessionAuthentication),
        Box::new(m20261129_000015_second_factor::SecondFactor),
        Box::new(m20261129_000016_passkeys::Passkeys),
        Box::new(m20261129_000017_identities::Identities),
        Box::new(m20261130_000018_email_sign_in::EmailSignIn),
    ]
}

/// The table that [`History`] reads.
pub const HISTORY_TABLE: &str = history::TABLE;

/// The name of the row in [`HISTORY_TABLE`] that marks the target of an unfinished copy.
pub const UNFINISHED_COPY: &str = history::UNFINISHED_COPY;

/// Creates the table of [`History`], or adds its missing columns.
///
/// # Errors
/// Returns an error if a statement fails.
pub async fn install(schema: &Schema<'_>) -> Result<(), DbErr> {
    recording::install(schema).await
}

/// Applies the missing and partially applied migrations, and returns how many. Call [`install`] first, and hold the
/// lock.
///
/// # Errors
/// Returns an error if a statement fails, or if the database has a migration that is incompatible with this version.
pub async fn up(schema: &Schema<'_>) -> Result<usize, DbErr> {
    let history = History::read(schema.connection()).await?;
    match history.compatibility() {
        Compatibility::TooNew(names) => {
            return Err(DbErr::Migration(format!("unknown migrations: {}", names.join(", "))));
        }
        Compatibility::UnfinishedCopy => return Err(DbErr::Migration("the database is an unfinished copy".to_owned())),
        Compatibility::Current | Compatibility::Missing(_) | Compatibility::Newer(_) => {}
    }
    let pending = history.pending();
    for migration in migrations() {
        if pending.iter().any(|name| name == migration.name()) {
            recording::begin(schema, &history, &*migration).await?;
            migration.up(schema).await?;
            recording::finish(schema, migration.name()).await?;
        }
    }
    Ok(pending.len())
}

/// Reverts these migrations, which [`History::to_revert`] returned. Call [`install`] first, and hold the lock.
///
/// # Errors
/// Returns an error if a statement fails, or if these are no longer the latest migrations of the database.
pub async fn down(schema: &Schema<'_>, names: &[String]) -> Result<(), DbErr> {
    let history = History::read(schema.connection()).await?;
    let steps = <u32 as TryFrom<usize>>::try_from(names.len()).unwrap_or(u32::MAX);
    if history.to_revert(steps).as_deref() != Ok(names) {
        return Err(DbErr::Migration("another process has changed the migrations in the meantime".to_owned()));
    }
    recording::begin_reverting(schema, names).await?;
    for migration in migrations().iter().rev() {
        if names.iter().any(|name| name == migration.name()) {
            migration.down(schema).await?;
            recording::forget(schema, migration.name()).await?;
        }
    }
    Ok(())
}
