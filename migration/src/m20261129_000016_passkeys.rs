//! Passkeys: `passkeys`, `spent_challenges`, and whether a user has a password.

use sea_orm_migration::prelude::*;

use crate::{Migration, schema::Schema};

/// Creates the tables, and extends `users`.
#[derive(DeriveMigrationName)]
pub(crate) struct Passkeys;

#[async_trait::async_trait]
impl Migration for Passkeys {
    /// An older version signs a user whose only second factor is a passkey in with the password alone.
    fn is_additive(&self) -> bool {
        false
    }

    async fn up(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        let passkeys = schema
            .table("passkeys")
            .col(ColumnDef::new("id").uuid().not_null().primary_key())
            .col(ColumnDef::new("user_id").uuid().not_null())
            .col(ColumnDef::new("credential_id").blob().not_null())
            .col(ColumnDef::new("credential_hash").string_len(64).not_null())
            .col(ColumnDef::new("public_key").blob().not_null())
            .col(ColumnDef::new("counter").big_integer().not_null())
            .col(ColumnDef::new("is_backup_eligible").boolean().not_null())
            .col(ColumnDef::new("is_backed_up").boolean().not_null())
            .col(ColumnDef::new("transports").string_len(100).not_null())
            .col(ColumnDef::new("aaguid").uuid().not_null())
            .col(ColumnDef::new("name").string_len(100).not_null())
            .col(schema.instant("created_at").not_null())
            .col(schema.instant("last_used_at"))
            // An index cannot contain 1,023 bytes on all databases, so the hash is unique instead.
            .index(Index::create().unique().name("passkeys_credential_hash").col("credential_hash"))
            .foreign_key(
                ForeignKey::create()
                    .name("passkeys_user_fkey")
                    .from("passkeys", "user_id")
                    .to("users", "id")
                    .on_delete(ForeignKeyAction::Cascade),
            )
            .take();
        schema.create_table(passkeys).await?;
        schema.create_index("passkeys", "passkeys_user_id", &["user_id"]).await?;

        let spent = schema
            .table("spent_challenges")
            .col(ColumnDef::new("nonce").uuid().not_null().primary_key())
            .col(schema.instant("expires_at").not_null())
            .take();
        schema.create_table(spent).await?;
        schema.create_index("spent_challenges", "spent_challenges_expires_at", &["expires_at"]).await?;

        let has_password = ColumnDef::new("has_password").boolean().not_null().default(true).take();
        schema.add_column("users", has_password).await
    }

    async fn down(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        schema.drop_column("users", "has_password").await?;
        schema.drop_table("spent_challenges").await?;
        schema.drop_table("passkeys").await
    }
}
