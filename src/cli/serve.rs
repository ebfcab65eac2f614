//! `hallpass serve`.

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context, Result};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::oneshot,
    task::JoinHandle,
};

use crate::{
    App,
    cli::{
        NOT_STARTED, Supervisor, VERSION, app, connect, expect_database, expect_keys, expect_migrated,
        expect_templates, migrate::NOT_MIGRATED, open_files,
    },
    config::Settings,
    database::Database,
    http::{self, Gate, Limits},
    jobs::Jobs,
    traces::Traces,
};

pub(super) async fn run(settings: Settings, no_migrate: bool, supervisor: Supervisor) -> Result<()> {
    supervisor.start_watchdog();
    // Before the database is opened, so that nothing changes if the port is in use. Until the server accepts connections,
    // clients wait in the system's queue.
    let listener = bind(settings.server.listen, "LISTEN").await?;
    let metrics_listener = match settings.metrics.listen {
        Some(listen) => Some(bind(listen, "METRICS_LISTEN").await?),
        None => None,
    };
    let mut stop = Box::pin(stop_signal()?);
    let hangup = signal(SignalKind::hangup())?;
    expect_keys(&settings)?;
    expect_templates(&settings)?;
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
    start_traces(&app)?;
    // The metrics are served until the API has stopped.
    let (stop_metrics, metrics_stopped) = oneshot::channel::<()>();
    let metrics = metrics_listener.map(|listener| spawn_metrics(listener, &app, metrics_stopped)).transpose()?;
    let limits = limits(&app.settings);
    let gate = Gate::closed();
    let router = http::gated_router(&app, limits, gate.clone());
    let proxies = app.settings.server.proxies.clone();
    let is_unlimited = move |address| http::carries_many_clients(proxies.as_ref(), address);
    let (stopping, notified, live_events) = (gate.clone(), supervisor.clone(), Arc::clone(&app.live_events));
    let stop = async move {
        stop.await;
        notified.stopping();
        stopping.stop();
        // They would last longer than the shutdown.
        live_events.close();
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
        version = VERSION,
        "ready at {url}/graphql"
    );
    let jobs = Jobs::start(&app, hangup);
    serving.await;
    jobs.stop().await;
    app.traces.stop().await;
    drop(stop_metrics);
    if let Some(metrics) = metrics {
        // Fails only if the task has panicked, which is logged.
        let _ = metrics.await;
    }
    app.database.close().await;
    Ok(())
}

/// Starts the export of traces, or warns that this build has none.
fn start_traces(app: &App) -> Result<()> {
    let Some(collector) = &app.settings.traces.collector else { return Ok(()) };
    if let Some(warning) = no_traces(&app.settings) {
        tracing::warn!("{warning}");
        return Ok(());
    }
    app.traces.start(&app.settings, &app.clock).context(NOT_STARTED)?;
    tracing::info!("traces are exported to {collector}");
    Ok(())
}

/// A warning if traces are wanted that this build does not have. It is no error: the environment may be shared with other programs,
/// whose traces the settings are for.
pub(super) fn no_traces(settings: &Settings) -> Option<&'static str> {
    (settings.traces.collector.is_some() && !Traces::IS_BUILT_IN).then_some(
        "OTEL_EXPORTER_OTLP_ENDPOINT is set, but there are no traces: this binary was built without the feature `otlp`",
    )
}

/// Binds a listener to the address in this setting.
async fn bind(address: SocketAddr, setting: &str) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("can't listen on {address}, look at {setting}"))
}

/// Serves the metrics, also while the server starts, until the sender of `stopped` is dropped.
fn spawn_metrics(listener: TcpListener, app: &Arc<App>, stopped: oneshot::Receiver<()>) -> Result<JoinHandle<()>> {
    tracing::info!("metrics at http://{}/metrics", listener.local_addr()?);
    let stop = async { drop(stopped.await) };
    Ok(tokio::spawn(http::serve_metrics(listener, Arc::clone(app), stop)))
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
