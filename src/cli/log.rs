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

/// Crates whose `info` lines are hidden at the level `info`. sqlx logs the notices of PostgreSQL.
const QUIET: [&str; 1] = ["sqlx"];

/// Starts the log. Panics are logged without their message.
pub(super) fn start(settings: &Settings) {
    // The filter was validated when the settings were read.
    let filter = filter(&settings.logging.filter).unwrap_or_default();
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match settings.logging.format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(filter)).init();
    // The message of a panic may contain values, such as a password. Only its location is logged.
    panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        tracing::error!(location, "panic");
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
    fn database_notices_are_hidden_at_info_unless_requested() {
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
