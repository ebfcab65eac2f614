//! The table in which the target records how far a copy is. It exists only until the copy is finished.

use sea_orm::{
    ConnectionTrait, DbErr,
    sea_query::{Alias, ColumnDef, Expr, ExprTrait, Query, Table as SchemaTable},
};

use crate::database::copy::{
    checksum::Checksum,
    connection::CopyConnection,
    table::{Kind, Row, Table},
};

const TABLE: &str = "copy_progress";
const NAME: &str = "table_name";
const SOURCE: &str = "source";
const LAST_KEY: &str = "last_key";
const ROWS: &str = "row_count";
const CHECKSUM: &str = "checksum";

/// How far a table is copied.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// The rows that are in the target.
    pub(super) checksum: Checksum,
    /// The key of the last one.
    pub(super) last_key: Option<Row>,
}

/// Creates the table if it does not exist.
pub(super) async fn create(target: &CopyConnection) -> Result<(), DbErr> {
    let table = SchemaTable::create()
        .table(TABLE)
        .if_not_exists()
        .col(ColumnDef::new(NAME).string_len(64).not_null().primary_key())
        .col(ColumnDef::new(SOURCE).text().not_null())
        .col(ColumnDef::new(LAST_KEY).text())
        .col(ColumnDef::new(ROWS).big_integer().not_null())
        .col(ColumnDef::new(CHECKSUM).string_len(64).not_null())
        .take();
    target.execute(&table).await.map(drop)
}

/// Drops the table.
pub(super) async fn drop_table(target: &CopyConnection) -> Result<(), DbErr> {
    target.execute(&SchemaTable::drop().table(TABLE).if_exists().take()).await.map(drop)
}

/// Records that no row of these tables is copied yet.
pub(super) async fn begin(target: &CopyConnection, tables: &[Table], source: &str) -> Result<(), DbErr> {
    target.execute(&Query::delete().from_table(TABLE).take()).await?;
    let mut insert = Query::insert().into_table(TABLE).columns([NAME, SOURCE, ROWS, CHECKSUM]).take();
    for table in tables {
        let none = Checksum::default().to_text();
        insert.values_panic([table.name.as_str().into(), source.into(), 0_i64.into(), none.into()]);
    }
    target.execute(&insert).await.map(drop)
}

/// The name of the source, when the copy began.
pub(super) async fn source(target: &CopyConnection) -> Result<String, DbErr> {
    let row = target.query_one(&Query::select().column(SOURCE).from(TABLE).limit(1).take()).await?;
    row.map(|row| row.try_get_by_index(0)).transpose().map(Option::unwrap_or_default)
}

/// Reads how far a table is.
pub(super) async fn read(target: &CopyConnection, table: &Table) -> Result<Progress, DbErr> {
    let select = Query::select()
        .columns([ROWS, CHECKSUM, LAST_KEY])
        .from(TABLE)
        .and_where(Expr::col(NAME).eq(table.name.as_str()))
        .take();
    let missing = || DbErr::RecordNotFound("another version of Hallpass has begun this copy".to_owned());
    let row = target.query_one(&select).await?.ok_or_else(missing)?;
    let rows: i64 = row.try_get_by_index(0)?;
    let checksum: String = row.try_get_by_index(1)?;
    let last_key: Option<String> = row.try_get_by_index(2)?;
    Ok(Progress {
        checksum: Checksum::from_text(rows.unsigned_abs(), &checksum)?,
        last_key: last_key.map(|key| parse_key(table, &key)).transpose()?,
    })
}

/// Records progress. Returns false if another process has changed it since it was read.
pub(super) async fn write(
    target: &CopyConnection,
    table: &Table,
    before: Checksum,
    after: &Progress,
) -> Result<bool, DbErr> {
    let last_key = after.last_key.as_ref().map(format_key).transpose()?;
    let number = |rows: u64| i64::try_from(rows).unwrap_or(i64::MAX);
    let update = Query::update()
        .table(Alias::new(TABLE))
        .value(ROWS, number(after.checksum.rows))
        .value(CHECKSUM, after.checksum.to_text())
        .value(LAST_KEY, last_key)
        .and_where(Expr::col(NAME).eq(table.name.as_str()))
        .and_where(Expr::col(ROWS).eq(number(before.rows)))
        .take();
    Ok(target.execute(&update).await?.rows_affected() == 1)
}

fn format_key(key: &Row) -> Result<String, DbErr> {
    let texts = key.iter().map(Kind::to_text).collect::<Result<Vec<_>, _>>()?;
    serde_json::to_string(&texts).map_err(|error| DbErr::Custom(error.to_string()))
}

fn parse_key(table: &Table, key: &str) -> Result<Row, DbErr> {
    let texts: Vec<String> = serde_json::from_str(key).map_err(|error| DbErr::Custom(error.to_string()))?;
    table.key_columns().zip(texts).map(|(column, text)| column.kind.parse(&text)).collect()
}
