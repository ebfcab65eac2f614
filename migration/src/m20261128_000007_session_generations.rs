//! `sessions`: predecessors and replaced generations, and an epoch per user, so that one update revokes all sessions.

use sea_orm_migration::prelude::*;

use crate::{Migration, schema::Schema};

/// Extends `users` and `sessions`.
#[derive(DeriveMigrationName)]
pub(crate) struct SessionGenerations;

const OLD_INDEX: &str = "sessions_user_id";
const INDEX: &str = "sessions_live";

#[async_trait::async_trait]
impl Migration for SessionGenerations {
    /// An older version ignores the epoch and would continue to accept revoked sessions.
    fn is_additive(&self) -> bool {
        false
    }

    async fn up(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        let columns = [
            ("users", ColumnDef::new("session_epoch").integer().not_null().default(0).take()),
            ("sessions", ColumnDef::new("epoch").integer().not_null().default(0).take()),
            ("sessions", ColumnDef::new("predecessor").integer().take()),
            ("sessions", ColumnDef::new("burnt").string_len(1024).not_null().default("").take()),
        ];
        for (table, column) in columns {
            schema.add_column(table, column).await?;
        }
        // In older versions, each generation replaced the one before it.
        let fill = Query::update()
            .table("sessions")
            .value("predecessor", Expr::col("generation").sub(1))
            .and_where(Expr::col("generation").gt(0))
            .and_where(Expr::col("predecessor").is_null())
            .take();
        schema.update(fill).await?;
        // Created before the old index is dropped, because MySQL requires an index for the foreign key at all times.
        schema.create_index("sessions", INDEX, &["user_id", "epoch", "revoked_at"]).await?;
        schema.drop_index("sessions", OLD_INDEX).await
    }

    async fn down(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        schema.create_index("sessions", OLD_INDEX, &["user_id"]).await?;
        schema.drop_index("sessions", INDEX).await?;
        for column in ["burnt", "predecessor", "epoch"] {
            schema.drop_column("sessions", column).await?;
        }
        schema.drop_column("users", "session_epoch").await
    }
}
