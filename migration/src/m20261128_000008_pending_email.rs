//! Binds a pending change of address to one request that expires, keeps used links, and records which accounts
//! registered themselves and have never verified an address.

use sea_orm_migration::prelude::*;

use crate::columns::instant;

/// Extends `users`, `links` and `mails`.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const INDEX: &str = "users_never_verified_since";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let request = || ColumnDef::new("pending_email_id").uuid().take();
        let columns = [
            ("users", request()),
            ("users", instant(manager, "pending_email_expires_at")),
            ("users", instant(manager, "never_verified_since")),
            // Unknown for existing accounts, so that none of them is ever deleted for it.
            ("users", ColumnDef::new("is_self_registered").boolean().not_null().default(false).take()),
            ("links", request()),
            ("links", instant(manager, "used_at")),
            ("mails", request()),
        ];
        for (table, mut column) in columns {
            if !manager.has_column(table, column.get_column_name()).await? {
                manager.alter_table(Table::alter().table(table).add_column(&mut column).take()).await?;
            }
        }
        let unverified = Query::update()
            .table("users")
            .value("never_verified_since", Expr::col("created_at"))
            .and_where(Expr::col("email_verified_at").is_null())
            .take();
        manager.execute(unverified).await?;
        // Pending changes are cancelled: they may be older than a reset that should have cleared them.
        let cancelled = Query::update()
            .table("users")
            .values(["pending_email", "pending_email_key"].map(|column| (column, Expr::value(None::<String>))))
            .and_where(Expr::col("pending_email_key").is_not_null())
            .take();
        manager.execute(cancelled).await?;
        if manager.has_index("users", INDEX).await? {
            return Ok(());
        }
        let index =
            Index::create().name(INDEX).table("users").col("is_self_registered").col("never_verified_since").take();
        manager.create_index(index).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.has_index("users", INDEX).await? {
            manager.drop_index(Index::drop().name(INDEX).table("users").to_owned()).await?;
        }
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
            if manager.has_column(table, column).await? {
                manager.alter_table(Table::alter().table(table).drop_column(column).take()).await?;
            }
        }
        Ok(())
    }
}
