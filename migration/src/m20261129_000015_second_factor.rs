//! Second factors: `totp_factors`, `recovery_codes`, `mfa_challenges` and `remembered_devices`, and how the user of a session
//! signed in.

use sea_orm_migration::prelude::*;

use crate::{Migration, schema::Schema};

/// Creates the tables, and extends `sessions`.
#[derive(DeriveMigrationName)]
pub(crate) struct SecondFactor;

#[async_trait::async_trait]
impl Migration for SecondFactor {
    /// An older version asks for no second factor, so an instance that serves beside this one would sign users in with their
    /// passwords alone.
    fn is_additive(&self) -> bool {
        false
    }

    async fn up(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        create_totp_factors(schema).await?;
        create_recovery_codes(schema).await?;
        create_mfa_challenges(schema).await?;
        create_remembered_devices(schema).await?;
        let amr = ColumnDef::new("amr").string_len(64).not_null().default("pwd").take();
        schema.add_column("sessions", amr).await?;
        schema.add_column("sessions", schema.instant("second_factor_at")).await
    }

    async fn down(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        schema.drop_column("sessions", "second_factor_at").await?;
        schema.drop_column("sessions", "amr").await?;
        for table in ["remembered_devices", "mfa_challenges", "recovery_codes", "totp_factors"] {
            schema.drop_table(table).await?;
        }
        Ok(())
    }
}

/// The foreign key of a table whose rows are deleted with their user.
fn of_user(table: &'static str, name: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(name)
        .from(table, "user_id")
        .to("users", "id")
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}

async fn create_totp_factors(schema: &Schema<'_>) -> Result<(), DbErr> {
    let table = schema
        .table("totp_factors")
        .col(ColumnDef::new("user_id").uuid().not_null().primary_key())
        .col(ColumnDef::new("sealed_secret").blob().not_null())
        .col(ColumnDef::new("key_id").string_len(16).not_null())
        .col(schema.instant("created_at").not_null())
        .col(schema.instant("confirmed_at"))
        .col(schema.instant("expires_at"))
        .col(ColumnDef::new("last_step").big_integer())
        .foreign_key(&mut of_user("totp_factors", "totp_factors_user_fkey"))
        .take();
    schema.create_table(table).await?;
    schema.create_index("totp_factors", "totp_factors_key_id", &["key_id", "user_id"]).await?;
    // For the list of users who have a second factor.
    schema.create_index("totp_factors", "totp_factors_confirmed_at", &["confirmed_at", "user_id"]).await?;
    schema.create_index("totp_factors", "totp_factors_expires_at", &["expires_at"]).await
}

async fn create_recovery_codes(schema: &Schema<'_>) -> Result<(), DbErr> {
    let table = schema
        .keyed_table("recovery_codes")
        .col(ColumnDef::new("user_id").uuid().not_null())
        .col(ColumnDef::new("code_hash").string_len(64).not_null())
        .col(schema.instant("created_at").not_null())
        .primary_key(Index::create().col("user_id").col("code_hash"))
        .foreign_key(&mut of_user("recovery_codes", "recovery_codes_user_fkey"))
        .take();
    schema.create_table(table).await
}

async fn create_mfa_challenges(schema: &Schema<'_>) -> Result<(), DbErr> {
    let table = schema
        .table("mfa_challenges")
        .col(ColumnDef::new("id").uuid().not_null().primary_key())
        .col(ColumnDef::new("token_hash").string_len(64).not_null())
        .col(ColumnDef::new("user_id").uuid().not_null())
        .col(ColumnDef::new("epoch").integer().not_null())
        .col(ColumnDef::new("amr").string_len(64).not_null())
        .col(ColumnDef::new("delivery").string_len(6).not_null())
        .col(ColumnDef::new("client_hash").string_len(64))
        .col(schema.instant("created_at").not_null())
        .col(schema.instant("expires_at").not_null())
        .col(ColumnDef::new("attempts").integer().not_null())
        .index(Index::create().unique().name("mfa_challenges_token_hash").col("token_hash"))
        .foreign_key(&mut of_user("mfa_challenges", "mfa_challenges_user_fkey"))
        .take();
    schema.create_table(table).await?;
    schema.create_index("mfa_challenges", "mfa_challenges_user_id", &["user_id"]).await?;
    schema.create_index("mfa_challenges", "mfa_challenges_expires_at", &["expires_at"]).await
}

async fn create_remembered_devices(schema: &Schema<'_>) -> Result<(), DbErr> {
    let table = schema
        .table("remembered_devices")
        .col(ColumnDef::new("id").uuid().not_null().primary_key())
        .col(ColumnDef::new("user_id").uuid().not_null())
        .col(ColumnDef::new("token_hash").string_len(64).not_null())
        .col(ColumnDef::new("user_agent").string_len(512))
        .col(schema.instant("created_at").not_null())
        .col(schema.instant("last_used_at").not_null())
        .col(schema.instant("expires_at").not_null())
        .index(Index::create().unique().name("remembered_devices_token_hash").col("token_hash"))
        .foreign_key(&mut of_user("remembered_devices", "remembered_devices_user_fkey"))
        .take();
    schema.create_table(table).await?;
    schema.create_index("remembered_devices", "remembered_devices_user_id", &["user_id"]).await?;
    schema.create_index("remembered_devices", "remembered_devices_expires_at", &["expires_at"]).await
}
