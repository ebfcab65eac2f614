//! Lookups in an SQLite database, on the thread of the request.
//!
//! The driver runs each SQLite connection on a thread of its own. A lookup by primary key takes a few microseconds; the
//! switch to that thread and back takes longer. These connections are read-only, never wait for a lock, and return
//! [`NotLocal`] instead of an error. The caller then reads through the driver, which waits, retries and reports errors.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OpenFlags, Row, types::ValueRef};
use sea_orm::{
    DbErr, Value,
    sea_query::{ArrayType, ValueType},
};
use uuid::Uuid;

use crate::database::{connections::MAX_IDLE, renewal::Renewal, watched_file::WatchedFile};

/// The read-only connections, opened on demand. A lookup does not await, so there are never more of them than threads
/// that serve requests.
pub(super) struct LocalReads {
    path: PathBuf,
    renewal: Arc<Renewal>,
    file: Arc<WatchedFile>,
    pool: Mutex<LocalPool>,
}

#[derive(Default)]
struct LocalPool {
    idle: Vec<LocalConnection>,
    is_closed: bool,
}

struct LocalConnection {
    connection: Connection,
    last_used: Instant,
    /// The renewal count when the connection was opened.
    renewal: u64,
}

/// A lookup on this thread is not possible or has failed. The query must be run through the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotLocal;

/// A row that a lookup has found.
pub struct LocalRow<'r, 's>(&'r Row<'s>);

impl fmt::Debug for LocalReads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LocalReads")
    }
}

impl fmt::Debug for LocalRow<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LocalRow")
    }
}

impl LocalReads {
    pub(super) fn new(path: &Path, renewal: &Arc<Renewal>, file: &Arc<WatchedFile>) -> Arc<Self> {
        let (renewal, file) = (Arc::clone(renewal), Arc::clone(file));
        Arc::new(Self { path: path.to_owned(), renewal, file, pool: Mutex::default() })
    }

    /// Runs a query whose only parameter is an id, and reads its first row.
    ///
    /// # Errors
    /// [`NotLocal`] if the lookup fails, for example because the file is locked.
    pub(super) fn find<T>(
        &self,
        sql: &str,
        id: Uuid,
        read: impl FnOnce(&LocalRow<'_, '_>) -> Result<T, DbErr>,
    ) -> Result<Option<T>, NotLocal> {
        let mut local = self.take().ok_or(NotLocal)?;
        match find(&local.connection, sql, id, read) {
            Ok(found) => {
                local.last_used = Instant::now();
                self.put(local);
                found.transpose().map_err(|_| NotLocal)
            }
            Err(error) => {
                tracing::debug!(%error, "a lookup is repeated through the driver");
                Err(NotLocal)
            }
        }
    }

    /// Closes the idle connections. From now on, lookups fail.
    pub(super) fn close(&self) {
        let mut pool = self.pool();
        pool.is_closed = true;
        pool.idle.clear();
    }

    /// Takes an idle connection, with the same conditions as those of the driver, or opens one.
    fn take(&self) -> Option<LocalConnection> {
        if !self.file.was_in_place() {
            return None;
        }
        let renewal = self.renewal.count();
        let mut pool = self.pool();
        while let Some(local) = pool.idle.pop() {
            if local.last_used.elapsed() < MAX_IDLE && local.renewal == renewal {
                return Some(local);
            }
        }
        if pool.is_closed {
            return None;
        }
        drop(pool);
        let connection = open(&self.path).inspect_err(|error| tracing::debug!(%error, "cannot open a reader")).ok()?;
        // The connection may have been opened to another file.
        self.file.check().ok()?;
        Some(LocalConnection { connection, last_used: Instant::now(), renewal })
    }

    fn put(&self, local: LocalConnection) {
        let mut pool = self.pool();
        if !pool.is_closed {
            pool.idle.push(local);
        }
    }

    fn pool(&self) -> MutexGuard<'_, LocalPool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    // Waiting would block other requests on the same thread.
    connection.busy_timeout(Duration::ZERO)?;
    Ok(connection)
}

fn find<T>(
    connection: &Connection,
    sql: &str,
    id: Uuid,
    read: impl FnOnce(&LocalRow<'_, '_>) -> Result<T, DbErr>,
) -> rusqlite::Result<Option<Result<T, DbErr>>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([id.as_bytes().as_slice()])?;
    Ok(rows.next()?.map(|row| read(&LocalRow(row))))
}

impl LocalRow<'_, '_> {
    /// Reads a column in the format in which the driver writes it.
    ///
    /// # Errors
    /// The column contains something else, such as a date in a format of an earlier driver.
    pub(crate) fn read<T: ValueType>(&self, index: usize) -> Result<T, DbErr> {
        let unexpected = || DbErr::Type(format!("column {index} has an unexpected format"));
        let value = self.0.get_ref(index).ok().and_then(|value| convert(value, &T::array_type()));
        T::try_from(value.ok_or_else(unexpected)?).map_err(|_| unexpected())
    }
}

fn convert(value: ValueRef<'_>, to: &ArrayType) -> Option<Value> {
    let is_null = value == ValueRef::Null;
    Some(match to {
        ArrayType::Uuid if is_null => Value::Uuid(None),
        ArrayType::Uuid => Value::from(Uuid::from_slice(value.as_blob().ok()?).ok()?),
        ArrayType::String if is_null => Value::String(None),
        ArrayType::String => Value::from(value.as_str().ok()?),
        ArrayType::Int if is_null => Value::Int(None),
        ArrayType::Int => Value::from(<i32 as TryFrom<i64>>::try_from(value.as_i64().ok()?).ok()?),
        ArrayType::Bool if is_null => Value::Bool(None),
        ArrayType::Bool => Value::from(value.as_i64().ok()? != 0),
        ArrayType::ChronoDateTimeUtc if is_null => Value::ChronoDateTimeUtc(None),
        ArrayType::ChronoDateTimeUtc => {
            Value::from(DateTime::parse_from_rfc3339(value.as_str().ok()?).ok()?.with_timezone(&Utc))
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::{env::temp_dir, fs};

    use super::*;
    use crate::security::random;

    const SQL: &str = "SELECT name FROM things WHERE id = ?";

    /// A database file with one thing, the reads of it, and the id of the thing. The directory is deleted at the end.
    struct Fixture {
        directory: PathBuf,
        writer: Connection,
        renewal: Arc<Renewal>,
        reads: Arc<LocalReads>,
        id: Uuid,
    }

    impl Fixture {
        fn new() -> Self {
            let directory = temp_dir().join(format!("hallpass-{}", new_id()));
            fs::create_dir(&directory).unwrap();
            let (id, renewal) = (new_id(), Arc::new(Renewal::default()));
            let writer = create(&directory.join("db"), id, "first");
            let reads =
                LocalReads::new(&directory.join("db"), &renewal, &WatchedFile::new(&directory.join("db")).unwrap());
            Self { directory, writer, renewal, reads, id }
        }

        fn find(&self) -> Result<Option<String>, NotLocal> {
            self.reads.find(SQL, self.id, |row| row.read(0))
        }

        fn found(&self) -> String {
            self.find().unwrap().unwrap()
        }
    }

    impl Drop for Fixture {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.directory).unwrap();
        }
    }

    fn new_id() -> Uuid {
        random::id(DateTime::UNIX_EPOCH).unwrap()
    }

    fn create(path: &Path, id: Uuid, name: &str) -> Connection {
        let connection = Connection::open(path).unwrap();
        connection.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE things (id BLOB, name)").unwrap();
        connection.execute("INSERT INTO things VALUES (?, ?)", (id.as_bytes().as_slice(), name)).unwrap();
        connection
    }

    #[test]
    fn lookup_sees_each_commit() {
        let fixture = Fixture::new();
        assert_eq!(fixture.found(), "first");
        fixture.writer.execute("UPDATE things SET name = 'second'", ()).unwrap();
        assert_eq!(fixture.found(), "second");
        fixture.writer.execute("DELETE FROM things", ()).unwrap();
        assert_eq!(fixture.find(), Ok(None));
    }

    #[test]
    fn lookup_in_a_locked_file_fails() {
        let fixture = Fixture::new();
        fixture.writer.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").unwrap();
        assert_eq!(fixture.find(), Err(NotLocal));
        fixture.writer.execute_batch("COMMIT; PRAGMA locking_mode = NORMAL; SELECT 1 FROM things").unwrap();
        assert_eq!(fixture.found(), "first");
    }

    #[test]
    fn lookup_of_a_value_in_another_format_fails() {
        let fixture = Fixture::new();
        fixture.writer.execute("UPDATE things SET name = 1", ()).unwrap();
        assert_eq!(fixture.find(), Err(NotLocal));
    }

    #[test]
    fn renewal_closes_the_connections_and_a_replaced_file_is_not_opened() {
        let fixture = Fixture::new();
        assert_eq!(fixture.found(), "first");
        let restored = fixture.directory.join("restored");
        drop(create(&restored, fixture.id, "restored"));
        fs::remove_file(fixture.directory.join("db-wal")).unwrap();
        fs::remove_file(fixture.directory.join("db-shm")).unwrap();
        fs::rename(restored, fixture.directory.join("db")).unwrap();
        assert_eq!(fixture.found(), "first");
        fixture.renewal.renew();
        assert_eq!(fixture.find(), Err(NotLocal));
    }

    #[test]
    fn closed_reads_fail() {
        let fixture = Fixture::new();
        assert_eq!(fixture.found(), "first");
        fixture.reads.close();
        assert_eq!(fixture.find(), Err(NotLocal));
    }
}
