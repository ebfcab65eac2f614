//! The table `seaql_migrations`, which records applied and interrupted migrations.
//!
//! Each row also records whether its migration is additive. An instance of an older version, which does not know the
//! migration, uses this to decide whether it may continue to serve requests. Earlier versions wrote only `version` and
//! `applied_at`.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{DbBackend, QueryResult, Statement},
};

use crate::migrations;

pub(crate) const TABLE: &str = "seaql_migrations";
pub(crate) const VERSION: &str = "version";
pub(crate) const APPLIED_AT: &str = "applied_at";
pub(crate) const IS_ADDITIVE: &str = "is_additive";
pub(crate) const STATE: &str = "state";

/// The version of the row that marks the target of a copy until all of its rows are there. It is recorded like a migration that
/// is not additive, so that no version of Hallpass serves from such a database.
pub(crate) const UNFINISHED_COPY: &str = "unfinished_copy";

/// Values of the column `state`. Databases that roll back schema changes only ever contain `applied`.
pub(crate) const APPLIED: &str = "applied";
pub(crate) const APPLYING: &str = "applying";
pub(crate) const REVERTING: &str = "reverting";

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
        self.has_record(UNFINISHED_COPY)
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

    /// Whether a migration was begun.
    pub(crate) fn has_record(&self, name: &str) -> bool {
        self.record(name).is_some()
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
