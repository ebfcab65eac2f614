//! `hallpass serve`.

use anyhow::{Context, Result};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use crate::{
    cli::{Supervisor, app, connect, expect_database, expect_keys, expect_migrated, migrate::NOT_MIGRATED, open_files},
    config::Settings,
    database::Database,
    http::{self, Gate, Limits},
    jobs::Jobs,
};

pub(super) async fn run(settings: Settings, no_migrate: bool, supervisor: Supervisor) -> Result<()> {
    supervisor.start_watchdog();
    // Before the database is opened, so that nothing changes if the port is in use. Until the server accepts connections,
    // clients wait in the system's queue.
    let listen = settings.server.listen;
    let listener =
        TcpListener::bind(listen).await.with_context(|| format!("can't listen on {listen}, look at LISTEN"))?;
    let mut stop = Box::pin(stop_signal()?);
    let hangup = signal(SignalKind::hangup())?;
    expect_keys(&settings)?;
    if no_migrate {
        expect_database(&settings)?;
    }
    let database = tokio::select! {
        connected = connect(&settings) => connected?,
        () = &mut stop => return Ok(()),
    };
    let app = app(settings, database)?;
    if !app.settings.throttle.is_enabled {
        tracing::warn!("THROTTLE is false: passwords may be guessed without limit");
    }
    if app.settings.server.is_development {
        tracing::warn!(
            "DEVELOPMENT is true: connections are not encrypted, and errors help developers. Never use it for real accounts"
        );
    }
    let limits = limits(&app.settings);
    let gate = Gate::closed();
    let router = http::gated_router(&app, limits, gate.clone());
    let proxies = app.settings.server.proxies.clone();
    let is_unlimited = move |address| http::carries_many_clients(proxies.as_ref(), address);
    let (stopping, notified) = (gate.clone(), supervisor.clone());
    let stop = async move {
        stop.await;
        notified.stopping();
        stopping.stop();
    };
    let mut serving = Box::pin(http::serve(listener, router, limits, is_unlimited, stop));
    tokio::select! {
        prepared = prepare(&app.database, no_migrate) => prepared?,
        // Stopped before it was ready.
        () = &mut serving => {
            app.database.close().await;
            return Ok(());
        }
    }
    gate.open();
    supervisor.ready();
    let url = &app.settings.server.public_url;
    tracing::info!(
        explorer = app.settings.graphql.playground.then_some(url),
        database = %app.settings.database.url,
        mailbox = app.mailer.dev_mailbox().map(|mailbox| format!("{url}/dev/mail?key={}", mailbox.key())),
        version = env!("CARGO_PKG_VERSION"),
        "ready at {url}/graphql"
    );
    let jobs = Jobs::start(&app, hangup);
    serving.await;
    jobs.stop().await;
    app.database.close().await;
    Ok(())
}

/// Applies missing migrations. With `no_migrate`, fails if some are missing.
async fn prepare(database: &Database, no_migrate: bool) -> Result<()> {
    if !no_migrate {
        let count = database.migrate().await.context(NOT_MIGRATED)?;
        if count > 0 {
            tracing::info!("{count} migrations applied");
        }
    }
    expect_migrated(database).await
}

fn limits(settings: &Settings) -> Limits {
    let limits = Limits::with_descriptors(open_files::for_clients(settings.database.max_connections));
    if limits.connections < Limits::default().connections {
        let connections = limits.connections;
        tracing::warn!(connections, "the limit of open files is low and limits the number of connections");
    }
    limits
}

/// Returns a future that completes on SIGTERM or SIGINT.
pub(super) fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
