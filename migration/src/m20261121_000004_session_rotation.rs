//! `sessions`: what rotating refresh tokens need, and an index for sweeping expired rows.

use sea_orm_migration::prelude::*;

use crate::columns::instant;

/// Extends `sessions`.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const INDEX: &str = "sessions_expires_at";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            instant(manager, "rotated_at"),
            ColumnDef::new("confirmed_generation").integer().not_null().default(0).take(),
            instant(manager, "repeated_at"),
            // Sessions from before had no refresh token, so that none can come by a wrong way.
            ColumnDef::new("delivery").string_len(6).not_null().default("COOKIE").take(),
        ];
        // One by one, because SQLite takes no more at a time.
        for mut column in columns {
            manager.alter_table(Table::alter().table("sessions").add_column(&mut column).take()).await?;
        }
        manager.create_index(Index::create().name(INDEX).table("sessions").col("expires_at").take()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name(INDEX).table("sessions").to_owned()).await?;
        for column in ["delivery", "repeated_at", "confirmed_generation", "rotated_at"] {
            manager.alter_table(Table::alter().table("sessions").drop_column(column).take()).await?;
        }
        Ok(())
    }
}
