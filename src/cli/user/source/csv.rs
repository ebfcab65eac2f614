//! Comma-separated values (RFC 4180), also with semicolons or tabs; the first line names the columns.

use std::io::{BufRead, Cursor, Read};

use anyhow::{Context, Result, bail};
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use serde_json::Value;

use super::{
    Row, UNREADABLE,
    input::{Input, MAX_RECORD_LENGTH, Outcome},
    json_lines::{NOT_UTF8, TOO_LONG},
};
use crate::domain::users::import::RecordError;

/// Maximum number of values in a line. A line has its own error if it has more.
const MAX_VALUES: usize = 4096;
/// How much of the first line decides which character separates the values.
const MAX_HEADER_LENGTH: u64 = 64 * 1024;

pub(super) struct Csv {
    input: Box<dyn BufRead + Send>,
    reader: Reader,
    /// The names of the columns, in lower case with `_` instead of spaces.
    pub(super) names: Vec<String>,
    values: Vec<u8>,
    ends: Vec<usize>,
}

impl Csv {
    /// Reads the header.
    pub(super) fn new(mut input: Input) -> Result<Self> {
        let mut start = Vec::new();
        input.by_ref().take(MAX_HEADER_LENGTH).read_until(b'\n', &mut start).context(UNREADABLE)?;
        let reader = ReaderBuilder::new().delimiter(delimiter(&start)).build();
        let input = Box::new(Cursor::new(start).chain(input));
        let mut csv = Self { input, reader, names: Vec::new(), values: vec![0; 1024], ends: vec![0; 64] };
        let (outcome, length, count) = csv.read()?;
        let header = match csv.fields(length, count) {
            Some(names) if outcome != Outcome::TooLong && names.iter().all(|name| !name.contains('\0')) => names,
            _ => bail!("nothing was imported: the first line must be in UTF-8 and name the columns"),
        };
        csv.names = header.iter().map(|name| name.trim().to_lowercase().replace(' ', "_")).collect();
        Ok(csv)
    }

    /// Reads the next line that is not blank.
    pub(super) fn next(&mut self) -> Result<Option<Row>> {
        let number = self.reader.line();
        let (outcome, length, count) = self.read()?;
        let error = match outcome {
            Outcome::End => return Ok(None),
            Outcome::TooLong => TOO_LONG,
            Outcome::Record if count != self.names.len() => {
                RecordError::new("line", "The line does not have as many values as the header.")
            }
            Outcome::Record => match self.fields(length, count) {
                Some(values) => {
                    let values = self.names.iter().zip(values);
                    let row = values.map(|(name, text)| (name.clone(), Value::String(text.to_owned()))).collect();
                    return Ok(Some((number, Ok(row))));
                }
                None => NOT_UTF8,
            },
        };
        Ok(Some((number, Err(error))))
    }

    /// Reads a record. Returns the length of its values and their number.
    fn read(&mut self) -> Result<(Outcome, usize, usize)> {
        let (mut length, mut count, mut is_too_long) = (0, 0, false);
        loop {
            let bytes = self.input.fill_buf().context(UNREADABLE)?;
            let (values, ends) = (self.values.get_mut(length..), self.ends.get_mut(count..));
            let (result, used, written, ended) =
                self.reader.read_record(bytes, values.unwrap_or_default(), ends.unwrap_or_default());
            self.input.consume(used);
            length += written;
            count += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.values.len() < MAX_RECORD_LENGTH => {
                    self.values.resize(self.values.len() * 2, 0);
                }
                ReadRecordResult::OutputEndsFull if self.ends.len() < MAX_VALUES => {
                    self.ends.resize(self.ends.len() * 2, 0);
                }
                // The rest of the record replaces its beginning.
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    (length, count, is_too_long) = (0, 0, true);
                }
                ReadRecordResult::Record if is_too_long => return Ok((Outcome::TooLong, 0, 0)),
                ReadRecordResult::Record => return Ok((Outcome::Record, length, count)),
                ReadRecordResult::End => return Ok((Outcome::End, 0, 0)),
            }
        }
    }

    /// The values of the record that was read. `None` if they are not UTF-8.
    fn fields(&self, length: usize, count: usize) -> Option<Vec<&str>> {
        let text = std::str::from_utf8(self.values.get(..length)?).ok()?;
        let ends = self.ends.get(..count)?;
        let starts = std::iter::once(&0).chain(ends);
        starts.zip(ends).map(|(start, end)| text.get(*start..*end)).collect()
    }
}

/// The character that separates the names in the header: that of a comma, a semicolon and a tab which is most frequent outside of
/// quotes.
fn delimiter(header: &[u8]) -> u8 {
    let mut is_quoted = false;
    let (mut tabs, mut semicolons, mut commas) = (0, 0, 0);
    for byte in header {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'\t' if !is_quoted => tabs += 1,
            b';' if !is_quoted => semicolons += 1,
            b',' if !is_quoted => commas += 1,
            _ => {}
        }
    }
    match (commas, semicolons, tabs) {
        (commas, semicolons, tabs) if commas >= semicolons && commas >= tabs => b',',
        (_, semicolons, tabs) if semicolons >= tabs => b';',
        _ => b'\t',
    }
}
