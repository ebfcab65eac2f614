//! The log: to standard error, as text or JSON.

use std::{io::IsTerminal, panic};

use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::config::{LogFormat, Settings};

/// What these crates log at `info` is a detail here: notices of PostgreSQL.
const QUIET: [&str; 1] = ["sqlx"];

/// Starts the log, and keeps what panics say out of it.
pub(super) fn start(settings: &Settings) {
    // The settings have checked it.
    let filter = filter(&settings.logging.filter).unwrap_or_default();
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match settings.logging.format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(filter)).init();
    // A panic's message may quote the value it choked on, such as a password: where it happened must do.
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "a panic");
    }));
}

fn filter(text: &str) -> Result<Targets, impl std::error::Error> {
    text.parse().map(|filter: Targets| {
        let is_info = filter.default_level() == Some(LevelFilter::INFO);
        let named: Vec<String> = filter.iter().map(|(target, _)| target.to_owned()).collect();
        let quiet = QUIET.into_iter().filter(|target| is_info && !named.iter().any(|named| named == target));
        filter.with_targets(quiet.map(|target| (target, LevelFilter::WARN)))
    })
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn notices_of_the_database_are_logged_on_request_only() {
        for (text, is_shown) in [
            ("info", false),
            ("info,hallpass=debug", false),
            ("warn", false),
            ("debug", true),
            ("info,sqlx=info", true),
        ] {
            let filter = filter(text).unwrap();
            assert_eq!(filter.would_enable("sqlx::postgres::notice", &Level::INFO), is_shown, "{text}");
            assert_eq!(filter.would_enable("hallpass::cli", &Level::INFO), text != "warn", "{text}");
            assert!(filter.would_enable("sqlx", &Level::WARN), "{text}");
        }
    }
}
