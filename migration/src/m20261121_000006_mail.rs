//! `mails` and `links`, and the columns of `users` for email verification.

use sea_orm_migration::{prelude::*, sea_query::ForeignKeyCreateStatement};

use crate::{Migration, schema::Schema};

/// Extends `users`; creates `mails` and `links`.
#[derive(DeriveMigrationName)]
pub(crate) struct Mail;

const PENDING: &str = "users_pending_email_key";

#[async_trait::async_trait]
impl Migration for Mail {
    /// An older version changes an address without resetting `email_verified_at`, so the new address would count as
    /// verified.
    fn is_additive(&self) -> bool {
        false
    }

    async fn up(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        let columns = [
            schema.instant("email_verified_at"),
            ColumnDef::new("pending_email").string_len(254).take(),
            ColumnDef::new("pending_email_key").string_len(254).take(),
        ];
        for column in columns {
            schema.add_column("users", column).await?;
        }
        // Not unique: several accounts may request the same address. The first account that verifies it gets it.
        schema.create_index("users", PENDING, &["pending_email_key"]).await?;

        let mails = schema
            .table("mails")
            .col(ColumnDef::new("id").uuid().not_null().primary_key())
            .col(ColumnDef::new("purpose").string_len(20).not_null())
            .col(ColumnDef::new("email").string_len(254).not_null())
            .col(ColumnDef::new("email_key").string_len(254).not_null())
            .col(ColumnDef::new("language").string_len(2).not_null())
            .col(ColumnDef::new("user_id").uuid())
            .col(ColumnDef::new("ip_address").string_len(45))
            .col(ColumnDef::new("user_agent").string_len(512))
            .col(schema.instant("created_at").not_null())
            .col(schema.instant("next_attempt_at").not_null())
            .col(ColumnDef::new("attempts").integer().not_null())
            .foreign_key(&mut user_foreign_key("mails_user_fkey", "mails"))
            .take();
        schema.create_table(mails).await?;
        schema.create_index("mails", "mails_next_attempt_at", &["next_attempt_at"]).await?;
        schema.create_index("mails", "mails_user_id", &["user_id"]).await?;

        let links = schema
            .table("links")
            .col(ColumnDef::new("id").uuid().not_null().primary_key())
            .col(ColumnDef::new("user_id").uuid().not_null())
            .col(ColumnDef::new("purpose").string_len(20).not_null())
            .col(ColumnDef::new("token_hash").string_len(64).not_null())
            .col(ColumnDef::new("email_key").string_len(254).not_null())
            .col(schema.instant("created_at").not_null())
            .col(schema.instant("expires_at").not_null())
            .index(Index::create().unique().name("links_token_hash").col("token_hash"))
            .foreign_key(&mut user_foreign_key("links_user_fkey", "links"))
            .take();
        schema.create_table(links).await?;
        schema.create_index("links", "links_user_id", &["user_id"]).await?;
        schema.create_index("links", "links_expires_at", &["expires_at"]).await
    }

    async fn down(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        schema.drop_table("links").await?;
        schema.drop_table("mails").await?;
        schema.drop_index("users", PENDING).await?;
        for column in ["pending_email_key", "pending_email", "email_verified_at"] {
            schema.drop_column("users", column).await?;
        }
        Ok(())
    }
}

/// The foreign key of a row that belongs to a user and is deleted with the user.
fn user_foreign_key(name: &'static str, table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create().name(name).from(table, "user_id").to("users", "id").on_delete(ForeignKeyAction::Cascade).take()
}
