//! The history of Hallpass's tables: one file for each migration, and here the list of them, oldest first.

use sea_orm_migration::prelude::*;
pub use sea_orm_migration::{IntoSchemaManagerConnection, MigratorTrait};

mod columns;
mod m20261121_000001_user;
mod m20261121_000002_session;
mod m20261121_000003_audit_event;
mod m20261121_000004_session_rotation;
mod m20261121_000005_throttle;
mod m20261121_000006_mail;
mod m20261128_000007_session_generations;
mod m20261128_000008_pending_email;
mod m20261128_000009_mail_limits;

/// All migrations of Hallpass.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_user::Migration),
            Box::new(m20261121_000002_session::Migration),
            Box::new(m20261121_000003_audit_event::Migration),
            Box::new(m20261121_000004_session_rotation::Migration),
            Box::new(m20261121_000005_throttle::Migration),
            Box::new(m20261121_000006_mail::Migration),
            Box::new(m20261128_000007_session_generations::Migration),
            Box::new(m20261128_000008_pending_email::Migration),
            Box::new(m20261128_000009_mail_limits::Migration),
        ]
    }
}
