//! Deletes expired rows. Any number of instances may do so concurrently.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::{
    App, Result,
    database::{Reader, Transaction},
    entity::{link, session, throttle},
};

/// Rows deleted in one transaction. On SQLite, all other writes wait for it. 50 rows on different pages usually take less
/// than 10 ms with the commit; 200 rows took 20 ms, and 4 % of the batches more than 50 ms.
const BATCH: u64 = 50;

/// How long expired links are kept, so that the error for an expired link differs from that for an unknown one.
const LINK_RETENTION: TimeDelta = TimeDelta::days(7);

/// A table whose rows expire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// `sessions`
    Sessions,
    /// `throttles`
    Throttles,
    /// `links`
    Links,
}

impl Table {
    /// All tables.
    pub const ALL: [Self; 3] = [Self::Sessions, Self::Throttles, Self::Links];

    async fn find(
        self,
        db: &Reader,
        from: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<Vec<(Uuid, DateTime<Utc>)>> {
        Ok(match self {
            Self::Sessions => session::expired(db, BATCH, from, now).await?,
            Self::Throttles => throttle::expired(db, BATCH, from, now).await?,
            Self::Links => link::expired(db, BATCH, from, now - LINK_RETENTION).await?,
        })
    }

    async fn delete(self, db: &Transaction, ids: Vec<Uuid>, now: DateTime<Utc>) -> Result<u64> {
        Ok(match self {
            Self::Sessions => session::delete_expired(db, ids, now).await?,
            Self::Throttles => throttle::delete_expired(db, ids, now).await?,
            Self::Links => link::delete(db, ids).await?,
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
    // PostgreSQL keeps deleted rows in the index until the next vacuum. A query from the start would read past all rows
    // that the previous batches deleted.
    let mut from = None;
    loop {
        let rows = table.find(app.database.read(), from, now).await?;
        let Some((_, last)) = rows.last() else { return Ok(purged) };
        from = Some(*last);
        let ids = rows.into_iter().map(|(id, _)| id).collect();
        let transaction = app.write().await?;
        purged += table.delete(&transaction, ids, now).await?;
        transaction.commit().await?;
    }
}
