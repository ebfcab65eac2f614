//! `hallpass serve`.

use std::{sync::Arc, time::Duration};

use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
};

use super::{CommandError, app, connect, expect_database, expect_keys, expect_migrated, open_files};
use crate::{
    App,
    accounts::{links, mails, roles, sessions, throttle, unverified},
    config::Settings,
    database::Database,
    http::{self, Gate, Limits},
};

const SWEEP_INTERVAL: Duration = Duration::from_mins(5);

/// How often mails are looked for that another instance has written down, or that could not be delivered.
const MAIL_INTERVAL: Duration = Duration::from_secs(10);

/// How long whoever asks for mails has the database for themselves, before each pass.
const MAIL_PAUSE: Duration = Duration::from_millis(250);

/// How long a mail that is on its way may take when the server is to stop.
const MAIL_DRAIN: Duration = Duration::from_secs(10);

pub(super) async fn run(settings: Settings, no_migrate: bool) -> Result<(), CommandError> {
    // Bound before the database is touched: a port that is taken changes nothing. Clients wait in the system's queue.
    let listen = settings.listen;
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|error| CommandError::new(format_args!("can't listen on {listen}: {error}; look at LISTEN")))?;
    let mut stop = Box::pin(stop_signal().map_err(CommandError::new)?);
    let hang_up = signal(SignalKind::hangup()).map_err(CommandError::new)?;
    expect_keys(&settings)?;
    if no_migrate {
        expect_database(&settings)?;
    }
    let database = tokio::select! {
        connected = connect(&settings) => connected?,
        () = &mut stop => return Ok(()),
    };
    let app = app(settings, database)?;
    if !app.settings.throttle {
        tracing::warn!("THROTTLE is false: passwords may be guessed without limit");
    }
    let limits = limits(&app.settings);
    let gate = Gate::closed();
    let router = http::gated_router(&app, limits, gate.clone());
    let proxies = app.settings.proxies.clone();
    let has_no_share = move |address| http::carries_many_clients(proxies.as_ref(), address);
    let stopping = gate.clone();
    let stop = async move {
        stop.await;
        stopping.stop();
    };
    let mut serving = Box::pin(http::serve(listener, router, limits, has_no_share, stop));
    tokio::select! {
        prepared = prepare(&app.database, no_migrate) => prepared?,
        // Told to stop before it was ready.
        () = &mut serving => {
            app.database.close().await;
            return Ok(());
        }
    }
    gate.open();
    let url = &app.settings.public_url;
    tracing::info!(
        explorer = app.settings.playground.then_some(url),
        database = %app.settings.database_url,
        mailbox = app.mailer.kept().map(|kept| format!("{url}/dev/mail?key={}", kept.key())),
        version = env!("CARGO_PKG_VERSION"),
        "ready at {url}/graphql"
    );
    let counting = tokio::spawn(warn_of_unknown_roles(Arc::clone(&app)));
    let sweeping = tokio::spawn(sweep_regularly(Arc::clone(&app)));
    let reloading = tokio::spawn(reload_when_told(Arc::clone(&app), hang_up));
    let delivering = app.settings.mail.is_enabled().then(|| tokio::spawn(deliver_regularly(Arc::clone(&app))));
    serving.await;
    app.outbox.close();
    if let Some(delivering) = delivering
        && tokio::time::timeout(MAIL_DRAIN, delivering).await.is_err()
    {
        tracing::warn!("a mail did not leave in time; it may be sent again");
    }
    counting.abort();
    sweeping.abort();
    reloading.abort();
    app.database.close().await;
    Ok(())
}

/// Applies the migrations that the database lacks, or refuses to serve without them.
async fn prepare(database: &Database, no_migrate: bool) -> Result<(), CommandError> {
    if !no_migrate {
        let migrated = database.migrate().await;
        let count = migrated.map_err(|error| CommandError::of("the database can't be migrated", &error))?;
        if count > 0 {
            tracing::info!("{count} migrations applied");
        }
    }
    expect_migrated(database).await
}

fn limits(settings: &Settings) -> Limits {
    let limits = Limits::with_descriptors(open_files::for_clients(settings.db_max_connections.unwrap_or_default()));
    if limits.connections < Limits::default().connections {
        let connections = limits.connections;
        tracing::warn!(connections, "the limit of open files is low: no more clients are served at a time");
    }
    limits
}

/// Tells the operator of roles that were removed from `ROLES` while accounts hold them.
async fn warn_of_unknown_roles(app: Arc<App>) {
    match roles::count_unknown(&app).await {
        Ok(counts) => {
            for (role, accounts) in counts {
                tracing::warn!(role, accounts, "accounts hold a role that is not in ROLES; it is ignored");
            }
        }
        Err(error) => tracing::warn!(cause = error.cause(), "roles that are not in ROLES could not be counted"),
    }
}

/// Deletes what has expired, now and then.
async fn sweep_regularly(app: Arc<App>) {
    let mut interval = tokio::time::interval(SWEEP_INTERVAL);
    loop {
        interval.tick().await;
        // Logs that another instance has migrated the database, also where nobody asks whether this one is ready.
        let _ = app.database.compatibility().await;
        for (what, swept) in [
            ("sessions", sessions::sweep(&app).await),
            ("counters", throttle::sweep(&app).await),
            ("links", links::sweep(&app).await),
            ("unverified accounts", unverified::sweep(&app).await),
        ] {
            match swept {
                Ok(0) => {}
                Ok(swept) => tracing::info!(swept, "expired {what} were deleted"),
                Err(error) => tracing::warn!(cause = error.cause(), "expired {what} could not be deleted"),
            }
        }
    }
}

/// Delivers mails, whenever some were written down here, and now and then.
async fn deliver_regularly(app: Arc<App>) {
    while !app.outbox.is_closing() {
        // In a task of its own, so that a panic does not end all deliveries.
        let delivering = Arc::clone(&app);
        let may_be_more = match tokio::spawn(async move { mails::pass(&delivering).await }).await {
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

/// Reads the keys of the access tokens again at each SIGHUP. Requests go on meanwhile, with the keys they have.
async fn reload_when_told(app: Arc<App>, mut hang_up: Signal) {
    while hang_up.recv().await.is_some() {
        let app = Arc::clone(&app);
        match tokio::task::spawn_blocking(move || app.reload_keys()).await {
            Ok(Ok(keys)) => tracing::info!(keys, "the keys were read again"),
            Ok(Err(error)) => tracing::error!(cause = error.cause(), "the keys stay as they were"),
            Err(_) => tracing::error!("the keys stay as they were"),
        }
    }
}

/// Ready when the process is told to stop: by SIGTERM or SIGINT.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
