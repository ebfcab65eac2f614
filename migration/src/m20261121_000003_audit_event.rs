//! `audit_events`: what happened to accounts. A deleted account leaves its events, without its name.

use sea_orm_migration::prelude::*;

use crate::columns::{instant, table};

/// Creates `audit_events`.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut events = table(manager, "audit_events");
        events
            .col(ColumnDef::new("id").uuid().not_null().primary_key())
            .col(instant(manager, "at").not_null())
            .col(ColumnDef::new("kind").string_len(40).not_null())
            .col(ColumnDef::new("actor_id").uuid())
            .col(ColumnDef::new("user_id").uuid())
            .col(ColumnDef::new("ip_address").string_len(45))
            .col(ColumnDef::new("user_agent").string_len(512));
        for (name, column) in [("audit_events_actor_fkey", "actor_id"), ("audit_events_user_fkey", "user_id")] {
            events.foreign_key(
                ForeignKey::create()
                    .name(name)
                    .from("audit_events", column)
                    .to("users", "id")
                    .on_delete(ForeignKeyAction::SetNull),
            );
        }
        manager.create_table(events).await?;
        for (name, column) in [("audit_events_actor_id", "actor_id"), ("audit_events_user_id", "user_id")] {
            manager.create_index(Index::create().name(name).table("audit_events").col(column).take()).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("audit_events").take()).await
    }
}
