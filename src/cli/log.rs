//! The log: to standard error, as text or JSON.

use std::{io::IsTerminal, panic};

use tracing_subscriber::{Layer, filter::Targets, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::{LogFormat, Settings};

/// Starts the log, and keeps what panics say out of it.
pub(super) fn start(settings: &Settings) {
    // The settings have checked it.
    let filter: Targets = settings.log_filter.parse().unwrap_or_default();
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match settings.log_format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(filter)).init();
    // A panic's message may quote the value it choked on, such as a password: where it happened must do.
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "a panic");
    }));
}
