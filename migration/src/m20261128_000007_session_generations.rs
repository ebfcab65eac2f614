//! `sessions`: which generation each one replaced, and which were burnt; an epoch per user, so that all sessions end by one
//! update.

use sea_orm_migration::prelude::*;

/// Extends `users` and `sessions`.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const OLD_INDEX: &str = "sessions_user_id";
const INDEX: &str = "sessions_live";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    // Each step looks first, because a migration that was killed on MySQL is run again from its start.
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            ("users", ColumnDef::new("session_epoch").integer().not_null().default(0).take()),
            ("sessions", ColumnDef::new("epoch").integer().not_null().default(0).take()),
            ("sessions", ColumnDef::new("predecessor").integer().take()),
            ("sessions", ColumnDef::new("burnt").string_len(1024).not_null().default("").take()),
        ];
        for (table, mut column) in columns {
            if !manager.has_column(table, column.get_column_name()).await? {
                manager.alter_table(Table::alter().table(table).add_column(&mut column).take()).await?;
            }
        }
        // Until now each generation replaced the one before it.
        let fill = Query::update()
            .table("sessions")
            .value("predecessor", Expr::col("generation").sub(1))
            .and_where(Expr::col("generation").gt(0))
            .and_where(Expr::col("predecessor").is_null())
            .take();
        manager.execute(fill).await?;
        if !manager.has_index("sessions", INDEX).await? {
            let mut index = Index::create().name(INDEX).table("sessions").take();
            index.col("user_id").col("epoch").col("revoked_at");
            manager.create_index(index).await?;
        }
        drop_index(manager, OLD_INDEX).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if !manager.has_index("sessions", OLD_INDEX).await? {
            manager.create_index(Index::create().name(OLD_INDEX).table("sessions").col("user_id").take()).await?;
        }
        drop_index(manager, INDEX).await?;
        for (table, column) in
            [("sessions", "burnt"), ("sessions", "predecessor"), ("sessions", "epoch"), ("users", "session_epoch")]
        {
            if manager.has_column(table, column).await? {
                manager.alter_table(Table::alter().table(table).drop_column(column).take()).await?;
            }
        }
        Ok(())
    }
}

async fn drop_index(manager: &SchemaManager<'_>, name: &'static str) -> Result<(), DbErr> {
    if manager.has_index("sessions", name).await? {
        manager.drop_index(Index::drop().name(name).table("sessions").to_owned()).await?;
    }
    Ok(())
}
