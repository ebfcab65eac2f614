//! Files that hold a secret.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use super::{keys::hex, random};

/// Makes a file for its owner's eyes alone. It appears whole or not at all, and nothing that is there is replaced: of
/// several who make it at once the first wins.
///
/// # Errors
/// `AlreadyExists`, or what the system says.
pub(super) fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    let draft = path.with_extension(format!("draft.{}", hex(&random::bytes::<8>().map_err(io::Error::other)?)));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let linked = file
        .write_all(content)
        .and_then(|()| file.sync_all())
        // A link, unlike a rename, does not replace what is there.
        .and_then(|()| fs::hard_link(&draft, path));
    fs::remove_file(&draft)?;
    linked
}
