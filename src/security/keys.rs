//! The keys: one secret in, one derived key for each use out, so that no use weakens another.

use std::{
    fs,
    io::{self, ErrorKind},
    path::Path,
};

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};

use crate::{
    Error, Result,
    config::{ExposeSecret, SecretKey, SecretString},
    security::{private_file, random},
};

/// The secrets that keys are derived from: the current one, and the one before it, which verifies only.
#[derive(Clone, Debug)]
pub struct Keys {
    current: SecretString,
    previous: Option<SecretString>,
}

/// What a key is for.
#[derive(Clone, Copy, Debug)]
pub enum KeyUse {
    /// HS256 signatures of access tokens.
    AccessToken,
    /// The public name (`kid`) of the key for access tokens.
    AccessTokenId,
    /// HS256 signatures of refresh tokens.
    RefreshToken,
    /// The public name (`kid`) of the key for refresh tokens.
    RefreshTokenId,
    /// Names in the counters of attempts.
    Pseudonym,
}

impl KeyUse {
    /// HKDF's `info`. Changing one changes the key: everybody is signed out.
    const fn info(self) -> &'static [u8] {
        match self {
            Self::AccessToken => b"hallpass access token HS256",
            Self::AccessTokenId => b"hallpass access token HS256 kid",
            Self::RefreshToken => b"hallpass refresh token HS256",
            Self::RefreshTokenId => b"hallpass refresh token HS256 kid",
            Self::Pseudonym => b"hallpass pseudonym HMAC-SHA256",
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
    /// Takes the given secret, or reads it from its file, which is made first where there is none. `previous` is the
    /// secret before it.
    ///
    /// # Errors
    /// Internal, when the file can't be read or made: its cause says which file and why.
    pub fn load(key: &SecretKey, previous: Option<&SecretString>) -> Result<Self> {
        let current = match key {
            SecretKey::Given(secret) => secret.clone(),
            SecretKey::File(path) => read_or_create(path)
                .map_err(|error| Error::internal(format!("the key file {}: {error}", path.display())))?,
        };
        Ok(Self { current, previous: previous.cloned() })
    }

    /// All secrets, the current one first.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &SecretString> {
        std::iter::once(&self.current).chain(&self.previous)
    }

    /// The key of [`super::pseudonym`].
    ///
    /// # Errors
    /// Internal, when the library refuses to derive it.
    pub(super) fn pseudonym_key(&self) -> Result<[u8; 32]> {
        derive(&self.current, KeyUse::Pseudonym)
    }

    /// The HS256 key of access tokens, as the text that it is used as: 64 hexadecimal digits.
    ///
    /// # Errors
    /// Internal, when the library refuses to derive it.
    pub fn access_token_key(&self) -> Result<SecretString> {
        text(&self.current, KeyUse::AccessToken).map(Into::into)
    }
}

/// A key as hexadecimal text, which any JWT tool takes as it stands.
///
/// # Errors
/// As [`derive()`].
pub(super) fn text(secret: &SecretString, key_use: KeyUse) -> Result<String> {
    Ok(hex::encode(derive::<32>(secret, key_use)?))
}

/// The key for one use, `N` bytes, by HKDF-SHA256 (RFC 5869).
///
/// # Errors
/// Internal, if the library refuses, which it does for more than 8,160 bytes only.
pub(super) fn derive<const N: usize>(secret: &SecretString, key_use: KeyUse) -> Result<[u8; N]> {
    let failed = |_| Error::internal("HKDF failed");
    let info = [key_use.info()];
    let mut key = [0; N];
    Salt::new(HKDF_SHA256, b"")
        .extract(secret.expose_secret().as_bytes())
        .expand(&info, KeyLength(N))
        .map_err(failed)?
        .fill(&mut key)
        .map_err(failed)?;
    Ok(key)
}

/// Reads the secret. Several instances may start at once: the first one's key is everybody's.
fn read_or_create(path: &Path) -> io::Result<SecretString> {
    match fs::read_to_string(path) {
        Ok(text) if text.trim().len() >= 64 => return Ok(text.trim().into()),
        Ok(_) => {
            return Err(io::Error::other("it holds no key; delete it and a new one is made"));
        }
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        Err(_) => {}
    }
    let secret = hex::encode(random::bytes::<32>().map_err(io::Error::other)?);
    match private_file::create(path, secret.as_bytes()) {
        Ok(()) => Ok(secret.into()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => read_or_create(path),
        Err(error) => Err(error),
    }
}
