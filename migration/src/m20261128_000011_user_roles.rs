//! `user_roles`: the roles of users, with an index by role. `users.roles` stays, to be read together with the user.

use std::collections::BTreeSet;

use sea_orm_migration::prelude::*;

use crate::{
    Migration,
    schema::{QueryResult, Schema, Uuid},
};

/// Creates `user_roles`, and fills it from `users.roles`.
#[derive(DeriveMigrationName)]
pub(crate) struct UserRoles;

#[async_trait::async_trait]
impl Migration for UserRoles {
    /// An older version writes only `users.roles`, so searches by role would miss its changes.
    fn is_additive(&self) -> bool {
        false
    }

    async fn up(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        // Rows of an interrupted run may be outdated, because an older version may have changed roles since.
        schema.drop_table("user_roles").await?;
        let table = schema
            .table("user_roles")
            .col(ColumnDef::new("user_id").uuid().not_null())
            .col(ColumnDef::new("role").string_len(64).not_null())
            .primary_key(Index::create().col("user_id").col("role"))
            .foreign_key(
                ForeignKey::create()
                    .name("user_roles_user_fkey")
                    .from("user_roles", "user_id")
                    .to("users", "id")
                    .on_delete(ForeignKeyAction::Cascade),
            )
            .take();
        schema.create_table(table).await?;
        let rows = |row: &QueryResult| -> Result<Vec<[Value; 2]>, DbErr> {
            let (id, roles): (Uuid, String) = (row.try_get("", "id")?, row.try_get("", "roles")?);
            let roles: BTreeSet<&str> = roles.split(',').filter(|role| !role.is_empty()).collect();
            Ok(roles.into_iter().map(|role| [id.into(), role.into()]).collect())
        };
        schema.derive_rows("users", &["roles"], "user_roles", ["user_id", "role"], rows).await?;
        schema.create_index("user_roles", "user_roles_role", &["role", "user_id"]).await
    }

    async fn down(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        schema.drop_table("user_roles").await
    }
}
