//! `users`: the accounts.

use sea_orm_migration::prelude::*;

use crate::{Migration, schema::Schema};

/// Creates `users`.
#[derive(DeriveMigrationName)]
pub(crate) struct User;

#[async_trait::async_trait]
impl Migration for User {
    fn is_additive(&self) -> bool {
        true
    }

    async fn up(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        schema
            .create_table(
                schema
                    .table("users")
                    .col(ColumnDef::new("id").uuid().not_null().primary_key())
                    .col(ColumnDef::new("username").string_len(64).not_null())
                    .col(ColumnDef::new("username_key").string_len(64).not_null())
                    .col(ColumnDef::new("email").string_len(254))
                    .col(ColumnDef::new("email_key").string_len(254))
                    .col(ColumnDef::new("password_hash").string_len(255).not_null())
                    .col(ColumnDef::new("first_name").string_len(100))
                    .col(ColumnDef::new("last_name").string_len(100))
                    .col(ColumnDef::new("is_active").boolean().not_null())
                    .col(ColumnDef::new("roles").string_len(1000).not_null())
                    .col(schema.instant("created_at").not_null())
                    .col(schema.instant("updated_at").not_null())
                    .col(schema.instant("last_login_at"))
                    .index(Index::create().unique().name("users_username_key").col("username_key"))
                    .index(Index::create().unique().name("users_email_key").col("email_key"))
                    .take(),
            )
            .await
    }

    async fn down(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        schema.drop_table("users").await
    }
}
