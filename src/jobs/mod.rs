//! Work beside the requests: delivers mails, deletes expired rows, and reads the signing keys again.

pub mod deliver_mail;
pub mod purge;

use std::{sync::Arc, time::Duration};

use tokio::{signal::unix::Signal, task::JoinHandle};

use crate::{
    App,
    domain::{
        Context,
        users::{roles, unverified},
    },
};

const PURGE_INTERVAL: Duration = Duration::from_mins(5);

/// How often to look for mails that another instance has enqueued, or that could not be delivered.
const MAIL_INTERVAL: Duration = Duration::from_secs(10);

/// A pause before each delivery of mails, so that requests that enqueue mails have the database for themselves.
const MAIL_PAUSE: Duration = Duration::from_millis(250);

/// How long a mail that is being sent may take when the server stops.
const MAIL_DRAIN: Duration = Duration::from_secs(10);

/// The jobs of a running server.
#[derive(Debug)]
pub struct Jobs {
    app: Arc<App>,
    mail: Option<JoinHandle<()>>,
    others: Vec<JoinHandle<()>>,
}

impl Jobs {
    /// Starts all jobs. The signing keys are read again at each `hang_up`.
    #[must_use]
    pub fn start(app: &Arc<App>, hang_up: Signal) -> Self {
        let mail = app.settings.mail.is_enabled().then(|| tokio::spawn(deliver_mails(Arc::clone(app))));
        let others = vec![
            tokio::spawn(warn_of_unknown_roles(Arc::clone(app))),
            tokio::spawn(purge_expired(Arc::clone(app))),
            tokio::spawn(reload_keys(Arc::clone(app), hang_up)),
        ];
        Self { app: Arc::clone(app), mail, others }
    }

    /// Stops all jobs. Waits a while for mails that are being sent.
    pub async fn stop(self) {
        self.app.outbox.close();
        if let Some(mail) = self.mail
            && tokio::time::timeout(MAIL_DRAIN, mail).await.is_err()
        {
            tracing::warn!("a mail was not sent in time; it may be sent again");
        }
        for job in self.others {
            job.abort();
        }
    }
}

/// Warns the operator of roles that users hold although they are no longer in `ROLES`.
async fn warn_of_unknown_roles(app: Arc<App>) {
    match roles::count_unknown(&app).await {
        Ok(counts) => {
            for (role, users) in counts {
                tracing::warn!(role, users, "users hold a role that is not in ROLES; it is ignored");
            }
        }
        Err(error) => tracing::warn!(cause = error.cause(), "roles that are not in ROLES could not be counted"),
    }
}

async fn purge_expired(app: Arc<App>) {
    let mut interval = tokio::time::interval(PURGE_INTERVAL);
    loop {
        interval.tick().await;
        // Logs that another instance has migrated the database, even if nobody asks whether this one is ready.
        let _ = app.database.compatibility().await;
        for table in purge::Table::ALL {
            report(&format!("{table:?}"), purge::purge(&app, table).await);
        }
        report("Unverified accounts", unverified::purge(&Context::of_job(&app)).await);
    }
}

fn report(rows: &str, purged: crate::Result<u64>) {
    match purged {
        Ok(0) => {}
        Ok(count) => tracing::info!(rows, count, "expired rows were deleted"),
        Err(error) => tracing::warn!(rows, cause = error.cause(), "expired rows could not be deleted"),
    }
}

/// Delivers mails whenever some were enqueued by this instance, and at intervals.
async fn deliver_mails(app: Arc<App>) {
    while !app.outbox.is_closing() {
        // In a task of its own, so that a panic does not end all deliveries.
        let delivering = Arc::clone(&app);
        let may_be_more = match tokio::spawn(async move { deliver_mail::pass(&delivering).await }).await {
            Ok(Ok(delivered)) => delivered.may_be_more,
            Ok(Err(error)) => {
                tracing::warn!(cause = error.cause(), "mails could not be looked for");
                false
            }
            Err(_) => {
                tracing::error!("a delivery panicked");
                false
            }
        };
        if !may_be_more {
            app.outbox.wait(MAIL_INTERVAL).await;
        }
        app.outbox.pause(MAIL_PAUSE).await;
    }
}

/// Reads the signing keys again at each SIGHUP. Requests go on meanwhile with the current keys.
async fn reload_keys(app: Arc<App>, mut hang_up: Signal) {
    while hang_up.recv().await.is_some() {
        let app = Arc::clone(&app);
        match tokio::task::spawn_blocking(move || app.reload_keys()).await {
            Ok(Ok(keys)) => tracing::info!(keys, "the signing keys were reloaded"),
            Ok(Err(error)) => tracing::error!(cause = error.cause(), "the signing keys could not be reloaded"),
            Err(_) => tracing::error!("the signing keys could not be reloaded"),
        }
    }
}
