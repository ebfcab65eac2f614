//! Output of commands. A full disk or a closed pipe is an error, not a panic.

use std::{
    fmt::Display,
    io::{self, BufWriter, ErrorKind, Stdout, Write},
};

use anyhow::{Context, Result};
use chrono::{DateTime, SecondsFormat, Utc};

/// The context of an error of standard output. The command itself may have succeeded.
pub(super) const NOT_PRINTED: &str = "standard output cannot be written";

/// Writes to standard output.
pub(super) fn print(text: impl Display) -> Result<()> {
    let mut out = io::stdout().lock();
    write!(out, "{text}").and_then(|()| out.flush()).context(NOT_PRINTED)
}

/// Writes a line to standard output.
pub(super) fn print_line(line: impl Display) -> Result<()> {
    print(format_args!("{line}\n"))
}

/// Writes a line to standard error. An error is ignored, because there is nowhere to report it.
pub(super) fn note_line(line: impl Display) {
    let mut out = io::stderr().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Lines on standard output, buffered, for lists of any length.
pub(super) struct Lines(BufWriter<Stdout>);

impl Lines {
    pub(super) fn new() -> Self {
        Self(BufWriter::new(io::stdout()))
    }

    /// Writes a line. Returns false if the reader, such as `head`, has closed the pipe.
    pub(super) fn write(&mut self, line: impl Display) -> Result<bool> {
        is_open(writeln!(self.0, "{line}"))
    }

    /// Writes what is buffered. Returns false if the reader has closed the pipe.
    pub(super) fn flush(&mut self) -> Result<bool> {
        is_open(self.0.flush())
    }
}

fn is_open(written: io::Result<()>) -> Result<bool> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        written => written.map(|()| true).context(NOT_PRINTED),
    }
}

/// Escapes control characters, so that a value stays on its line.
pub(super) fn one_line(value: &str) -> String {
    value.chars().map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() }).collect()
}

/// Formats a time for people.
pub(super) fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Formats a time as GraphQL does.
pub(super) fn milliseconds(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
