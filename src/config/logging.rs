//! `LOG_FORMAT` and `RUST_LOG`.

use tracing_subscriber::filter::{LevelFilter, Targets};

use crate::config::vars::Vars;

/// What is logged, and how.
#[derive(Clone, Debug)]
pub struct LoggingSettings {
    /// The format of a log line.
    pub format: LogFormat,
    /// Levels, in the syntax of `tracing_subscriber::filter::Targets`.
    pub filter: String,
}

/// The format of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for machines.
    Json,
}

pub(super) fn format(vars: &mut Vars) -> LogFormat {
    vars.get("LOG_FORMAT", LogFormat::Text, "text or json", |text| match text {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    })
}

pub(super) fn filter(vars: &mut Vars) -> String {
    vars.get("RUST_LOG", "info".to_owned(), "levels such as info or hallpass=debug,warn", |text| {
        is_filter(text).then(|| text.to_owned())
    })
}

/// Whether this is a list of levels and `target=level`. A word alone would be taken for a target and silence all others.
fn is_filter(text: &str) -> bool {
    // An empty word would be the level `error`, and a space part of a target's name.
    let is_level = |word: &str| !word.is_empty() && word.parse::<LevelFilter>().is_ok();
    let is_word = |word: &str| (word.contains('=') || is_level(word)) && !word.contains(char::is_whitespace);
    text.parse::<Targets>().is_ok() && text.split(',').all(is_word)
}
