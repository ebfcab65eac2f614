//! What a driver's error means to a user, decided once.

use sea_orm::{DbErr, RuntimeErr, sqlx};

use crate::Error;

/// Seconds after which a database that is out of reach may be back.
const RETRY_AFTER: u32 = 5;

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        if is_transient(&error) { Self::unavailable(RETRY_AFTER, error) } else { Self::internal(error) }
    }
}

/// Whether the same statement may succeed later: the connection, the server or the disk is to blame, not the statement.
fn is_transient(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => match &**error {
            sqlx::Error::Database(error) => is_transient_in_database(&**error),
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::BeginFailed
            | sqlx::Error::WorkerCrashed => true,
            _ => false,
        },
        _ => false,
    }
}

fn is_transient_in_database(error: &dyn sqlx::error::DatabaseError) -> bool {
    if let Some(error) = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
        return is_transient_in_mysql(error.number());
    }
    let Some(code) = error.code() else {
        return false;
    };
    if error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() {
        // Connection, rollback by serialization or deadlock, resources, lock not available, operator, system, read-only,
        // idle in a transaction for too long.
        return ["08", "40", "53", "55P03", "57", "58", "25006", "25P03"].iter().any(|class| code.starts_with(class));
    }
    // SQLite's primary result code is the low byte: busy, locked, no memory, read-only, interrupted, I/O, full, can't
    // open, locking protocol.
    code.parse::<u32>().is_ok_and(|code| matches!(code & 0xFF, 5 | 6 | 7 | 8 | 9 | 10 | 13 | 14 | 15))
}

/// By the numbers of MySQL and MariaDB, which differ above 1900.
fn is_transient_in_mysql(number: u16) -> bool {
    matches!(
        number,
        // Disk full; can't write; the storage engine failed (with a full disk, for one); out of memory.
        1021 | 1026 | 1030 | 1037 | 1038 | 1041 | 1114
            // Too many connections, of all or of this user; no thread for one; this host is locked out.
            | 1040 | 1129 | 1135 | 1203 | 1226
            // A node of a cluster is not ready; shutting down; aborted; the network.
            | 1047 | 1053 | 1152 | 1158
            ..=1161
            // The commit failed; lock wait; table of locks full; deadlock; interrupted.
            | 1180 | 1205 | 1206 | 1213 | 1317
            // Read-only, in its several ways.
            | 1290 | 1792 | 1836
            // Killed; out of time, on MariaDB and on MySQL; gone; idle for too long.
            | 1927 | 1969 | 2006 | 2013 | 3024 | 4031
    )
}

/// Whether the connection is to blame, and another one may do: the server closed it, or is gone.
pub(super) fn is_connection_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => {
            if let Some(error) = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
                // Shutting down, killed, gone, lost, idle for too long.
                return matches!(error.number(), 1053 | 1927 | 2006 | 2013 | 4031);
            }
            // Connection exception; ended by an administrator, a crash, a shutdown.
            error.code().is_some_and(|code| code.starts_with("08") || code.starts_with("57P"))
        }
        _ => false,
    }
}

/// Whether a unique index refused the row.
pub(crate) fn is_unique_violation(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(sea_orm::SqlErr::UniqueConstraintViolation(_)))
}
