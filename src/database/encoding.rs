//! The character encoding of the database.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

use crate::database::Reader;

/// Rejects a PostgreSQL database whose encoding cannot store all of Unicode. On MySQL the tables declare their
/// encoding, and SQLite always uses Unicode.
pub(super) async fn check(reader: &Reader) -> Result<(), DbErr> {
    if reader.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let encoding = "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()";
    let row = reader.query_one_raw(Statement::from_string(DbBackend::Postgres, encoding)).await?;
    match row.map(|row| row.try_get_by_index::<String>(0)).transpose()? {
        Some(encoding) if encoding != "UTF8" => Err(DbErr::Custom(format!(
            "its encoding is {encoding}, which cannot store all names; \
             create it with `ENCODING 'UTF8' TEMPLATE template0`"
        ))),
        _ => Ok(()),
    }
}
