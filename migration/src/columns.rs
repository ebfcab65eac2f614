//! What the three databases spell differently, once for all migrations.

use sea_orm_migration::{
    prelude::*,
    sea_orm::DbBackend,
    sea_query::{ColumnDef, Table, TableCreateStatement},
};

/// A new table. On MySQL it is told its character set, because a bare MariaDB makes latin1 tables, and compares
/// by code point: whatever is to be compared in another way has a normalised column of its own.
pub(crate) fn table(manager: &SchemaManager<'_>, name: impl IntoTableRef) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(name);
    if manager.get_database_backend() == DbBackend::MySql {
        table.character_set("utf8mb4").collate("utf8mb4_bin");
    }
    table
}

/// An instant in UTC, to the microsecond. MySQL's `timestamp` has whole seconds and ends in 2038.
pub(crate) fn instant(manager: &SchemaManager<'_>, name: impl IntoIden) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    if manager.get_database_backend() == DbBackend::MySql {
        column.custom("datetime(6)");
    } else {
        column.timestamp_with_time_zone();
    }
    column
}
