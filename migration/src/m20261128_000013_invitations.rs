//! `invitations`, `invitation_links`, and the column of `mails` for the mail of an invitation.

use sea_orm_migration::prelude::*;

use crate::{Migration, schema::Schema};

/// Creates `invitations` and `invitation_links`; extends `mails`.
#[derive(DeriveMigrationName)]
pub(crate) struct Invitations;

#[async_trait::async_trait]
impl Migration for Invitations {
    /// An older version cannot read the mail of an invitation. It logs an error and leaves the mail to an instance of this
    /// version.
    fn is_additive(&self) -> bool {
        true
    }

    async fn up(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        let invitations = schema
            .table("invitations")
            .col(ColumnDef::new("id").uuid().not_null().primary_key())
            .col(ColumnDef::new("email").string_len(254).not_null())
            .col(ColumnDef::new("email_key").string_len(254).not_null())
            .col(ColumnDef::new("roles").string_len(1000).not_null())
            .col(ColumnDef::new("invited_by").uuid())
            .col(schema.instant("created_at").not_null())
            .col(schema.instant("expires_at").not_null())
            .index(Index::create().unique().name("invitations_email_key").col("email_key"))
            .foreign_key(
                ForeignKey::create()
                    .name("invitations_invited_by_fkey")
                    .from("invitations", "invited_by")
                    .to("users", "id")
                    .on_delete(ForeignKeyAction::SetNull),
            )
            .take();
        schema.create_table(invitations).await?;
        schema.create_index("invitations", "invitations_invited_by", &["invited_by"]).await?;
        schema.create_index("invitations", "invitations_created_at", &["created_at", "id"]).await?;
        schema.create_index("invitations", "invitations_expires_at", &["expires_at"]).await?;

        let links = schema
            .table("invitation_links")
            .col(ColumnDef::new("id").uuid().not_null().primary_key())
            .col(ColumnDef::new("invitation_id").uuid().not_null())
            .col(ColumnDef::new("token_hash").string_len(64).not_null())
            .index(Index::create().unique().name("invitation_links_token_hash").col("token_hash"))
            .foreign_key(
                ForeignKey::create()
                    .name("invitation_links_invitation_fkey")
                    .from("invitation_links", "invitation_id")
                    .to("invitations", "id")
                    .on_delete(ForeignKeyAction::Cascade),
            )
            .take();
        schema.create_table(links).await?;
        schema.create_index("invitation_links", "invitation_links_invitation_id", &["invitation_id"]).await?;
        // Without a foreign key, which SQLite cannot add to a table. The mail of an invitation that no longer exists is
        // dropped at delivery.
        schema.add_column("mails", ColumnDef::new("invitation_id").uuid().take()).await
    }

    async fn down(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        // An older version cannot read these mails.
        schema.delete_rows("mails", "invitation_id").await?;
        schema.drop_column("mails", "invitation_id").await?;
        schema.drop_table("invitation_links").await?;
        schema.drop_table("invitations").await
    }
}
