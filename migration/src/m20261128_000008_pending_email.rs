//! Binds a pending change of address to one request that expires, keeps used links, and records which self-registered
//! accounts have never verified an address.

use sea_orm_migration::prelude::*;

use crate::{Migration, schema::Schema};

/// Extends `users`, `links` and `mails`.
#[derive(DeriveMigrationName)]
pub(crate) struct PendingEmail;

const INDEX: &str = "users_never_verified_since";

#[async_trait::async_trait]
impl Migration for PendingEmail {
    /// An older version completes a pending change without checking its request. It also does not reset
    /// `never_verified_since`, so accounts with a verified address could be deleted.
    fn is_additive(&self) -> bool {
        false
    }

    async fn up(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        let request = || ColumnDef::new("pending_email_id").uuid().take();
        let columns = [
            ("users", request()),
            ("users", schema.instant("pending_email_expires_at")),
            ("users", schema.instant("never_verified_since")),
            // Unknown for existing accounts, so false. They are never deleted as unverified.
            ("users", ColumnDef::new("is_self_registered").boolean().not_null().default(false).take()),
            ("links", request()),
            ("links", schema.instant("used_at")),
            ("mails", request()),
        ];
        for (table, column) in columns {
            schema.add_column(table, column).await?;
        }
        let unverified = Query::update()
            .table("users")
            .value("never_verified_since", Expr::col("created_at"))
            .and_where(Expr::col("email_verified_at").is_null())
            .and_where(Expr::col("never_verified_since").is_null())
            .take();
        schema.update(unverified).await?;
        // Cancels pending changes without a request id: they may be older than a password reset that should have
        // cleared them. Changes with a request id were made by this version.
        let cancelled = Query::update()
            .table("users")
            .values(["pending_email", "pending_email_key"].map(|column| (column, Expr::value(None::<String>))))
            .and_where(Expr::col("pending_email_key").is_not_null())
            .and_where(Expr::col("pending_email_id").is_null())
            .take();
        schema.update(cancelled).await?;
        schema.create_index("users", INDEX, &["is_self_registered", "never_verified_since"]).await
    }

    async fn down(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        schema.drop_index("users", INDEX).await?;
        let columns = [
            ("mails", "pending_email_id"),
            ("links", "used_at"),
            ("links", "pending_email_id"),
            ("users", "is_self_registered"),
            ("users", "never_verified_since"),
            ("users", "pending_email_expires_at"),
            ("users", "pending_email_id"),
        ];
        for (table, column) in columns {
            schema.drop_column(table, column).await?;
        }
        Ok(())
    }
}
