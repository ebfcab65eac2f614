//! `sessions`: one row per sign-in.

use sea_orm_migration::prelude::*;

use crate::{Migration, schema::Schema};

/// Creates `sessions`.
#[derive(DeriveMigrationName)]
pub(crate) struct Session;

#[async_trait::async_trait]
impl Migration for Session {
    fn is_additive(&self) -> bool {
        true
    }

    async fn up(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        schema
            .create_table(
                schema
                    .table("sessions")
                    .col(ColumnDef::new("id").uuid().not_null().primary_key())
                    .col(ColumnDef::new("user_id").uuid().not_null())
                    .col(ColumnDef::new("generation").integer().not_null())
                    .col(ColumnDef::new("user_agent").string_len(512))
                    .col(ColumnDef::new("ip_address").string_len(45))
                    .col(schema.instant("created_at").not_null())
                    .col(schema.instant("last_used_at").not_null())
                    .col(schema.instant("expires_at").not_null())
                    .col(schema.instant("revoked_at"))
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
        schema.create_index("sessions", "sessions_user_id", &["user_id"]).await
    }

    async fn down(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        schema.drop_table("sessions").await
    }
}
