//! Files that only their owner can read, for secrets and personal data.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use crate::security::random;

/// Creates a file that only its owner can read. The file appears with its full content or not at all, and never
/// replaces an existing file. If several processes create it at the same time, the first one wins.
///
/// # Errors
/// `AlreadyExists`, or another I/O error.
pub(super) fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut draft = Draft::begin(path)?;
    draft.write_all(content)?;
    draft.finish()
}

/// A private file that is being written under a temporary name. It is deleted unless it is finished.
#[derive(Debug)]
pub struct Draft {
    file: File,
    /// The temporary path.
    temporary_path: PathBuf,
    /// The final path.
    path: PathBuf,
}

impl Draft {
    /// Creates the temporary file for `path`.
    ///
    /// # Errors
    /// Any I/O error.
    pub fn begin(path: &Path) -> io::Result<Self> {
        let temporary_path =
            path.with_extension(format!("draft.{}", hex::encode(random::bytes::<8>().map_err(io::Error::other)?)));
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary_path)?;
        Ok(Self { file, temporary_path, path: path.to_owned() })
    }

    /// The temporary path.
    #[must_use]
    pub fn temporary_path(&self) -> &Path {
        &self.temporary_path
    }

    /// Flushes the file to disk and moves it to its final path, where it replaces an existing file.
    ///
    /// # Errors
    /// Any I/O error.
    pub fn replace(self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.temporary_path, &self.path)
    }

    /// Flushes the file to disk and moves it to its final path.
    ///
    /// # Errors
    /// `AlreadyExists`, or another I/O error.
    pub fn finish(self) -> io::Result<()> {
        self.file.sync_all()?;
        // A hard link, unlike a rename, does not replace an existing file.
        fs::hard_link(&self.temporary_path, &self.path)
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
        let _ = fs::remove_file(&self.temporary_path);
    }
}
