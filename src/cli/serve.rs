//! `hallpass serve`.

use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use super::{Failure, app, connect};
use crate::{config::Settings, http};

pub(super) async fn run(settings: Settings, no_migrate: bool) -> Result<(), Failure> {
    // Bound before the database is touched: a port that is taken changes nothing. Clients wait in the system's queue.
    let listen = settings.listen;
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|error| Failure::new(format_args!("can't listen on {listen}: {error}; look at LISTEN")))?;
    let stop = stop_signal().map_err(Failure::new)?;
    let database = connect(&settings).await?;
    if !no_migrate {
        let migrated = database.migrate().await;
        migrated.map_err(|error| Failure::of("the database can't be migrated", &error))?;
    } else if !database.is_ready().await {
        return Err(Failure::new("the database lacks migrations; run `hallpass migrate` first"));
    }
    let app = app(settings, database)?;
    let limits = http::Limits::default();
    let router = http::router(&app, limits);
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "ready at {}/graphql", app.settings.public_url);
    http::serve(listener, router, limits, stop).await;
    app.database.close().await;
    Ok(())
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
