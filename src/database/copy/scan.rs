//! Reads a table page by page, in the order of its primary key.

use sea_orm::{
    ConnectionTrait, DbErr, Value,
    sea_query::{Alias, Cond, Expr, ExprTrait, Order, Query, SelectStatement},
};

use crate::database::copy::{
    checksum::Checksum,
    connection::CopyConnection,
    table::{Row, Table, encode},
};

/// Maximum number of values of a page. SQLite binds at most 32,766 in a statement.
const MAX_VALUES: usize = 24_000;

/// Maximum number of rows of a page.
const MAX_ROWS: usize = 4_000;

/// The size that a page should have at most, in bytes. Servers refuse packets that are larger than a setting, by default
/// between 4 and 64 MiB.
const PAGE_BYTES: usize = 2 << 20;

/// A page of rows.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) rows: Vec<Row>,
    /// The rows in their canonical form, and where each ends.
    encoded: Vec<u8>,
    ends: Vec<usize>,
}

impl Page {
    fn push(&mut self, row: Row) {
        encode(&row, &mut self.encoded);
        self.ends.push(self.encoded.len());
        self.rows.push(row);
    }

    /// Adds the rows to a checksum.
    pub(super) fn add_to(&self, checksum: &mut Checksum) {
        let mut start = 0;
        for end in &self.ends {
            checksum.add(self.encoded.get(start..*end).unwrap_or_default());
            start = *end;
        }
    }
}

/// A position in a table.
pub(super) struct Scan<'a> {
    connection: &'a CopyConnection,
    table: &'a Table,
    /// The key of the last row that was read.
    after: Option<Row>,
    /// The key of the last row to read.
    until: Option<Row>,
    rows: usize,
}

impl<'a> Scan<'a> {
    /// Begins after the row with this key, otherwise at the start.
    pub(super) fn new(connection: &'a CopyConnection, table: &'a Table, after: Option<Row>) -> Self {
        Self { connection, table, after, until: None, rows: max_rows(table) }
    }

    /// Begins at the start, and ends with the row with this key.
    pub(super) fn until(connection: &'a CopyConnection, table: &'a Table, until: Row) -> Self {
        Self { until: Some(until), ..Self::new(connection, table, None) }
    }

    /// Reads the next page, which is empty at the end.
    pub(super) async fn next(&mut self) -> Result<Page, DbErr> {
        let mut page = Page::default();
        for row in self.connection.query_all(&self.select()).await? {
            page.push(self.table.read(&row)?);
        }
        if let Some(last) = page.rows.last() {
            self.after = Some(self.table.key_of(last));
            let row_bytes = page.encoded.len().div_ceil(page.rows.len()).max(1);
            self.rows = (PAGE_BYTES / row_bytes).clamp(1, max_rows(self.table));
        }
        Ok(page)
    }

    fn select(&self) -> SelectStatement {
        let mut select = Query::select();
        select.from(Alias::new(&self.table.name)).limit(self.rows as u64);
        for column in &self.table.columns {
            select.column(Alias::new(&column.name));
        }
        if let Some(after) = &self.after {
            select.cond_where(self.beyond(after, Side::After));
        }
        if let Some(until) = &self.until {
            select.cond_where(self.beyond(until, Side::UpTo));
        }
        for column in self.table.key_columns() {
            select.order_by(Alias::new(&column.name), Order::Asc);
        }
        select
    }

    /// The condition for rows on one side of a key. The first column is compared by itself, because MariaDB does not use an
    /// index for a comparison of tuples.
    fn beyond(&self, key: &Row, side: Side) -> Cond {
        let columns: Vec<_> = self.table.key_columns().map(|column| Expr::col(Alias::new(&column.name))).collect();
        let mut any = Cond::any();
        for (position, (column, value)) in columns.iter().zip(key).enumerate() {
            let is_last = position + 1 == key.len();
            let equal = columns.iter().zip(key).take(position);
            let all = equal.fold(Cond::all(), |all, (column, value)| all.add(column.clone().eq(value.clone())));
            any = any.add(all.add(side.compare(column.clone(), value.clone(), is_last)));
        }
        let first = columns.into_iter().zip(key).next();
        Cond::all().add_option(first.map(|(column, value)| side.at_least(column, value.clone()))).add(any)
    }
}

/// A side of a key.
#[derive(Clone, Copy)]
enum Side {
    /// Greater keys.
    After,
    /// The key itself, and smaller ones.
    UpTo,
}

impl Side {
    fn at_least(self, column: Expr, value: Value) -> Expr {
        match self {
            Self::After => column.gte(value),
            Self::UpTo => column.lte(value),
        }
    }

    fn compare(self, column: Expr, value: Value, is_last: bool) -> Expr {
        match self {
            Self::After => column.gt(value),
            Self::UpTo if is_last => column.lte(value),
            Self::UpTo => column.lt(value),
        }
    }
}

fn max_rows(table: &Table) -> usize {
    (MAX_VALUES / table.columns.len().max(1)).clamp(1, MAX_ROWS)
}
