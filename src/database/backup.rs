//! Backups of SQLite files, and their return.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, ErrorKind, Read},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use migration::{Compatibility, History};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use rustix::fs::{FlockOperation, fcntl_lock};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};

use crate::{
    Error,
    database::{UNFINISHED_COPY, connect, too_new},
    security::private_file::Draft,
};

/// How long a backup waits for a process that has locked the file, such as one that migrates.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Writes all committed data of the database at `path` to a new file that only its owner can read. Other processes may read
/// and write meanwhile; the backup has the state of the moment at which it began.
///
/// # Errors
/// Returns an error if the new file exists, or if a file cannot be read or written.
pub fn backup(path: &Path, to: &Path) -> Result<()> {
    let failed = || format!("{} can't be written", to.display());
    if to.symlink_metadata().is_ok() {
        return Err(io::Error::from(ErrorKind::AlreadyExists)).with_context(failed);
    }
    let draft = Draft::begin(to).with_context(failed)?;
    let draft_path =
        draft.temporary_path().to_str().context("the name of the file is not UTF-8").with_context(failed)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).context("the database can't be opened")?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // SQLite accepts a file that exists if it is empty.
    connection.execute("VACUUM INTO ?1", [draft_path]).with_context(failed)?;
    drop(connection);
    draft.finish().and_then(|()| sync_folder(to)).with_context(failed)
}

/// Replaces the database at `path` with a backup. `suffix` is appended to the name of the replaced file, which is returned.
///
/// # Errors
/// Returns an error if the backup is not a usable database of Hallpass, or if another process has opened the database. Nothing
/// is changed then.
pub async fn restore(backup: &Path, path: &Path, suffix: &str) -> Result<Option<PathBuf>> {
    let failed = || format!("nothing was changed: {} can't be restored", backup.display());
    let draft = copy(backup, path).with_context(failed)?;
    check(draft.temporary_path()).await.with_context(failed)?;
    let _lock = lock(path).context("nothing was changed")?;
    let kept = with_suffix(path, suffix);
    ensure!(kept.symlink_metadata().is_err(), "nothing was changed: {} exists", kept.display());
    // What remains beside a file that could not be closed belongs to it. SQLite would apply it to the restored file.
    rename_if_exists(&with_suffix(path, "-wal"), &with_suffix(&kept, "-wal"))?;
    rename_if_exists(&with_suffix(path, "-journal"), &with_suffix(&kept, "-journal"))?;
    remove_if_exists(&with_suffix(path, "-shm"))?;
    let is_kept = match fs::hard_link(path, &kept) {
        Ok(()) => true,
        Err(error) if error.kind() == ErrorKind::NotFound => false,
        Err(error) => return Err(error).with_context(|| format!("{} can't be kept", path.display())),
    };
    draft
        .replace()
        .and_then(|()| sync_folder(path))
        .with_context(|| format!("{} can't be replaced", path.display()))?;
    Ok(is_kept.then_some(kept))
}

/// Copies a backup to a draft of the database.
fn copy(backup: &Path, path: &Path) -> Result<Draft> {
    if let (Ok(backup), Ok(path)) = (backup.canonicalize(), path.canonicalize()) {
        ensure!(backup != path, "it is the database itself");
    }
    let mut from = File::open(backup)?;
    ensure!(from.metadata()?.is_file(), "it is not a file");
    for suffix in ["-wal", "-journal"] {
        let companion = with_suffix(backup, suffix);
        if fs::metadata(&companion).is_ok_and(|file| file.len() > 0) {
            bail!(
                "{} has a part of its data. It is a copy of a database in use; make backups with `hallpass backup`",
                companion.display()
            );
        }
    }
    let mut draft = Draft::begin(path)?;
    io::copy(&mut from, &mut draft)?;
    Ok(draft)
}

const DAMAGED: &str = "it is not an intact SQLite database";

/// Fails unless the file is an intact database of this version or an earlier one.
async fn check(path: &Path) -> Result<()> {
    let database = connect::connect_immutable(path).await.map_err(Error::from).context(DAMAGED)?;
    let checked = check_connected(&database).await;
    let _ = database.close().await;
    checked
}

async fn check_connected(database: &DatabaseConnection) -> Result<()> {
    let rows = async |sql: &str| database.query_all_raw(Statement::from_string(DbBackend::Sqlite, sql)).await;
    let integrity = rows("PRAGMA integrity_check(1)").await.map_err(Error::from).context(DAMAGED)?;
    let results = integrity.iter().map(|row| row.try_get_by_index(0)).collect::<Result<Vec<String>, DbErr>>()?;
    ensure!(results == ["ok"], "{DAMAGED}: {}", results.join(", "));
    let dangling = rows("PRAGMA foreign_key_check").await.map_err(Error::from).context(DAMAGED)?;
    ensure!(dangling.is_empty(), "{DAMAGED}: rows refer to rows that are missing");
    let history = History::read(database).await.map_err(Error::from)?;
    ensure!(history.has_records(), "it is not a database of Hallpass");
    match history.compatibility() {
        Compatibility::Current | Compatibility::Missing(_) | Compatibility::Newer(_) => Ok(()),
        Compatibility::TooNew(names) => bail!(too_new(&names)),
        Compatibility::UnfinishedCopy => bail!(UNFINISHED_COPY),
    }
}

/// Closes the write-ahead log of the database, if it has one, and locks the file until the result is dropped, so that no server
/// opens it. `None` if there is no file.
fn lock(path: &Path) -> Result<Option<File>> {
    let in_use =
        || anyhow::anyhow!("another process has opened {}. Stop Hallpass, and run the command again", path.display());
    if !path.exists() {
        return Ok(None);
    }
    // A damaged file may be the reason for the restore. It is kept as it is.
    if has_header(path)? {
        match close_log(path) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => return Err(in_use()),
            Err(error) => tracing::warn!(%error, "the replaced database is damaged"),
            Ok(()) => {}
        }
    }
    let file = File::options().read(true).write(true).open(path)?;
    // SQLite locks ranges of the file in the same way, for as long as it is open.
    fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|_| in_use())?;
    Ok(Some(file))
}

/// Whether a file begins like an SQLite database.
fn has_header(path: &Path) -> io::Result<bool> {
    const HEADER: &[u8] = b"SQLite format 3\0";
    let mut start = Vec::new();
    File::open(path)?.take(HEADER.len() as u64).read_to_end(&mut start)?;
    Ok(start == HEADER)
}

/// Opens the database alone, and closes it, which moves the write-ahead log into the file and deletes it.
fn close_log(path: &Path) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::ZERO)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    connection.close().map_err(|(_, error)| error)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

fn rename_if_exists(from: &Path, to: &Path) -> io::Result<()> {
    unless_missing(fs::rename(from, to))
}

fn remove_if_exists(path: &Path) -> io::Result<()> {
    unless_missing(fs::remove_file(path))
}

fn unless_missing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Makes a new name of a file durable.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}
