//! `throttles`: one row per counter of attempts.

use sea_orm_migration::prelude::*;

use crate::{Migration, schema::Schema};

/// Creates `throttles`.
#[derive(DeriveMigrationName)]
pub(crate) struct Throttle;

#[async_trait::async_trait]
impl Migration for Throttle {
    fn is_additive(&self) -> bool {
        true
    }

    async fn up(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        schema
            .create_table(
                schema
                    .table("throttles")
                    .col(ColumnDef::new("id").uuid().not_null().primary_key())
                    .col(ColumnDef::new("identifier_id").uuid())
                    .col(ColumnDef::new("attempts").blob().not_null())
                    .col(ColumnDef::new("full_windows").integer().not_null())
                    .col(schema.instant("blocked_until"))
                    .col(schema.instant("familiar_until"))
                    .col(schema.instant("expires_at").not_null())
                    .take(),
            )
            .await?;
        schema.create_index("throttles", "throttles_identifier_id", &["identifier_id"]).await?;
        schema.create_index("throttles", "throttles_expires_at", &["expires_at"]).await
    }

    async fn down(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        schema.drop_table("throttles").await
    }
}
