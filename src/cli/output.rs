//! Output of commands. A full disk or a closed pipe is an error, not a panic.

use std::{
    fmt::Display,
    io::{self, Write},
};

use anyhow::{Context, Result};

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
