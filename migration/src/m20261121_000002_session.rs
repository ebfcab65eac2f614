//! `sessions`: one row for each sign-in.

use sea_orm_migration::prelude::*;

use crate::columns::{instant, table};

/// Creates `sessions`.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                table(manager, "sessions")
                    .col(ColumnDef::new("id").uuid().not_null().primary_key())
                    .col(ColumnDef::new("user_id").uuid().not_null())
                    .col(ColumnDef::new("generation").integer().not_null())
                    .col(ColumnDef::new("user_agent").string_len(512))
                    .col(ColumnDef::new("ip_address").string_len(45))
                    .col(instant(manager, "created_at").not_null())
                    .col(instant(manager, "last_used_at").not_null())
                    .col(instant(manager, "expires_at").not_null())
                    .col(instant(manager, "revoked_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .name("sessions_user_fkey")
                            .from("sessions", "user_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .take(),
            )
            .await?;
        manager.create_index(Index::create().name("sessions_user_id").table("sessions").col("user_id").take()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("sessions").take()).await
    }
}
