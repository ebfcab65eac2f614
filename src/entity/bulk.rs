//! Bulk inserts: many rows with one statement.

use chrono::SecondsFormat;
use sea_orm::{
    ActiveModelTrait, ActiveValue, ConnectionTrait, DbBackend, DbErr, EntityName, EntityTrait, IdenStatic, Iterable,
    Statement, Value,
};
use serde_json::{Map, Value as Json};

/// Minimum number of rows for which PostgreSQL processes one JSON value faster than thousands of parameters.
const MIN_JSON_ROWS: usize = 16;

/// Inserts all rows or none. All columns must be set in each row.
pub(super) async fn insert<A: ActiveModelTrait>(
    db: &impl ConnectionTrait,
    rows: impl IntoIterator<Item = A>,
) -> Result<(), DbErr> {
    let rows: Vec<A> = rows.into_iter().collect();
    if rows.len() >= MIN_JSON_ROWS && db.get_database_backend() == DbBackend::Postgres {
        return insert_as_json(db, rows).await;
    }
    A::Entity::insert_many(rows).exec_without_returning(db).await.map(drop)
}

/// Inserts all rows from one JSON value.
async fn insert_as_json<A: ActiveModelTrait>(
    db: &impl ConnectionTrait,
    rows: impl IntoIterator<Item = A>,
) -> Result<(), DbErr> {
    let columns = || <A::Entity as EntityTrait>::Column::iter();
    let object = |row: A| -> Result<Map<String, Json>, DbErr> {
        columns().map(|column| Ok((column.as_str().to_owned(), as_json(row.get(column))?))).collect()
    };
    let rows = rows.into_iter().map(object).collect::<Result<Vec<_>, _>>()?;
    let rows = serde_json::to_string(&rows).map_err(|error| DbErr::Custom(error.to_string()))?;
    let table = A::Entity::default().table_name().to_owned();
    let names = columns().map(|column| format!("\"{}\"", column.as_str())).collect::<Vec<_>>().join(", ");
    let insert = format!(
        "INSERT INTO \"{table}\" ({names}) SELECT {names} FROM json_populate_recordset(NULL::\"{table}\", $1::json)"
    );
    db.execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, insert, [rows.into()])).await.map(drop)
}

fn as_json(value: ActiveValue<Value>) -> Result<Json, DbErr> {
    Ok(match value.into_value() {
        Some(Value::Bool(value)) => value.into(),
        Some(Value::Int(value)) => value.into(),
        Some(Value::String(value)) => value.into(),
        // The text form of `bytea`.
        Some(Value::Bytes(value)) => value.map(|value| format!("\\x{}", hex::encode(value))).into(),
        Some(Value::Uuid(value)) => value.map(|value| value.to_string()).into(),
        Some(Value::ChronoDateTimeUtc(value)) => {
            value.map(|value| value.to_rfc3339_opts(SecondsFormat::Micros, true)).into()
        }
        _ => return Err(DbErr::Custom("a column is not set, or its type is not supported in bulk inserts".to_owned())),
    })
}
