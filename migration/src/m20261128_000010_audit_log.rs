//! Replaces `audit_events` with `audit_log`, which records the actor and details, and keeps the ids of deleted users.

use sea_orm_migration::prelude::*;

use crate::{Migration, schema::Schema};

/// Creates `audit_log` and moves the rows of `audit_events` to it.
#[derive(DeriveMigrationName)]
pub(crate) struct AuditLog;

const COMMON: [&str; 6] = ["id", "at", "actor_id", "user_id", "ip_address", "user_agent"];

/// Renamed actions, as pairs of old and new name.
const RENAMED: [(&str, &str); 5] = [
    ("REGISTERED", "USER_REGISTERED"),
    ("PROFILE_CHANGED", "PROFILE_UPDATED"),
    ("ACCOUNT_DELETED", "USER_DELETED"),
    ("REFRESH_TOKEN_REUSED", "TOKEN_REUSED"),
    ("REFRESH_TOKEN_REPEATED", "TOKEN_REPEATED"),
];

/// An expression for a column with some of its values replaced.
fn renamed(column: &'static str, names: impl Iterator<Item = (&'static str, &'static str)>) -> Expr {
    let case = names.fold(CaseStatement::new(), |case, (from, to)| case.case(Expr::col(column).eq(from), to));
    case.finally(Expr::col(column)).into()
}

/// The actor type of a row of `audit_events`, as far as it is known.
fn actor_type() -> Expr {
    CaseStatement::new()
        // Only the command line could perform these actions.
        .case(Expr::col("kind").is_in(["USER_CREATED", "USER_UPDATED"]), "COMMAND_LINE")
        .case(Expr::col("actor_id").is_not_null(), "USER")
        .finally("ANONYMOUS")
        .into()
}

#[async_trait::async_trait]
impl Migration for AuditLog {
    /// An older version writes to the table that this migration drops.
    fn is_additive(&self) -> bool {
        false
    }

    async fn up(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        let mut log = schema.table("audit_log");
        log.col(ColumnDef::new("id").uuid().not_null().primary_key())
            .col(schema.instant("at").not_null())
            .col(ColumnDef::new("action").string_len(40).not_null())
            .col(ColumnDef::new("actor_type").string_len(20).not_null())
            .col(ColumnDef::new("actor_id").uuid())
            .col(ColumnDef::new("user_id").uuid())
            .col(ColumnDef::new("ip_address").string_len(45))
            .col(ColumnDef::new("user_agent").string_len(512))
            .col(ColumnDef::new("details").text());
        schema.create_table(log).await?;
        let columns = COMMON.map(|column| (column, Expr::col(column)));
        let action = renamed("kind", RENAMED.into_iter());
        let columns = columns.into_iter().chain([("action", action), ("actor_type", actor_type())]);
        schema.copy_rows("audit_events", "audit_log", columns.collect()).await?;
        schema.drop_table("audit_events").await?;
        // Ids are ordered by time.
        schema.create_index("audit_log", "audit_log_actor", &["actor_id", "id"]).await?;
        schema.create_index("audit_log", "audit_log_user", &["user_id", "id"]).await
    }

    async fn down(&self, schema: &Schema<'_>) -> Result<(), DbErr> {
        crate::m20261121_000003_audit_event::AuditEvent.up(schema).await?;
        // The old table contains no ids of deleted users.
        let existing_user = |column: &'static str| {
            let is_same = Expr::col("id").eq(Expr::col(("audit_log", column)));
            let mut user = Query::select().column("id").from("users").and_where(is_same).take();
            Expr::SubQuery(None, Box::new(user.take().into()))
        };
        let columns = COMMON.map(|column| match column {
            "actor_id" | "user_id" => (column, existing_user(column)),
            _ => (column, Expr::col(column)),
        });
        let kind = renamed("action", RENAMED.into_iter().map(|(old, new)| (new, old)));
        let columns = columns.into_iter().chain([("kind", kind)]).collect();
        schema.copy_rows("audit_log", "audit_events", columns).await?;
        schema.drop_table("audit_log").await
    }
}
