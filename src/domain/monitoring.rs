//! The metrics of a server, with the gauges as they are now.

use std::time::Duration;

use crate::{
    App, Error, Result,
    entity::mail,
    metrics::{Reading, WaitingMails},
};

/// How long the database may take. Prometheus waits ten seconds for all metrics.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(1);

/// Returns all metrics in the OpenMetrics text format. During an outage of the database, those that are read from it are missing.
///
/// # Errors
/// Internal if they cannot be written.
pub async fn metrics(app: &App) -> Result<String> {
    let mails = tokio::time::timeout(DATABASE_TIMEOUT, waiting_mails(app)).await;
    let reading = Reading {
        hash_queue_length: app.hasher.queue_length(),
        live_streams: app.live_events.streams(),
        pools: app.database.pools(),
        mails: mails.ok().and_then(Result::ok),
    };
    app.metrics.encode(&reading).map_err(Error::internal)
}

async fn waiting_mails(app: &App) -> Result<WaitingMails> {
    let (count, oldest) = mail::waiting(app.database.read()).await?;
    let oldest_age = oldest.map_or(0, |oldest| (app.clock.now() - oldest).num_seconds().max(0));
    Ok(WaitingMails { count, oldest_age })
}
