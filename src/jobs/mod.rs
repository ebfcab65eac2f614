//! Background jobs: deliver mails, read live events, delete expired rows, and reload the signing keys.

pub mod deliver_mail;
pub mod live_events;
pub mod purge;

use std::{sync::Arc, time::Duration};

use tokio::{signal::unix::Signal, task::JoinHandle};

use crate::{
    App,
    domain::{
        Context, mfa,
        users::{roles, unverified},
    },
    metrics,
};

const PURGE_INTERVAL: Duration = Duration::from_mins(5);

/// How often to poll for mails that another instance enqueued or that are due for a retry.
const MAIL_INTERVAL: Duration = Duration::from_secs(10);

/// How often to check that the SQLite file is in its place. For this long, lookups may read from a replaced file.
const FILE_INTERVAL: Duration = Duration::from_secs(1);

/// The pause before each delivery pass, so that delivery does not compete for the database with requests that enqueue
/// mails.
const MAIL_PAUSE: Duration = Duration::from_millis(250);

/// How long shutdown waits for mails that are being sent.
const MAIL_DRAIN: Duration = Duration::from_secs(10);

/// The jobs of a running server.
#[derive(Debug)]
pub struct Jobs {
    app: Arc<App>,
    mail: Option<JoinHandle<()>>,
    others: Vec<JoinHandle<()>>,
}

impl Jobs {
    /// Starts all jobs. The signing keys are reloaded on each `hangup`.
    #[must_use]
    pub fn start(app: &Arc<App>, hangup: Signal) -> Self {
        let mail = app.settings.mail.is_enabled().then(|| tokio::spawn(deliver_mails(Arc::clone(app))));
        let at_intervals = Arc::clone(app);
        let others = vec![
            tokio::spawn(async move {
                // One after the other, so that a start opens fewer connections.
                warn_of_unknown_roles(&at_intervals).await;
                reseal_secrets(&at_intervals).await;
                purge_expired(&at_intervals).await;
            }),
            tokio::spawn(reload_keys(Arc::clone(app), hangup)),
            tokio::spawn(live_events::read_events(Arc::clone(app))),
            tokio::spawn(watch_file(Arc::clone(app))),
        ];
        Self { app: Arc::clone(app), mail, others }
    }

    /// Stops all jobs. Waits up to `MAIL_DRAIN` for mails that are being sent.
    pub async fn stop(self) {
        self.app.outbox.close();
        if let Some(mail) = self.mail
            && tokio::time::timeout(MAIL_DRAIN, mail).await.is_err()
        {
            tracing::warn!("shutdown interrupted the delivery of a mail; it may be sent twice");
        }
        for job in self.others {
            job.abort();
        }
    }
}

/// Checks at intervals whether the SQLite file is in its place, also if there are no requests.
async fn watch_file(app: Arc<App>) {
    if !app.database.is_file() {
        return;
    }
    let mut interval = tokio::time::interval(FILE_INTERVAL);
    loop {
        interval.tick().await;
        // The check logs what it finds.
        let _ = app.database.check_file();
    }
}

/// Logs a warning for each role that users hold although it is no longer in `ROLES`.
async fn warn_of_unknown_roles(app: &App) {
    match roles::count_unknown(app).await {
        Ok(counts) => {
            for (role, users) in counts {
                tracing::warn!(role, users, "users hold a role that is not in ROLES; it is ignored");
            }
        }
        Err(error) => tracing::warn!(cause = error.cause(), "failed to count the roles that are not in ROLES"),
    }
}

/// Seals the secrets of authenticator apps with the current key. Logs a warning if some were sealed by a key that is unknown.
async fn reseal_secrets(app: &Arc<App>) {
    let context = Context::of_job(app);
    match mfa::reseal(&context).await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "secrets of authenticator apps were sealed with the new SECRET_KEY"),
        Err(error) => {
            tracing::warn!(
                cause = error.cause(),
                "secrets of authenticator apps could not be sealed with the new SECRET_KEY"
            );
        }
    }
    if let Ok(count @ 1..) = mfa::count_sealed_by_other_keys(&context).await {
        tracing::warn!(
            count,
            "secrets of authenticator apps were sealed with another SECRET_KEY; set SECRET_KEY_PREVIOUS to it"
        );
    }
}

async fn purge_expired(app: &Arc<App>) {
    let mut interval = tokio::time::interval(PURGE_INTERVAL);
    let mut old_clients = purge::OldClients::default();
    loop {
        interval.tick().await;
        // Logs migrations that another instance has applied, even if no client requests `/health/ready`.
        let _ = app.database.compatibility().await;
        let mut is_ok = true;
        for table in purge::Table::ALL {
            is_ok &= report(&format!("{table:?}"), &purge::purge(app, table).await);
        }
        is_ok &= report("Unverified accounts", &unverified::purge(&Context::of_job(app)).await);
        match old_clients.forget(app).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "old clients were removed from the audit log"),
            Err(error) => {
                is_ok = false;
                tracing::warn!(cause = error.cause(), "old clients could not be removed from the audit log");
            }
        }
        app.metrics.count_job(metrics::PURGE, is_ok, app.clock.now());
    }
}

/// Logs the result of a purge. Returns whether it succeeded.
fn report(rows: &str, purged: &crate::Result<u64>) -> bool {
    match purged {
        Ok(0) => {}
        Ok(count) => tracing::info!(rows, count, "expired rows were deleted"),
        Err(error) => tracing::warn!(rows, cause = error.cause(), "expired rows could not be deleted"),
    }
    purged.is_ok()
}

/// Delivers mails when this instance enqueues some, and at intervals.
async fn deliver_mails(app: Arc<App>) {
    while !app.outbox.is_closing() {
        // In a separate task, so that a panic does not stop all deliveries.
        let task_app = Arc::clone(&app);
        let passed = tokio::spawn(async move { deliver_mail::pass(&task_app).await }).await;
        app.metrics.count_job(metrics::DELIVER_MAILS, matches!(passed, Ok(Ok(_))), app.clock.now());
        let may_be_more = match passed {
            Ok(Ok(delivered)) => delivered.may_be_more,
            Ok(Err(error)) => {
                tracing::warn!(cause = error.cause(), "failed to query the mails that are due");
                false
            }
            Err(_) => {
                tracing::error!("the mail delivery task panicked");
                false
            }
        };
        if !may_be_more {
            app.outbox.wait(MAIL_INTERVAL).await;
        }
        app.outbox.pause(MAIL_PAUSE).await;
    }
}

/// Reloads the signing keys on each SIGHUP. Requests use the current keys in the meantime.
async fn reload_keys(app: Arc<App>, mut hangup: Signal) {
    while hangup.recv().await.is_some() {
        let task_app = Arc::clone(&app);
        let reloaded = tokio::task::spawn_blocking(move || task_app.reload_keys()).await;
        app.metrics.count_job(metrics::RELOAD_KEYS, matches!(reloaded, Ok(Ok(_))), app.clock.now());
        match reloaded {
            Ok(Ok(keys)) => tracing::info!(keys, "the signing keys were reloaded"),
            Ok(Err(error)) => tracing::error!(cause = error.cause(), "the signing keys could not be reloaded"),
            Err(_) => tracing::error!("the signing keys could not be reloaded"),
        }
    }
}
