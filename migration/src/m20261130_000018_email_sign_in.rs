//! Sign-in by mail: `email_sign_ins`.

use sea_orm_migration::prelude::*;

use crate::{Migration, schema::Schema};

/// Creates the table.
#[derive(DeriveMigrationName)]
pub(crate) struct EmailSignIn;

#[async_trait::async_trait]
impl Migration for EmailSignIn {
    /// An older version cannot read the mail of a sign-in. It logs an error and leaves the mail to an instance of this version.
    fn is_additive(&self) -> bool {
        true
    }

    async fn up(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        let table = schema
            .table("email_sign_ins")
            .col(ColumnDef::new("id").uuid().not_null().primary_key())
            .col(ColumnDef::new("email_key").string_len(254).not_null())
            .col(ColumnDef::new("code_challenge").string_len(64).not_null())
            .col(ColumnDef::new("user_id").uuid())
            .col(ColumnDef::new("token_hash").string_len(64))
            .col(ColumnDef::new("code_hash").string_len(64))
            .col(ColumnDef::new("attempts").integer().not_null())
            .col(schema.instant("created_at").not_null())
            .col(schema.instant("expires_at").not_null())
            .index(Index::create().unique().name("email_sign_ins_token_hash").col("token_hash"))
            .foreign_key(
                ForeignKey::create()
                    .name("email_sign_ins_user_fkey")
                    .from("email_sign_ins", "user_id")
                    .to("users", "id")
                    .on_delete(ForeignKeyAction::Cascade),
            )
            .take();
        schema.create_table(table).await?;
        schema.create_index("email_sign_ins", "email_sign_ins_code_challenge", &["code_challenge"]).await?;
        schema.create_index("email_sign_ins", "email_sign_ins_user_id", &["user_id"]).await?;
        schema.create_index("email_sign_ins", "email_sign_ins_expires_at", &["expires_at"]).await
    }

    async fn down(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        // An older version cannot read these mails.
        schema.delete_rows_with("mails", "purpose", "SIGN_IN").await?;
        schema.drop_table("email_sign_ins").await
    }
}
