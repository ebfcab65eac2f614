//! `mails.round`: the sending order of mails.

use sea_orm_migration::prelude::*;

use crate::{Migration, schema::Schema};

/// Adds `mails.round`.
#[derive(DeriveMigrationName)]
pub(crate) struct MailLimits;

#[async_trait::async_trait]
impl Migration for MailLimits {
    /// Mails of an older version are in round 0 and are sent first.
    fn is_additive(&self) -> bool {
        true
    }

    async fn up(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        schema.add_column("mails", ColumnDef::new("round").integer().not_null().default(0).take()).await
    }

    async fn down(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        schema.drop_column("mails", "round").await
    }
}
