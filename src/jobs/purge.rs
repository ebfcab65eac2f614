//! Deletes expired rows. Any number of instances may do so concurrently.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::{
    App, Result,
    database::{Reader, Transaction},
    entity::{invitation, link, session, throttle},
};

/// Rows deleted in one transaction: few enough not to delay other writers noticeably.
const BATCH: u64 = 200;

/// How long expired links are kept, so that the error for an expired link differs from that for an unknown one.
const LINK_RETENTION: TimeDelta = TimeDelta::days(7);

/// How long expired invitations are kept, for the same reason.
const INVITATION_RETENTION: TimeDelta = TimeDelta::days(30);

/// A table whose rows expire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// `sessions`
    Sessions,
    /// `throttles`
    Throttles,
    /// `links`
    Links,
    /// `invitations`
    Invitations,
}

impl Table {
    /// All tables.
    pub const ALL: [Self; 4] = [Self::Sessions, Self::Throttles, Self::Links, Self::Invitations];

    async fn find(self, db: &Reader, now: DateTime<Utc>) -> Result<Vec<Uuid>> {
        Ok(match self {
            Self::Sessions => session::expired(db, BATCH, now).await?,
            Self::Throttles => throttle::expired(db, BATCH, now).await?,
            Self::Links => link::expired(db, BATCH, now - LINK_RETENTION).await?,
            Self::Invitations => invitation::expired(db, BATCH, now - INVITATION_RETENTION).await?,
        })
    }

    async fn delete(self, db: &Transaction, ids: Vec<Uuid>, now: DateTime<Utc>) -> Result<u64> {
        Ok(match self {
            Self::Sessions => session::delete_expired(db, ids, now).await?,
            Self::Throttles => throttle::delete_expired(db, ids, now).await?,
            Self::Links => link::delete(db, ids).await?,
            Self::Invitations => invitation::delete_expired(db, ids, now - INVITATION_RETENTION).await?,
        })
    }
}

/// Deletes the expired rows of a table, one batch per transaction. Returns the number of deleted rows.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable. Batches that were committed stay deleted.
pub async fn purge(app: &App, table: Table) -> Result<u64> {
    let now = app.clock.now();
    let mut purged = 0;
    loop {
        let ids = table.find(app.database.read(), now).await?;
        if ids.is_empty() {
            return Ok(purged);
        }
        let transaction = app.write().await?;
        purged += table.delete(&transaction, ids, now).await?;
        transaction.commit().await?;
    }
}
