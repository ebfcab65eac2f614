//! The table `seaql_migrations`, which records applied and interrupted migrations.
//!
//! Each row also records whether its migration is additive. An instance of an older version, which does not know the
//! migration, uses this to decide whether it may continue to serve requests. Earlier versions wrote only `version` and
//! `applied_at`.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{DbBackend, QueryResult, Statement},
    sea_query::SimpleExpr,
};

use crate::{Migration, migrations, schema::Schema};

pub(crate) const TABLE: &str = "seaql_migrations";
const VERSION: &str = "version";
const APPLIED_AT: &str = "applied_at";
const IS_ADDITIVE: &str = "is_additive";
const STATE: &str = "state";

/// The version of the row that marks the target of a copy until all of its rows are there. It is recorded like a migration that
/// is not additive, so that no version of Hallpass serves from such a database.
pub(crate) const UNFINISHED_COPY: &str = "unfinished_copy";

/// Values of the column `state`. Databases that roll back schema changes only ever contain `applied`.
const APPLIED: &str = "applied";
const APPLYING: &str = "applying";
const REVERTING: &str = "reverting";

/// A row of the table.
#[derive(Clone, Debug)]
struct Record {
    name: String,
    is_additive: Option<bool>,
    state: String,
}

/// The rows of the table, compared with the migrations of this version.
#[derive(Clone, Debug)]
pub struct History {
    records: Vec<Record>,
    has_all_columns: bool,
}

/// The compatibility of a database with this version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compatibility {
    /// The database has exactly the migrations of this version.
    Current,
    /// These migrations are missing or were interrupted.
    Missing(Vec<String>),
    /// The database also has these migrations of a later version. All are additive, so this version works with it.
    Newer(Vec<String>),
    /// The database has these migrations of a later version, which are incompatible with this version.
    TooNew(Vec<String>),
    /// The database is the target of a copy that has not been finished, so rows are missing.
    UnfinishedCopy,
}

/// The state of one migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MigrationState {
    /// The migration was applied.
    Applied,
    /// The migration was interrupted while it was applied or reverted.
    Partial,
    /// The migration was not applied.
    Pending,
    /// The migration was applied by a later version.
    Unknown {
        /// Whether this version works with it.
        is_additive: bool,
    },
}

impl History {
    /// Reads the table without changing anything. A table that does not exist counts as empty.
    ///
    /// # Errors
    /// Returns an error if a query fails.
    pub async fn read(connection: &impl ConnectionTrait) -> Result<Self, DbErr> {
        let backend = connection.get_database_backend();
        let (names, of_table) = match backend {
            DbBackend::Sqlite => ("name", format!("pragma_table_info('{TABLE}')")),
            DbBackend::MySql => ("column_name", in_information_schema("DATABASE()")),
            _ => ("column_name", in_information_schema("CURRENT_SCHEMA()")),
        };
        let count = format!(
            "SELECT COUNT(*) AS total, COUNT(CASE WHEN {names} IN ('{IS_ADDITIVE}', '{STATE}') THEN 1 END) AS added \
             FROM {of_table}"
        );
        let columns = connection.query_one_raw(Statement::from_string(backend, count)).await?;
        let count = |name| columns.as_ref().map_or(Ok(0), |row| row.try_get::<i64>("", name));
        let has_all_columns = count("added")? == 2;
        if count("total")? == 0 {
            return Ok(Self { records: Vec::new(), has_all_columns });
        }
        let mut select = Query::select().column(VERSION).from(TABLE).order_by(VERSION, Order::Asc).take();
        if has_all_columns {
            select.columns([IS_ADDITIVE, STATE]);
        }
        let rows = connection.query_all(&select).await?;
        let records = rows.iter().map(|row| Record::of(row, has_all_columns)).collect::<Result<_, _>>()?;
        Ok(Self { records, has_all_columns })
    }

    /// Compares the database with this version.
    #[must_use]
    pub fn compatibility(&self) -> Compatibility {
        if self.is_unfinished_copy() { Compatibility::UnfinishedCopy } else { self.schema_compatibility() }
    }

    /// Whether a migration was begun, by any version.
    #[must_use]
    pub fn has_records(&self) -> bool {
        !self.records.is_empty()
    }

    /// Whether the database is the target of a copy that has not been finished.
    #[must_use]
    pub fn is_unfinished_copy(&self) -> bool {
        self.record(UNFINISHED_COPY).is_some()
    }

    /// Compares the migrations of the database with those of this version, also in the target of an unfinished copy.
    #[must_use]
    pub fn schema_compatibility(&self) -> Compatibility {
        let unknown = |predicate: fn(&Record) -> bool| -> Vec<String> {
            self.unknown().filter(|record| predicate(record)).map(|record| record.name.clone()).collect()
        };
        let too_new = unknown(|record| !record.is_additive());
        let missing = self.pending();
        let newer = unknown(|_| true);
        if !too_new.is_empty() {
            Compatibility::TooNew(too_new)
        } else if !missing.is_empty() {
            Compatibility::Missing(missing)
        } else if newer.is_empty() {
            Compatibility::Current
        } else {
            Compatibility::Newer(newer)
        }
    }

    /// Whether the table has all columns of this version, with values; see [`crate::install`].
    #[must_use]
    pub fn is_installed(&self) -> bool {
        let mut known = self.records.iter().filter(|record| record.is_known());
        self.has_all_columns && known.all(|record| record.is_additive.is_some())
    }

    /// The migrations of this version that are missing or partially applied.
    #[must_use]
    pub fn pending(&self) -> Vec<String> {
        self.with_state(|state| matches!(state, MigrationState::Pending | MigrationState::Partial))
    }

    /// The migrations of this version that are applied.
    #[must_use]
    pub fn applied(&self) -> Vec<String> {
        self.with_state(|state| state == MigrationState::Applied)
    }

    fn with_state(&self, predicate: impl Fn(MigrationState) -> bool) -> Vec<String> {
        self.all().into_iter().filter(|(_, state)| predicate(*state)).map(|(name, _)| name).collect()
    }

    /// All migrations of this version, oldest first, followed by those of later versions.
    #[must_use]
    pub fn all(&self) -> Vec<(String, MigrationState)> {
        let state = |name: &str| match self.record(name) {
            None => MigrationState::Pending,
            Some(record) if record.state == APPLIED => MigrationState::Applied,
            Some(_) => MigrationState::Partial,
        };
        let known = migrations().into_iter().map(|migration| (migration.name().to_owned(), state(migration.name())));
        let unknown = self.unknown().map(|record| {
            let state = MigrationState::Unknown { is_additive: record.is_additive() };
            (record.name.clone(), state)
        });
        let copy = self.is_unfinished_copy().then(|| {
            let state = MigrationState::Unknown { is_additive: false };
            (UNFINISHED_COPY.to_owned(), state)
        });
        known.chain(unknown).chain(copy).collect()
    }

    /// The latest `steps` migrations of the database, latest first. After an interrupted revert, returns the remaining
    /// migrations of that revert instead, so that repeating the command finishes it and reverts nothing else.
    ///
    /// # Errors
    /// Returns the unknown migrations if there are any, because older migrations cannot be reverted before them. The mark of an
    /// unfinished copy is one of them.
    pub fn to_revert(&self, steps: u32) -> Result<Vec<String>, Vec<String>> {
        if self.is_unfinished_copy() {
            return Err(vec![UNFINISHED_COPY.to_owned()]);
        }
        let unknown: Vec<String> = self.unknown().map(|record| record.name.clone()).collect();
        if !unknown.is_empty() {
            return Err(unknown);
        }
        let names = |predicate: fn(&Record) -> bool| {
            self.records.iter().rev().filter(move |record| predicate(record)).map(|record| record.name.clone())
        };
        let interrupted: Vec<String> = names(|record| record.state == REVERTING).collect();
        let steps = usize::try_from(steps).unwrap_or(usize::MAX);
        Ok(if interrupted.is_empty() { names(|_| true).take(steps).collect() } else { interrupted })
    }

    fn record(&self, name: &str) -> Option<&Record> {
        self.records.iter().find(|record| record.name == name)
    }

    fn unknown(&self) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(|record| !record.is_known() && record.name != UNFINISHED_COPY)
    }
}

impl Record {
    fn of(row: &QueryResult, has_all_columns: bool) -> Result<Self, DbErr> {
        Ok(Self {
            name: row.try_get("", VERSION)?,
            is_additive: if has_all_columns { row.try_get("", IS_ADDITIVE)? } else { None },
            state: if has_all_columns { row.try_get("", STATE)? } else { APPLIED.to_owned() },
        })
    }

    /// A migration without a recorded value is not additive.
    fn is_additive(&self) -> bool {
        self.is_additive == Some(true)
    }

    fn is_known(&self) -> bool {
        migrations().iter().any(|migration| migration.name() == self.name)
    }
}

fn in_information_schema(schema: &str) -> String {
    format!("information_schema.columns WHERE table_schema = {schema} AND table_name = '{TABLE}'")
}

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
    if history.record(migration.name()).is_some() {
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
