//! Key derivation: one derived key per use, so that a weakness in one use does not affect the others.

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

/// The secrets that keys are derived from: the current one, and the previous one, which only verifies.
#[derive(Clone, Debug)]
pub struct Keys {
    current: SecretString,
    previous: Option<SecretString>,
}

/// The use of a derived key.
#[derive(Clone, Copy, Debug)]
pub enum KeyUse {
    /// HS256 signatures of access tokens.
    AccessToken,
    /// The key id (`kid`) of the access token key.
    AccessTokenId,
    /// HS256 signatures of refresh tokens.
    RefreshToken,
    /// The key id (`kid`) of the refresh token key.
    RefreshTokenId,
    /// Pseudonyms in the throttle counters.
    Pseudonym,
    /// The encryption of cursors.
    Cursor,
    /// The encryption of TOTP secrets.
    TotpSecret,
    /// The id of the key that encrypts TOTP secrets.
    TotpSecretId,
    /// The challenges of passkey ceremonies.
    PasskeyCeremony,
    /// The encryption of sign-in flows with other providers.
    ProviderFlow,
    /// The hashes of codes in mails.
    MailCode,
    /// HS256 signatures of forward-auth tokens.
    ForwardAuthToken,
    /// The key id (`kid`) of the forward-auth token key.
    ForwardAuthTokenId,
}

impl KeyUse {
    /// HKDF's `info`. Changing a value changes the key, which signs all users out.
    const fn info(self) -> &'static [u8] {
        match self {
            Self::AccessToken => b"hallpass access token HS256",
            Self::AccessTokenId => b"hallpass access token HS256 kid",
            Self::RefreshToken => b"hallpass refresh token HS256",
            Self::RefreshTokenId => b"hallpass refresh token HS256 kid",
            Self::Pseudonym => b"hallpass pseudonym HMAC-SHA256",
            Self::Cursor => b"hallpass cursor AES-256-GCM-SIV",
            Self::TotpSecret => b"hallpass TOTP secret AES-256-GCM",
            Self::TotpSecretId => b"hallpass TOTP secret AES-256-GCM kid",
            Self::PasskeyCeremony => b"hallpass passkey ceremony HMAC-SHA256",
            Self::ProviderFlow => b"hallpass provider flow AES-256-GCM",
            Self::MailCode => b"hallpass mail code HMAC-SHA256",
            Self::ForwardAuthToken => b"hallpass forward-auth token HS256",
            Self::ForwardAuthTokenId => b"hallpass forward-auth token HS256 kid",
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
    /// Uses the given secret, or reads it from its file, which is created if it does not exist. `previous` is the
    /// previous secret.
    ///
    /// # Errors
    /// Internal if the file cannot be read or created. The cause names the file and the reason.
    pub fn load(key: &SecretKey, previous: Option<&SecretString>) -> Result<Self> {
        let current = match key {
            SecretKey::Given(secret) => secret.clone(),
            SecretKey::File(path) => read_or_create(path)
                .map_err(|error| Error::internal(format!("cannot load the key file {}: {error}", path.display())))?,
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
    /// Internal if the key derivation fails.
    pub(super) fn pseudonym_key(&self) -> Result<[u8; 32]> {
        derive(&self.current, KeyUse::Pseudonym)
    }

    /// The HS256 key of access tokens as text: 64 hexadecimal digits, whose bytes are the key.
    ///
    /// # Errors
    /// Internal if the key derivation fails.
    pub fn access_token_key(&self) -> Result<SecretString> {
        text(&self.current, KeyUse::AccessToken).map(Into::into)
    }
}

/// Derives a key as hexadecimal text, which every JWT tool accepts unchanged.
///
/// # Errors
/// As [`derive()`].
pub(super) fn text(secret: &SecretString, key_use: KeyUse) -> Result<String> {
    Ok(hex::encode(derive::<32>(secret, key_use)?))
}

/// Derives the key for one use, `N` bytes long, with HKDF-SHA256 (RFC 5869).
///
/// # Errors
/// Internal if the key derivation fails, which happens only for more than 8,160 bytes.
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

/// Reads or creates the secret. If several instances start at the same time, all use the secret that was created first.
fn read_or_create(path: &Path) -> io::Result<SecretString> {
    match fs::read_to_string(path) {
        Ok(text) if text.trim().len() >= 64 => return Ok(text.trim().into()),
        Ok(_) => {
            return Err(io::Error::other("the file contains no valid key; delete it to create a new one"));
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
