//! The elements of a JSON array, which may be very long: the file itself, or the member `users` of an object.

use std::io::BufRead;

use anyhow::{Context, Result, bail};

use super::{
    Row, UNREADABLE,
    input::{Input, MAX_RECORD_LENGTH},
    json_lines::parse,
};
use crate::domain::users::import::RecordError;

/// The member with the array, and the objects that may contain it.
const ARRAY: &[u8] = b"\"users\"";
const PARENTS: [&[u8]; 2] = [b"\"data\"", b"\"_users\""];

const NO_USERS: &str = "nothing was imported: the file is not a JSON array, and has no member `users` with one";
const MALFORMED: &str = "the rest can't be read: the JSON is malformed";
const CUT: &str = "the rest can't be read: the file ends in the middle of the JSON";

pub(super) struct Elements {
    input: Input,
    number: u64,
    element: Vec<u8>,
}

impl Elements {
    /// Finds the array.
    pub(super) fn new(input: Input) -> Result<Self> {
        let mut elements = Self { input, number: 0, element: Vec::new() };
        match elements.peek()? {
            Some(b'[') => {}
            Some(b'{') => elements.find_member()?,
            _ => bail!(NO_USERS),
        }
        elements.input.consume(1);
        Ok(elements)
    }

    /// Reads the next element.
    pub(super) fn next(&mut self) -> Result<Option<Row>> {
        if self.number > 0 && self.peek()? == Some(b',') {
            self.input.consume(1);
        }
        if self.peek()?.context(CUT)? == b']' {
            return Ok(None);
        }
        self.number += 1;
        let is_short = self.read_value()?;
        let row = if is_short {
            if self.element.is_empty() {
                bail!(MALFORMED);
            }
            parse(&self.element).map_err(|_| RecordError::new("user", "The element is not a JSON object in UTF-8."))
        } else {
            Err(RecordError::new("user", "The element is longer than 1 MiB."))
        };
        Ok(Some((self.number, row)))
    }

    /// Moves to the array `users`, before its bracket.
    fn find_member(&mut self) -> Result<()> {
        self.input.consume(1);
        loop {
            match self.peek()?.context(CUT)? {
                b',' => self.input.consume(1),
                b'"' => {
                    let is_short = self.read_value()?;
                    let name = std::mem::take(&mut self.element);
                    if self.peek()? != Some(b':') {
                        bail!(NO_USERS);
                    }
                    self.input.consume(1);
                    match self.peek()?.context(CUT)? {
                        b'[' if is_short && name == ARRAY => return Ok(()),
                        b'{' if is_short && PARENTS.contains(&&*name) => self.input.consume(1),
                        _ => drop(self.read_value()?),
                    }
                }
                _ => bail!(NO_USERS),
            }
        }
    }

    /// The next byte that is not white space. `None` at the end of the file.
    fn peek(&mut self) -> Result<Option<u8>> {
        loop {
            let bytes = self.input.fill_buf().context(UNREADABLE)?;
            if bytes.is_empty() {
                return Ok(None);
            }
            let position = bytes.iter().position(|byte| !byte.is_ascii_whitespace());
            let (length, byte) = (bytes.len(), position.and_then(|position| bytes.get(position).copied()));
            self.input.consume(position.unwrap_or(length));
            if byte.is_some() {
                return Ok(byte);
            }
        }
    }

    /// Reads a value into `element`. Only brackets and quotes are interpreted. Returns false if it is too long; it is skipped then.
    fn read_value(&mut self) -> Result<bool> {
        self.element.clear();
        let (mut scanner, mut is_short) = (Scanner::default(), true);
        loop {
            let bytes = self.input.fill_buf().context(UNREADABLE)?;
            if bytes.is_empty() {
                bail!(CUT);
            }
            let end = bytes.iter().position(|byte| scanner.ends_before(*byte));
            let length = end.unwrap_or(bytes.len());
            is_short &= self.element.len() + length <= MAX_RECORD_LENGTH;
            if is_short {
                self.element.extend_from_slice(bytes.get(..length).unwrap_or_default());
            }
            self.input.consume(length);
            if end.is_some() {
                return Ok(is_short);
            }
        }
    }
}

/// Finds the end of a JSON value.
#[derive(Default)]
struct Scanner {
    depth: u64,
    is_in_string: bool,
    is_escaped: bool,
    /// Whether the value was a complete object, array or string.
    is_complete: bool,
}

impl Scanner {
    /// Whether the value ends before this byte.
    fn ends_before(&mut self, byte: u8) -> bool {
        if self.is_complete {
            return true;
        }
        if self.is_in_string {
            self.is_in_string = self.is_escaped || byte != b'"';
            self.is_escaped = !self.is_escaped && byte == b'\\';
            self.is_complete = !self.is_in_string && self.depth == 0;
            return false;
        }
        match byte {
            b'"' => self.is_in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' | b',' | b':' if self.depth == 0 => return true,
            b'}' | b']' => {
                self.depth -= 1;
                self.is_complete = self.depth == 0;
            }
            _ => {}
        }
        false
    }
}
