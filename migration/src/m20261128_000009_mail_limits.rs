//! `mails.round`: the order in which mails leave.

use sea_orm_migration::prelude::*;

/// Adds `mails.round`.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.has_column("mails", "round").await? {
            return Ok(());
        }
        let mut round = ColumnDef::new("round").integer().not_null().default(0).take();
        manager.alter_table(Table::alter().table("mails").add_column(&mut round).take()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if !manager.has_column("mails", "round").await? {
            return Ok(());
        }
        manager.alter_table(Table::alter().table("mails").drop_column("round").take()).await
    }
}
