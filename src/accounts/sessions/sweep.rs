//! Sweeping: sessions that have expired are of no use to anyone.

use crate::{App, Result, entity::session};

/// Rows deleted in one transaction: few enough that nobody notices waiting for it.
const BATCH: u64 = 200;

/// Deletes all sessions that have expired, a batch at a time. Returns how many. Any number of instances may do so.
///
/// # Errors
/// SERVICE_UNAVAILABLE, when the database is out of reach; what was deleted before stays deleted.
pub async fn sweep(app: &App) -> Result<u64> {
    let now = app.clock.now();
    let mut swept = 0;
    loop {
        let ids = session::expired(app.database.read(), BATCH, now).await?;
        if ids.is_empty() {
            return Ok(swept);
        }
        let transaction = app.write().await?;
        swept += session::delete_expired(&transaction, ids, now).await?;
        transaction.commit().await?;
    }
}
