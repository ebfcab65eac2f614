//! The keys: one secret in, one derived key for each use out, so that no use weakens another.

use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};

use super::random;
use crate::{
    Error, Result,
    config::{ExposeSecret, SecretKey, SecretString},
};

/// The secret that all keys are derived from.
#[derive(Clone, Debug)]
pub struct Keys {
    secret: SecretString,
}

/// What a key is for.
#[derive(Clone, Copy, Debug)]
pub enum KeyUse {
    /// HS256 signatures of access tokens.
    AccessToken,
    /// The public name (`kid`) of the key for access tokens.
    AccessTokenId,
}

impl KeyUse {
    /// HKDF's `info`. Changing one changes the key: everybody is signed out.
    const fn info(self) -> &'static [u8] {
        match self {
            Self::AccessToken => b"hallpass access token HS256",
            Self::AccessTokenId => b"hallpass access token HS256 kid",
        }
    }
}

struct KeyLength(usize);

impl KeyType for KeyLength {
    fn len(&self) -> usize {
        self.0
    }
}

impl Keys {
    /// Takes the given secret, or reads it from its file, which is made first where there is none.
    ///
    /// # Errors
    /// Internal, when the file can't be read or made: its cause says which file and why.
    pub fn load(key: &SecretKey) -> Result<Self> {
        let secret = match key {
            SecretKey::Given(secret) => secret.clone(),
            SecretKey::File(path) => read_or_create(path)
                .map_err(|error| Error::internal(format!("the key file {}: {error}", path.display())))?,
        };
        Ok(Self { secret })
    }

    /// The key for one use, `N` bytes, by HKDF-SHA256 (RFC 5869).
    ///
    /// # Errors
    /// Internal, if the library refuses, which it does for more than 8,160 bytes only.
    pub fn derive<const N: usize>(&self, key_use: KeyUse) -> Result<[u8; N]> {
        let failed = |_| Error::internal("HKDF failed");
        let info = [key_use.info()];
        let mut key = [0; N];
        Salt::new(HKDF_SHA256, b"")
            .extract(self.secret.expose_secret().as_bytes())
            .expand(&info, KeyLength(N))
            .map_err(failed)?
            .fill(&mut key)
            .map_err(failed)?;
        Ok(key)
    }
}

/// Reads the secret. Several instances may start at once: the file appears complete or not at all, and the first wins.
fn read_or_create(path: &Path) -> io::Result<SecretString> {
    match fs::read_to_string(path) {
        Ok(text) if text.trim().len() >= 64 => return Ok(text.trim().into()),
        Ok(_) => {
            return Err(io::Error::other("it holds no key; delete it and a new one is made"));
        }
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        Err(_) => {}
    }
    let secret = hex(&random::bytes::<32>().map_err(io::Error::other)?);
    let draft = path.with_extension(format!("key.{}", hex(&random::bytes::<8>().map_err(io::Error::other)?)));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let linked = file
        .write_all(secret.as_bytes())
        .and_then(|()| file.sync_all())
        // A link, unlike a rename, does not replace what another instance has just made.
        .and_then(|()| fs::hard_link(&draft, path));
    fs::remove_file(&draft)?;
    match linked {
        Ok(()) => Ok(secret.into()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => read_or_create(path),
        Err(error) => Err(error),
    }
}

/// Lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
