//! Notices that the SQLite file at the path of the database is no longer the one that is open.
//!
//! A process can write to a file that was deleted or replaced, but the changes are lost when it exits. Without a check, they
//! would be acknowledged until then.

use std::{
    fmt, fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf, absolute},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use sea_orm::{DbErr, RuntimeErr};

/// The file that was at the path when the database was opened. Open connections keep its inode from being used again.
pub(super) struct WatchedFile {
    path: PathBuf,
    /// The device and the inode.
    identity: (u64, u64),
    /// Whether the last check found another file, or none.
    is_gone: AtomicBool,
}

impl fmt::Debug for WatchedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WatchedFile")
    }
}

impl WatchedFile {
    pub(super) fn new(path: &Path) -> io::Result<Arc<Self>> {
        // The process might change its current folder.
        let path = absolute(path)?;
        let identity = identity(&path)?;
        Ok(Arc::new(Self { path, identity, is_gone: AtomicBool::new(false) }))
    }

    /// Whether the last check found the file in its place.
    pub(super) fn was_in_place(&self) -> bool {
        !self.is_gone.load(Ordering::Relaxed)
    }

    /// Fails if the file is not in its place. Logs each change once. Takes about a microsecond.
    pub(super) fn check(&self) -> Result<(), DbErr> {
        let is_gone = identity(&self.path).ok() != Some(self.identity);
        if self.is_gone.swap(is_gone, Ordering::Relaxed) != is_gone {
            let path = self.path.display();
            if is_gone {
                tracing::error!(
                    "the database file {path} was deleted or replaced while it was open. All requests fail, so that no change is \
                     lost. Move the file back, or stop Hallpass, restore a backup with `hallpass restore`, and start Hallpass"
                );
            } else {
                tracing::info!("the database file {path} is in its place again");
            }
        }
        if is_gone {
            let error = "the database file was deleted or replaced while it was open".to_owned();
            return Err(DbErr::Conn(RuntimeErr::Internal(error)));
        }
        Ok(())
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::metadata(path).map(|file| (file.dev(), file.ino()))
}
