//! `sessions.authenticated_at`: when the user of a session last proved their identity.

use sea_orm_migration::prelude::*;

use crate::{Migration, schema::Schema};

/// Adds `sessions.authenticated_at`. Null means the time of the sign-in.
#[derive(DeriveMigrationName)]
pub(crate) struct SessionAuthentication;

#[async_trait::async_trait]
impl Migration for SessionAuthentication {
    /// An older version leaves the column null, and requires a password more often than necessary.
    fn is_additive(&self) -> bool {
        true
    }

    async fn up(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        schema.add_column("sessions", schema.instant("authenticated_at")).await
    }

    async fn down(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        schema.drop_column("sessions", "authenticated_at").await
    }
}
