//! Writes the table `seaql_migrations`; see [`crate::history`].

use sea_orm_migration::{prelude::*, sea_orm::DbBackend, sea_query::SimpleExpr};

use crate::{
    History, Migration,
    history::{APPLIED, APPLIED_AT, APPLYING, IS_ADDITIVE, REVERTING, STATE, TABLE, UNFINISHED_COPY, VERSION},
    migrations,
    schema::Schema,
};

/// Creates the table, or adds its missing columns.
pub(crate) async fn install(schema: &Schema<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table(TABLE)
        .col(ColumnDef::new(VERSION).string().not_null().primary_key())
        .col(ColumnDef::new(APPLIED_AT).big_integer().not_null())
        .take();
    schema.create_table(table).await?;
    // Nullable, because earlier versions write rows without it.
    schema.add_column(TABLE, ColumnDef::new(IS_ADDITIVE).boolean().take()).await?;
    schema.add_column(TABLE, ColumnDef::new(STATE).string_len(9).not_null().default(APPLIED).take()).await?;
    for migration in migrations() {
        let update = Query::update()
            .table(TABLE)
            .value(IS_ADDITIVE, migration.is_additive())
            .and_where(Expr::col(VERSION).eq(migration.name()))
            .and_where(Expr::col(IS_ADDITIVE).is_null())
            .take();
        schema.update(update).await?;
    }
    Ok(())
}

/// Records that a migration is about to be applied.
pub(crate) async fn begin(schema: &Schema<'_>, history: &History, migration: &dyn Migration) -> Result<(), DbErr> {
    if history.has_record(migration.name()) {
        return set_state(schema, &[migration.name()], APPLYING).await;
    }
    let insert = Query::insert()
        .into_table(TABLE)
        .columns([VERSION, APPLIED_AT, IS_ADDITIVE, STATE])
        .values_panic([migration.name().into(), now(schema), migration.is_additive().into(), APPLYING.into()])
        .take();
    schema.connection().execute(&insert).await.map(drop)
}

/// Records that a migration was applied.
pub(crate) async fn finish(schema: &Schema<'_>, name: &str) -> Result<(), DbErr> {
    let update = Query::update()
        .table(TABLE)
        .value(STATE, APPLIED)
        .value(APPLIED_AT, now(schema))
        .and_where(Expr::col(VERSION).eq(name))
        .take();
    schema.update(update).await
}

/// Records that migrations are about to be reverted.
pub(crate) async fn begin_reverting(schema: &Schema<'_>, names: &[String]) -> Result<(), DbErr> {
    set_state(schema, &names.iter().map(String::as_str).collect::<Vec<_>>(), REVERTING).await
}

/// Records that a migration was reverted.
pub(crate) async fn forget(schema: &Schema<'_>, name: &str) -> Result<(), DbErr> {
    let delete = Query::delete().from_table(TABLE).and_where(Expr::col(VERSION).eq(name)).take();
    schema.connection().execute(&delete).await.map(drop)
}

async fn set_state(schema: &Schema<'_>, names: &[&str], state: &'static str) -> Result<(), DbErr> {
    let update = Query::update()
        .table(TABLE)
        .value(STATE, state)
        .and_where(Expr::col(VERSION).is_in(names.iter().copied()))
        .take();
    schema.update(update).await
}

/// The time of the database's clock, in seconds since 1970.
fn now(schema: &Schema<'_>) -> SimpleExpr {
    Expr::cust(match schema.connection().get_database_backend() {
        DbBackend::Sqlite => "unixepoch()",
        DbBackend::MySql => "UNIX_TIMESTAMP()",
        _ => "EXTRACT(EPOCH FROM now())::bigint",
    })
}

/// Marks a database as the target of a copy that is not finished.
///
/// # Errors
/// Returns an error if the statement fails, also if the database is already marked.
pub async fn mark_as_unfinished_copy(connection: &impl ConnectionTrait) -> Result<(), DbErr> {
    let insert = Query::insert()
        .into_table(TABLE)
        .columns([VERSION, APPLIED_AT, IS_ADDITIVE, STATE])
        .values_panic([UNFINISHED_COPY.into(), 0_i64.into(), false.into(), APPLIED.into()])
        .take();
    connection.execute(&insert).await.map(drop)
}

/// Removes the mark of an unfinished copy.
///
/// # Errors
/// Returns an error if the statement fails.
pub async fn unmark_as_unfinished_copy(connection: &impl ConnectionTrait) -> Result<(), DbErr> {
    let delete = Query::delete().from_table(TABLE).and_where(Expr::col(VERSION).eq(UNFINISHED_COPY)).take();
    connection.execute(&delete).await.map(drop)
}
