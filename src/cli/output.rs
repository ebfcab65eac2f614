//! What commands print. A full disk or a closed pipe is an error, not a panic.

use std::{
    fmt::Display,
    io::{self, Write},
};

use crate::cli::CommandError;

/// Writes to standard output.
pub(super) fn print(text: impl Display) -> Result<(), CommandError> {
    let mut out = io::stdout().lock();
    write!(out, "{text}").and_then(|()| out.flush()).map_err(|error| failed(&error))
}

/// Writes a line to standard output.
pub(super) fn print_line(line: impl Display) -> Result<(), CommandError> {
    print(format_args!("{line}\n"))
}

/// Writes to standard error. If that fails, there is nobody to tell.
pub(super) fn note(text: impl Display) {
    let mut out = io::stderr().lock();
    let _ = write!(out, "{text}").and_then(|()| out.flush());
}

/// Writes a line to standard error.
pub(super) fn note_line(line: impl Display) {
    note(format_args!("{line}\n"));
}

/// What was to be done may be done; only telling of it failed.
pub(super) fn failed(error: &io::Error) -> CommandError {
    CommandError::new(format_args!("standard output cannot be written: {error}"))
}
