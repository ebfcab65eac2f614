//! JSON Lines: one JSON object per line.

use std::io::{BufRead, BufReader, Read};

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

use crate::{
    cli::user::source::{Columns, Counted, UNREADABLE},
    domain::users::import::{Line, Record, RecordError},
};

/// Maximum length of a line in bytes, in case a file has no line ends.
const MAX_LINE_LENGTH: u64 = 1024 * 1024;

pub(super) struct JsonLines {
    input: BufReader<Counted>,
    number: u64,
    line: Vec<u8>,
}

impl JsonLines {
    pub(super) fn new(input: BufReader<Counted>) -> Self {
        Self { input, number: 0, line: Vec::new() }
    }

    /// Reads the next line that is not blank.
    pub(super) fn next(&mut self, columns: &mut Columns) -> Result<Option<Line>> {
        loop {
            self.line.clear();
            let mut input = self.input.by_ref().take(MAX_LINE_LENGTH);
            if input.read_until(b'\n', &mut self.line).context(UNREADABLE)? == 0 {
                return Ok(None);
            }
            self.number += 1;
            if self.line.len() as u64 == MAX_LINE_LENGTH && !self.line.ends_with(b"\n") {
                bail!("{UNREADABLE}: line {} is too long", self.number);
            }
            let line = self.line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&self.line);
            if !line.trim_ascii().is_empty() {
                return Ok(Some((self.number, parse(line, columns))));
            }
        }
    }
}

fn parse(line: &[u8], columns: &mut Columns) -> Result<Record, RecordError> {
    // The error of the parser may contain values.
    let object: Map<String, Value> =
        serde_json::from_slice(line).map_err(|_| RecordError::new("line", "The line is not a JSON object."))?;
    let mut record = Record::default();
    for (name, value) in object {
        let Some(column) = columns.named(&name) else {
            continue;
        };
        match value {
            Value::Null => {}
            Value::String(text) => record.set(column, text),
            value => record.set(column, value.to_string()),
        }
    }
    Ok(record)
}
