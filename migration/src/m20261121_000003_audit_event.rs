//! `audit_events`: security-relevant actions. Rows of a deleted account are kept without its id.

use sea_orm_migration::prelude::*;

use crate::{Migration, schema::Schema};

/// Creates `audit_events`.
#[derive(DeriveMigrationName)]
pub(crate) struct AuditEvent;

#[async_trait::async_trait]
impl Migration for AuditEvent {
    fn is_additive(&self) -> bool {
        true
    }

    async fn up(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        let mut events = schema.table("audit_events");
        events
            .col(ColumnDef::new("id").uuid().not_null().primary_key())
            .col(schema.instant("at").not_null())
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
        schema.create_table(events).await?;
        schema.create_index("audit_events", "audit_events_actor_id", &["actor_id"]).await?;
        schema.create_index("audit_events", "audit_events_user_id", &["user_id"]).await
    }

    async fn down(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        schema.drop_table("audit_events").await
    }
}
