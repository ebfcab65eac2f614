//! Password hashes that Auth0 exports in a file of their own.

use std::{
    collections::HashMap,
    fs::File,
    hash::{BuildHasher, RandomState},
    io::{BufReader, Seek, SeekFrom},
    path::Path,
};

use anyhow::{Context, Result};

use super::fields::Fields;
use crate::cli::user::source::{
    input::{Outcome, read_line},
    json_lines::parse,
};

/// Where the hash of each user is in the file. Takes about 40 bytes for each user.
pub(super) struct Passwords {
    file: BufReader<File>,
    state: RandomState,
    offsets: HashMap<u64, u64>,
}

impl Passwords {
    /// Reads the file once, to find the lines of users.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let failed = || format!("{} can't be read", path.display());
        let mut file = BufReader::new(File::open(path).with_context(failed)?);
        let (state, mut offsets, mut line, mut offset) = (RandomState::new(), HashMap::new(), Vec::new(), 0);
        loop {
            match read_line(&mut file, &mut line).with_context(failed)? {
                Outcome::End => break,
                Outcome::Record => {
                    if let Some(id) = parse(&line).ok().and_then(|row| Fields::new(row).object("_id").text("$oid")) {
                        offsets.insert(state.hash_one(&id), offset);
                    }
                }
                Outcome::TooLong => {}
            }
            offset = file.stream_position().with_context(failed)?;
        }
        Ok(Self { file, state, offsets })
    }

    /// The hash of the user with this id.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(super) fn hash(&mut self, id: &str) -> Result<Option<String>> {
        let Some(offset) = self.offsets.get(&self.state.hash_one(id)) else { return Ok(None) };
        self.file.seek(SeekFrom::Start(*offset))?;
        let mut line = Vec::new();
        read_line(&mut self.file, &mut line)?;
        let row = parse(&line).ok().map(Fields::new);
        let row = row.filter(|row| row.object("_id").text("$oid").as_deref() == Some(id));
        Ok(row.and_then(|row| row.text("passwordHash")))
    }
}
