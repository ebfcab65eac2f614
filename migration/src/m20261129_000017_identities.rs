//! Identities at providers: `identities` and `provider_logins`.

use sea_orm_migration::prelude::*;

use crate::{Migration, schema::Schema};

/// Creates the tables.
#[derive(DeriveMigrationName)]
pub(crate) struct Identities;

#[async_trait::async_trait]
impl Migration for Identities {
    /// An older version does not remove identities when the address of an account that was never verified is verified by a
    /// password reset, so another person could keep access to the account.
    fn is_additive(&self) -> bool {
        false
    }

    async fn up(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        let user_key = |table: &'static str, name: &'static str| {
            ForeignKey::create()
                .name(name)
                .from(table, "user_id")
                .to("users", "id")
                .on_delete(ForeignKeyAction::Cascade)
                .to_owned()
        };
        let identities = schema
            .table("identities")
            .col(ColumnDef::new("id").uuid().not_null().primary_key())
            .col(ColumnDef::new("user_id").uuid().not_null())
            .col(ColumnDef::new("provider_id").string_len(32).not_null())
            .col(ColumnDef::new("issuer").string_len(512).not_null())
            .col(ColumnDef::new("subject").string_len(255).not_null())
            .col(ColumnDef::new("identity_hash").string_len(64).not_null())
            .col(ColumnDef::new("email").string_len(320))
            .col(schema.instant("linked_at").not_null())
            .col(schema.instant("last_used_at"))
            // An index cannot contain issuer and subject on all databases, so their hash is unique instead.
            .index(Index::create().unique().name("identities_identity_hash").col("identity_hash"))
            .foreign_key(&mut user_key("identities", "identities_user_fkey"))
            .take();
        schema.create_table(identities).await?;
        schema.create_index("identities", "identities_user_id", &["user_id"]).await?;

        let logins = schema
            .table("provider_logins")
            .col(ColumnDef::new("id").uuid().not_null().primary_key())
            .col(ColumnDef::new("code_hash").string_len(64).not_null())
            .col(ColumnDef::new("code_challenge").string_len(64).not_null())
            .col(ColumnDef::new("provider_id").string_len(32).not_null())
            .col(ColumnDef::new("issuer").string_len(512).not_null())
            .col(ColumnDef::new("subject").string_len(255).not_null())
            .col(ColumnDef::new("email").string_len(320))
            .col(ColumnDef::new("is_email_trusted").boolean().not_null())
            .col(ColumnDef::new("username").string_len(320))
            .col(ColumnDef::new("full_name").string_len(320))
            .col(ColumnDef::new("first_name").string_len(320))
            .col(ColumnDef::new("last_name").string_len(320))
            .col(ColumnDef::new("user_id").uuid())
            .col(ColumnDef::new("session_id").uuid())
            .col(schema.instant("created_at").not_null())
            .col(schema.instant("expires_at").not_null())
            .index(Index::create().unique().name("provider_logins_code_hash").col("code_hash"))
            .foreign_key(&mut user_key("provider_logins", "provider_logins_user_fkey"))
            .take();
        schema.create_table(logins).await?;
        schema.create_index("provider_logins", "provider_logins_user_id", &["user_id"]).await?;
        schema.create_index("provider_logins", "provider_logins_expires_at", &["expires_at"]).await
    }

    async fn down(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        schema.drop_table("provider_logins").await?;
        schema.drop_table("identities").await
    }
}
