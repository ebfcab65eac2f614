//! `throttles`: one row for each counter of attempts.

use sea_orm_migration::prelude::*;

use crate::columns::{instant, table};

/// Creates `throttles`.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                table(manager, "throttles")
                    .col(ColumnDef::new("id").uuid().not_null().primary_key())
                    .col(ColumnDef::new("identifier_id").uuid())
                    .col(ColumnDef::new("attempts").blob().not_null())
                    .col(ColumnDef::new("full_windows").integer().not_null())
                    .col(instant(manager, "blocked_until"))
                    .col(instant(manager, "familiar_until"))
                    .col(instant(manager, "expires_at").not_null())
                    .take(),
            )
            .await?;
        for (name, column) in [("throttles_identifier_id", "identifier_id"), ("throttles_expires_at", "expires_at")] {
            manager.create_index(Index::create().name(name).table("throttles").col(column).take()).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("throttles").take()).await
    }
}
