//! Cursors of paginated lists: the sort key of a row, encrypted, so that a cursor reveals nothing and cannot be made up.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    Error, Result,
    security::keys::{self, KeyUse, Keys},
};

/// Maximum length of a cursor: that of the longest sort key, a username.
const MAX_LENGTH: usize = 512;

/// Encrypts and decrypts cursors with AES-256-GCM-SIV (RFC 8452). The nonce is constant: with this mode, that only reveals
/// that two cursors are equal, and makes the cursor of a row the same in each response.
pub struct Cursors {
    /// The current key first.
    keys: Vec<LessSafeKey>,
}

impl std::fmt::Debug for Cursors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cursors")
    }
}

impl Cursors {
    /// Derives the keys.
    ///
    /// # Errors
    /// Internal if the key derivation fails.
    pub fn new(keys: &Keys) -> Result<Self> {
        let key = |secret| {
            let key = keys::derive::<32>(secret, KeyUse::Cursor)?;
            UnboundKey::new(&AES_256_GCM_SIV, &key).map(LessSafeKey::new).map_err(|_| failed())
        };
        Ok(Self { keys: keys.secrets().map(key).collect::<Result<_>>()? })
    }

    /// Creates the cursor of a sort key. `list` names the list and its order; the cursor is valid only there.
    ///
    /// # Errors
    /// Internal if the encryption fails.
    pub fn seal(&self, list: &str, sort_key: &[u8]) -> Result<String> {
        let key = self.keys.first().ok_or_else(failed)?;
        let mut bytes = sort_key.to_vec();
        key.seal_in_place_append_tag(nonce(), Aad::from(list), &mut bytes).map_err(|_| failed())?;
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Returns the sort key of a cursor. `None` if the cursor was not created for this list.
    #[must_use]
    pub fn open(&self, list: &str, cursor: &str) -> Option<Vec<u8>> {
        if cursor.len() > MAX_LENGTH {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        self.keys.iter().find_map(|key| {
            let mut bytes = bytes.clone();
            let opened = key.open_in_place(nonce(), Aad::from(list), &mut bytes).ok()?;
            Some(opened.to_vec())
        })
    }
}

fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

fn failed() -> Error {
    Error::internal("a cursor cannot be encrypted")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SecretKey;

    fn cursors(secret: &str, previous: Option<&str>) -> Cursors {
        let previous = previous.map(Into::into);
        Cursors::new(&Keys::load(&SecretKey::Given(secret.into()), previous.as_ref()).unwrap()).unwrap()
    }

    #[test]
    fn cursor_is_valid_only_for_its_list() {
        let cursors = cursors("one secret", None);
        let cursor = cursors.seal("users by name", b"ada").unwrap();
        assert_eq!(cursors.open("users by name", &cursor).as_deref(), Some(&b"ada"[..]));
        assert_eq!(cursors.open("users by time", &cursor), None);
    }

    #[test]
    fn cursor_outlives_a_change_of_the_secret_while_the_previous_one_is_known() {
        let cursor = cursors("one secret", None).seal("users", b"ada").unwrap();
        assert!(cursors("another secret", Some("one secret")).open("users", &cursor).is_some());
        assert!(cursors("another secret", None).open("users", &cursor).is_none());
    }

    #[test]
    fn changed_cursor_is_refused() {
        let cursors = cursors("one secret", None);
        let mut bytes = URL_SAFE_NO_PAD.decode(cursors.seal("users", b"ada").unwrap()).unwrap();
        for index in 0..bytes.len() {
            bytes[index] ^= 1;
            assert_eq!(cursors.open("users", &URL_SAFE_NO_PAD.encode(&bytes)), None, "{index}");
            bytes[index] ^= 1;
        }
    }
}
