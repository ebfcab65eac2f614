//! Files for nobody else's eyes: secrets, and people's data.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use crate::security::random;

/// Makes a file for its owner's eyes alone. It appears whole or not at all, and nothing that is there is replaced: of
/// several who make it at once the first wins.
///
/// # Errors
/// `AlreadyExists`, or what the system says.
pub(super) fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut draft = Draft::begin(path)?;
    draft.write_all(content)?;
    draft.finish()
}

/// Such a file while it is written, under another name. It goes away unless it is finished.
#[derive(Debug)]
pub struct Draft {
    file: File,
    /// Where it is now, and where it will be.
    now_at: PathBuf,
    path: PathBuf,
}

impl Draft {
    /// Begins a file that will be at `path`.
    ///
    /// # Errors
    /// What the system says.
    pub fn begin(path: &Path) -> io::Result<Self> {
        let now_at =
            path.with_extension(format!("draft.{}", hex::encode(random::bytes::<8>().map_err(io::Error::other)?)));
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&now_at)?;
        Ok(Self { file, now_at, path: path.to_owned() })
    }

    /// Puts it where it belongs, on the disk.
    ///
    /// # Errors
    /// `AlreadyExists`, or what the system says.
    pub fn finish(self) -> io::Result<()> {
        self.file.sync_all()?;
        // A link, unlike a rename, does not replace what is there.
        fs::hard_link(&self.now_at, &self.path)
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.now_at);
    }
}
