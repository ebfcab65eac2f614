//! Comma-separated values (RFC 4180); the first line names the columns.

use std::io::Read;

use anyhow::{Context, Result};
use csv::{ErrorKind, Reader, StringRecord};

use crate::{
    cli::user::source::{Columns, UNREADABLE},
    domain::users::import::{Column, Line, Record, RecordError},
};

pub(super) struct Csv {
    reader: Reader<Box<dyn Read + Send>>,
    columns: Vec<Option<Column>>,
    row: StringRecord,
}

impl Csv {
    pub(super) fn new(input: Box<dyn Read + Send>, columns: &mut Columns) -> Result<Self> {
        let mut reader = Reader::from_reader(input);
        let names = reader.headers().context(UNREADABLE)?;
        let columns = columns.of_table(names.iter())?;
        Ok(Self { reader, columns, row: StringRecord::new() })
    }

    pub(super) fn next(&mut self) -> Result<Option<Line>> {
        let is_more = match self.reader.read_record(&mut self.row) {
            Ok(is_more) => is_more,
            Err(error) => return invalid_line(error).map(Some),
        };
        if !is_more {
            return Ok(None);
        }
        let mut record = Record::default();
        for (column, text) in self.columns.iter().zip(&self.row) {
            match column {
                // An empty text means that there is no value. For roles, it is an empty list.
                Some(column) if !text.is_empty() || *column == Column::Roles => record.set(*column, text.to_owned()),
                _ => {}
            }
        }
        let line = self.row.position().map_or(0, csv::Position::line);
        Ok(Some((line, Ok(record))))
    }
}

/// Returns the line for an error that concerns only this line. Other errors end the import.
fn invalid_line(error: csv::Error) -> Result<Line> {
    let line = error.position().map_or(0, csv::Position::line);
    match error.kind() {
        ErrorKind::UnequalLengths { .. } => {
            Ok((line, Err(RecordError::new("line", "The line does not have as many values as the header."))))
        }
        ErrorKind::Utf8 { .. } => Ok((line, Err(RecordError::new("line", "The line is not UTF-8.")))),
        _ => Err(error).context(UNREADABLE),
    }
}
