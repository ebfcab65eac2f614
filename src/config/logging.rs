//! The format and the levels of the log.

use tracing_subscriber::filter::{LevelFilter, Targets};

use crate::config::{setting::Setting, vars::Vars};

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

impl LoggingSettings {
    /// Declares and reads the settings of this section.
    pub(super) fn read(vars: &mut Vars) -> Self {
        vars.section("logging", "Logging");
        Self {
            format: Setting::new("LOG_FORMAT", "The format of the log: text for people, or one JSON object per line.")
                .one_of(&[("text", LogFormat::Text), ("json", LogFormat::Json)])
                .read_or(vars, LogFormat::Text),
            filter: Setting::new(
                "RUST_LOG",
                "The level of the log, and levels for modules. With `info`, `sqlx` is at `warn` unless it is named.",
            )
            .text("levels such as `info` or `hallpass=debug,warn`", |text| is_filter(text).then(|| text.to_owned()))
            .read_or(vars, "info".to_owned()),
        }
    }
}

/// Whether this is a list of levels and `target=level`. A word alone would be taken for a target and silence all others.
fn is_filter(text: &str) -> bool {
    // An empty word would be the level `error`, and a space part of a target's name.
    let is_level = |word: &str| !word.is_empty() && word.parse::<LevelFilter>().is_ok();
    let is_word = |word: &str| (word.contains('=') || is_level(word)) && !word.contains(char::is_whitespace);
    text.parse::<Targets>().is_ok() && text.split(',').all(is_word)
}
