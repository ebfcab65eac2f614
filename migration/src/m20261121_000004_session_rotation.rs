//! `sessions`: columns for refresh token rotation, and an index for deleting expired rows.

use sea_orm_migration::prelude::*;

use crate::{Migration, schema::Schema};

/// Extends `sessions`.
#[derive(DeriveMigrationName)]
pub(crate) struct SessionRotation;

const INDEX: &str = "sessions_expires_at";

#[async_trait::async_trait]
impl Migration for SessionRotation {
    /// Sessions of an older version have no refresh token, which the column defaults express.
    fn is_additive(&self) -> bool {
        true
    }

    async fn up(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        let columns = [
            schema.instant("rotated_at"),
            ColumnDef::new("confirmed_generation").integer().not_null().default(0).take(),
            schema.instant("repeated_at"),
            // Existing sessions have no refresh token, so the default transport does not matter.
            ColumnDef::new("delivery").string_len(6).not_null().default("COOKIE").take(),
        ];
        for column in columns {
            schema.add_column("sessions", column).await?;
        }
        schema.create_index("sessions", INDEX, &["expires_at"]).await
    }

    async fn down(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        schema.drop_index("sessions", INDEX).await?;
        for column in ["delivery", "repeated_at", "confirmed_generation", "rotated_at"] {
            schema.drop_column("sessions", column).await?;
        }
        Ok(())
    }
}
