//! JSON Lines: one JSON object per line.

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use super::{
    Row, UNREADABLE,
    input::{Input, Outcome, read_line},
};
use crate::domain::users::import::RecordError;

pub(super) const TOO_LONG: RecordError = RecordError::new("line", "The line is longer than 1 MiB.");
pub(super) const NOT_UTF8: RecordError = RecordError::new("line", "The line is not UTF-8.");

pub(super) struct JsonLines {
    input: Input,
    number: u64,
    line: Vec<u8>,
}

impl JsonLines {
    pub(super) fn new(input: Input) -> Self {
        Self { input, number: 0, line: Vec::new() }
    }

    /// Reads the next line that is not blank.
    pub(super) fn next(&mut self) -> Result<Option<Row>> {
        loop {
            let read = read_line(&mut self.input, &mut self.line).context(UNREADABLE)?;
            self.number += 1;
            match read {
                Outcome::End => return Ok(None),
                Outcome::TooLong => return Ok(Some((self.number, Err(TOO_LONG)))),
                Outcome::Record if self.line.trim_ascii().is_empty() => {}
                Outcome::Record => return Ok(Some((self.number, parse(&self.line)))),
            }
        }
    }
}

/// Parses an object. Objects with more than 128 levels are refused.
pub(super) fn parse(line: &[u8]) -> Result<Map<String, Value>, RecordError> {
    // A text in UTF-16 has NULs, which JSON does not allow.
    if line.contains(&0) || std::str::from_utf8(line).is_err() {
        return Err(NOT_UTF8);
    }
    // The error of the parser may contain values.
    serde_json::from_slice(line).map_err(|_| RecordError::new("line", "The line is not a JSON object."))
}
