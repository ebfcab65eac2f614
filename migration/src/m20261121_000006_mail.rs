//! `mails` and `links`, and what `users` knows of its addresses.

use sea_orm_migration::{
    prelude::*,
    sea_query::{ForeignKeyCreateStatement, IndexCreateStatement},
};

use crate::columns::{instant, table};

/// Extends `users`; creates `mails` and `links`.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const PENDING: &str = "users_pending_email_key";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            instant(manager, "email_verified_at"),
            ColumnDef::new("pending_email").string_len(254).take(),
            ColumnDef::new("pending_email_key").string_len(254).take(),
        ];
        // One by one, because SQLite takes no more at a time.
        for mut column in columns {
            manager.alter_table(Table::alter().table("users").add_column(&mut column).take()).await?;
        }
        // Not unique: several may ask for one address, and who proves to have it gets it.
        manager.create_index(index(PENDING, "users", "pending_email_key")).await?;

        let mails = table(manager, "mails")
            .col(ColumnDef::new("id").uuid().not_null().primary_key())
            .col(ColumnDef::new("purpose").string_len(20).not_null())
            .col(ColumnDef::new("email").string_len(254).not_null())
            .col(ColumnDef::new("email_key").string_len(254).not_null())
            .col(ColumnDef::new("language").string_len(2).not_null())
            .col(ColumnDef::new("user_id").uuid())
            .col(ColumnDef::new("ip_address").string_len(45))
            .col(ColumnDef::new("user_agent").string_len(512))
            .col(instant(manager, "created_at").not_null())
            .col(instant(manager, "next_attempt_at").not_null())
            .col(ColumnDef::new("attempts").integer().not_null())
            .foreign_key(&mut of_user("mails_user_fkey", "mails"))
            .take();
        manager.create_table(mails).await?;
        manager.create_index(index("mails_next_attempt_at", "mails", "next_attempt_at")).await?;
        manager.create_index(index("mails_user_id", "mails", "user_id")).await?;

        let links = table(manager, "links")
            .col(ColumnDef::new("id").uuid().not_null().primary_key())
            .col(ColumnDef::new("user_id").uuid().not_null())
            .col(ColumnDef::new("purpose").string_len(20).not_null())
            .col(ColumnDef::new("token_hash").string_len(64).not_null())
            .col(ColumnDef::new("email_key").string_len(254).not_null())
            .col(instant(manager, "created_at").not_null())
            .col(instant(manager, "expires_at").not_null())
            .index(Index::create().unique().name("links_token_hash").col("token_hash"))
            .foreign_key(&mut of_user("links_user_fkey", "links"))
            .take();
        manager.create_table(links).await?;
        manager.create_index(index("links_user_id", "links", "user_id")).await?;
        manager.create_index(index("links_expires_at", "links", "expires_at")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in ["links", "mails"] {
            manager.drop_table(Table::drop().table(name).take()).await?;
        }
        manager.drop_index(Index::drop().name(PENDING).table("users").to_owned()).await?;
        for column in ["pending_email_key", "pending_email", "email_verified_at"] {
            manager.alter_table(Table::alter().table("users").drop_column(column).take()).await?;
        }
        Ok(())
    }
}

fn index(name: &'static str, table: &'static str, column: &'static str) -> IndexCreateStatement {
    Index::create().name(name).table(table).col(column).take()
}

/// A row that belongs to a user, and goes with it.
fn of_user(name: &'static str, table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create().name(name).from(table, "user_id").to("users", "id").on_delete(ForeignKeyAction::Cascade).take()
}
