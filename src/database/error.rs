//! Maps driver errors to Hallpass errors, and classifies them for retries.

use std::borrow::Cow;

use sea_orm::{
    ConnAcquireErr, DbErr, RuntimeErr,
    sqlx::{self, mysql::MySqlDatabaseError, postgres::PgDatabaseError},
};

use crate::Error;

/// Suggested retry delay in seconds when the database is unavailable.
const RETRY_AFTER: u32 = 5;

/// Hint for an error that a connection pooler in front of PostgreSQL causes.
const POOLER_HINT: &str = "a connection pooler in transaction mode, such as PgBouncer, needs \
                           `?statement-cache-capacity=0` at the end of DATABASE_URL, unless it supports prepared \
                           statements";

/// Replacement for the driver's error, which recommends a Cargo feature of the driver.
const MYSQL_PASSWORD_HINT: &str = "the MySQL server requires the plain password (caching_sha2_password, \
                                   sha256_password), which is sent over an encrypted connection only: enable TLS on \
                                   the server and set `?ssl-mode=REQUIRED` in DATABASE_URL, or change the user's \
                                   authentication plugin";

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        let cause = describe(&error);
        if is_transient(&error) { Self::unavailable(RETRY_AFTER, cause) } else { Self::internal(cause) }
    }
}

/// The error text for operators. If the driver's text does not help, it says which setting to change.
fn describe(error: &DbErr) -> String {
    match sqlx_error(error) {
        Some(sqlx::Error::Configuration(reason)) if reason.to_string().starts_with("RSA auth backend disabled") => {
            MYSQL_PASSWORD_HINT.to_owned()
        }
        Some(cause) if is_pooler_mismatch(cause) => format!("{}: {POOLER_HINT}", without_source_line(error)),
        _ => without_source_line(error),
    }
}

/// The error text without its suffix, a line number in PostgreSQL's source code.
fn without_source_line(error: &DbErr) -> String {
    let text = error.to_string();
    let line = sqlx_error(error).and_then(postgres_error).and_then(PgDatabaseError::line);
    let end = line.map(|line| format!(" at line {line}")).unwrap_or_default();
    text.strip_suffix(&end).map(str::to_owned).unwrap_or(text)
}

fn sqlx_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

fn postgres_error(error: &sqlx::Error) -> Option<&PgDatabaseError> {
    error.as_database_error()?.try_downcast_ref()
}

/// Whether a named statement is missing, already exists, or is a different one. Each case means that a pooler prepared
/// and ran the statement on different connections.
fn is_pooler_mismatch(error: &sqlx::Error) -> bool {
    postgres_error(error).is_some_and(|error| match error.code() {
        "26000" | "42P05" => true,
        // The parameter count differs.
        "08P01" => error.routine() == Some("exec_bind_message"),
        _ => false,
    })
}

/// The type of an error, for traces: the code of the database, or where it failed. The text of an error may contain values.
pub(super) fn error_type(error: &DbErr) -> Cow<'static, str> {
    match sqlx_error(error) {
        Some(sqlx::Error::Database(error)) => error.code().map_or("database".into(), |code| code.into_owned().into()),
        Some(sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_)) => "connection".into(),
        _ if matches!(error, DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)) => "timeout".into(),
        _ if matches!(error, DbErr::ConnectionAcquire(_)) => "connection".into(),
        _ => "_OTHER".into(),
    }
}

/// Whether the same statement may succeed later, because the connection, the server or the disk failed.
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
    if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
        return is_transient_in_mysql(error.number());
    }
    let Some(code) = error.code() else {
        return false;
    };
    if error.try_downcast_ref::<PgDatabaseError>().is_some() {
        // Connection exception, transaction rollback (serialization, deadlock), insufficient resources, lock not
        // available, operator intervention, system error, read-only transaction, idle-in-transaction timeout.
        return ["08", "40", "53", "55P03", "57", "58", "25006", "25P03"].iter().any(|class| code.starts_with(class))
            || is_stale_plan_in_postgres(error);
    }
    // SQLite's primary result code is the low byte: busy, locked, out of memory, read-only, interrupted, I/O error,
    // full, cannot open, locking protocol.
    code.parse::<u32>().is_ok_and(|code| matches!(code & 0xFF, 5 | 6 | 7 | 8 | 9 | 10 | 13 | 14 | 15))
}

/// Classifies by the error numbers of MySQL and MariaDB, which differ above 1900.
fn is_transient_in_mysql(number: u16) -> bool {
    matches!(
        number,
        // Disk full; cannot write; storage engine error (for example, disk full); out of memory.
        1021 | 1026 | 1030 | 1037 | 1038 | 1041 | 1114
            // Too many connections, in total or for this user; cannot create a thread; host is blocked.
            | 1040 | 1129 | 1135 | 1203 | 1226
            // Cluster node not ready; shutting down; aborted connection; network errors.
            | 1047 | 1053 | 1152 | 1158
            ..=1161
            // Commit failed; lock wait timeout; lock table full; deadlock; interrupted.
            | 1180 | 1205 | 1206 | 1213 | 1317
            // Read-only server or transaction.
            | 1290 | 1792 | 1836
            // Killed; statement timeout on MariaDB and on MySQL; server gone; idle timeout.
            | 1927 | 1969 | 2006 | 2013 | 3024 | 4031
            // The table has changed since the statement was prepared.
            | 1615
    )
}

/// Whether the connection was lost, so that the statement may succeed on another one.
pub(super) fn is_connection_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => {
            if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
                // Shutting down, killed, server gone, connection lost, idle timeout.
                return matches!(error.number(), 1053 | 1927 | 2006 | 2013 | 4031);
            }
            // Connection exception; terminated by an administrator, a crash or a shutdown.
            error.code().is_some_and(|code| code.starts_with("08") || code.starts_with("57P"))
        }
        _ => false,
    }
}

/// Whether the node refuses writes, because it is read-only or its cluster does not let it serve. Another node may
/// accept them.
pub(super) fn is_read_only(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else {
        return false;
    };
    if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
        return matches!(error.number(), 1047 | 1290 | 1792 | 1836);
    }
    let Some(code) = error.code() else {
        return false;
    };
    if error.try_downcast_ref::<PgDatabaseError>().is_some() {
        return code == "25006";
    }
    // SQLite opens a file without write permission as read-only, and does not retry on the same connection.
    code.parse::<u32>().is_ok_and(|code| code & 0xFF == 8)
}

/// Whether a prepared statement no longer matches its table, whose columns have changed. A new connection prepares it
/// again.
pub(super) fn is_stale_plan(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| {
        is_stale_plan_in_postgres(error)
            || error.try_downcast_ref::<MySqlDatabaseError>().is_some_and(|error| error.number() == 1615)
    })
}

/// Detects "cached plan must not change result type", independent of the server's language.
fn is_stale_plan_in_postgres(error: &dyn sqlx::error::DatabaseError) -> bool {
    let error = error.try_downcast_ref::<PgDatabaseError>();
    error.is_some_and(|error| error.code() == "0A000" && error.routine() == Some("RevalidateCachedQuery"))
}

/// The error for a closed connection or pool.
pub(super) fn closed() -> DbErr {
    DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)
}

/// Whether the error is a unique constraint violation.
pub(crate) fn is_unique_violation(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(sea_orm::SqlErr::UniqueConstraintViolation(_)))
}
