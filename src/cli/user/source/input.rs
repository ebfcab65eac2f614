//! The bytes of a file, and its lines.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, IsTerminal, Read},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context, Result, bail};

use super::UNREADABLE;

/// Maximum length of a record in bytes: of a line, or of an element of an array. Longer ones are skipped without being
/// stored.
pub(super) const MAX_RECORD_LENGTH: usize = 1024 * 1024;

/// The bytes of a file.
pub(super) type Input = BufReader<Box<dyn Read + Send>>;

/// Opens a file; without a path, or with `-`, standard input. Returns the length, if known. `read` counts the bytes that are read.
pub(super) fn open(path: Option<&Path>, read: &Arc<AtomicU64>) -> Result<(Input, Option<u64>)> {
    let path = path.filter(|path| *path != Path::new("-"));
    let (input, total): (Box<dyn Read + Send>, _) = match path {
        Some(path) => {
            let failed = || format!("{} can't be read", path.display());
            let file = File::open(path).with_context(failed)?;
            let metadata = file.metadata().with_context(failed)?;
            if metadata.is_dir() {
                return Err(io::Error::from(io::ErrorKind::IsADirectory)).with_context(failed);
            }
            (Box::new(file), metadata.is_file().then_some(metadata.len()))
        }
        None if io::stdin().is_terminal() => bail!("name a file, or pipe the users to standard input"),
        None => (Box::new(io::stdin()), None),
    };
    let mut input: Input = BufReader::new(Box::new(Counted { input, read: Arc::clone(read) }));
    // A byte order mark of UTF-8 has no meaning.
    let start = input.fill_buf().context(UNREADABLE)?;
    if start.starts_with("\u{feff}".as_bytes()) {
        input.consume("\u{feff}".len());
    }
    Ok((input, total))
}

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The end of the file.
    End,
    /// The record is in the buffer.
    Record,
    /// The record is longer than [`MAX_RECORD_LENGTH`], and was skipped.
    TooLong,
}

/// Reads a line, with its end, into an empty buffer.
pub(super) fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Outcome> {
    line.clear();
    let mut limited = input.by_ref().take(MAX_RECORD_LENGTH as u64);
    if limited.read_until(b'\n', line)? == 0 {
        return Ok(Outcome::End);
    }
    if line.len() < MAX_RECORD_LENGTH || line.ends_with(b"\n") {
        return Ok(Outcome::Record);
    }
    input.skip_until(b'\n')?;
    Ok(Outcome::TooLong)
}

/// A reader that counts bytes.
struct Counted {
    input: Box<dyn Read + Send>,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_line_is_skipped() {
        let text = format!("a\n{}\nb\n{}", "x".repeat(3 * MAX_RECORD_LENGTH), "y".repeat(MAX_RECORD_LENGTH - 1));
        let (mut input, mut line) = (BufReader::new(text.as_bytes()), Vec::new());
        let mut next = || (read_line(&mut input, &mut line).unwrap(), line.len());
        assert_eq!(next(), (Outcome::Record, 2));
        assert_eq!(next().0, Outcome::TooLong);
        assert_eq!(next(), (Outcome::Record, 2));
        assert_eq!(next(), (Outcome::Record, MAX_RECORD_LENGTH - 1));
        assert_eq!(next().0, Outcome::End);
        assert!(line.capacity() <= 2 * MAX_RECORD_LENGTH);
    }
}
