//! Sealed secrets: encrypted in the database, because the server needs their plain text.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    Error, Result,
    security::keys::{self, KeyUse, Keys},
};

/// Encrypts and decrypts secrets of users with AES-256-GCM and a random nonce (NIST SP 800-38D §8.2.2).
pub struct Sealer {
    /// The current key first.
    keys: Vec<SealingKey>,
}

struct SealingKey {
    id: String,
    key: RandomizedNonceKey,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}

/// A sealed secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The id of the key, derived from the same secret as the key itself.
    pub key_id: String,
    /// The nonce, followed by the encrypted secret and the authentication tag.
    pub bytes: Vec<u8>,
}

impl Sealer {
    /// Derives the keys for TOTP secrets.
    ///
    /// # Errors
    /// Internal if the key derivation fails.
    pub fn for_totp(keys: &Keys) -> Result<Self> {
        let key = |secret| {
            let id = hex::encode(keys::derive::<8>(secret, KeyUse::TotpSecretId)?);
            let key = Zeroizing::new(keys::derive::<32>(secret, KeyUse::TotpSecret)?);
            let key = RandomizedNonceKey::new(&AES_256_GCM, &*key).map_err(|_| failed())?;
            Ok(SealingKey { id, key })
        };
        Ok(Self { keys: keys.secrets().map(key).collect::<Result<_>>()? })
    }

    /// The id of the current key. Secrets with another one must be sealed again before their key is removed.
    ///
    /// # Errors
    /// Internal if there is no key.
    pub fn current_key_id(&self) -> Result<&str> {
        Ok(&self.current()?.id)
    }

    /// The ids of the previous keys, which only open.
    pub fn previous_key_ids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().skip(1).map(|key| &*key.id)
    }

    fn current(&self) -> Result<&SealingKey> {
        self.keys.first().ok_or_else(failed)
    }

    /// Seals a secret of a user with the current key. It can be opened for this user only.
    ///
    /// # Errors
    /// Internal if the encryption fails.
    pub fn seal(&self, user_id: Uuid, secret: &[u8]) -> Result<Sealed> {
        let SealingKey { id, key } = self.current()?;
        let mut encrypted = secret.to_vec();
        let nonce = key.seal_in_place_append_tag(Aad::from(user_id.as_bytes()), &mut encrypted);
        let nonce = nonce.map_err(|_| failed())?;
        Ok(Sealed { key_id: id.clone(), bytes: [nonce.as_ref().as_slice(), &encrypted].concat() })
    }

    /// Opens a sealed secret with the key that sealed it. `None` if this key is no longer known, if the secret belongs to
    /// another user, or if it was changed.
    #[must_use]
    pub fn open(&self, user_id: Uuid, sealed: &Sealed) -> Option<Zeroizing<Vec<u8>>> {
        let SealingKey { key, .. } = self.keys.iter().find(|key| key.id == sealed.key_id)?;
        let (nonce, encrypted) = sealed.bytes.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut secret = Zeroizing::new(encrypted.to_vec());
        let length = key.open_in_place(nonce, Aad::from(user_id.as_bytes()), &mut secret).ok()?.len();
        secret.truncate(length);
        Some(secret)
    }
}

fn failed() -> Error {
    Error::internal("a secret cannot be sealed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SecretKey;

    const ADA: Uuid = Uuid::from_u128(1);
    const BO: Uuid = Uuid::from_u128(2);

    fn keys(secret: &str, previous: Option<&str>) -> Sealer {
        let previous = previous.map(Into::into);
        Sealer::for_totp(&Keys::load(&SecretKey::Given(secret.into()), previous.as_ref()).unwrap()).unwrap()
    }

    fn opened(keys: &Sealer, user_id: Uuid, sealed: &Sealed) -> Option<Vec<u8>> {
        keys.open(user_id, sealed).map(|secret| secret.to_vec())
    }

    #[test]
    fn secret_is_opened_for_its_user_only() {
        let keys = keys("one secret", None);
        let sealed = keys.seal(ADA, b"secret").unwrap();
        assert_eq!(opened(&keys, ADA, &sealed).unwrap(), b"secret");
        assert_eq!(opened(&keys, BO, &sealed), None);
    }

    #[test]
    fn sealing_twice_gives_different_bytes() {
        let keys = keys("one secret", None);
        let [one, other] = [(); 2].map(|()| keys.seal(ADA, b"secret").unwrap());
        assert_ne!(one.bytes, other.bytes);
        assert!(!one.bytes.windows(6).any(|window| window == b"secret"));
        assert_eq!(one.key_id, other.key_id);
    }

    #[test]
    fn secret_is_opened_with_the_previous_key_and_sealed_again_with_the_current_one() {
        let sealed = keys("one secret", None).seal(ADA, b"secret").unwrap();
        let rotated = keys("another secret", Some("one secret"));
        assert_ne!(sealed.key_id, rotated.current_key_id().unwrap());
        let secret = opened(&rotated, ADA, &sealed).unwrap();
        let sealed_again = rotated.seal(ADA, &secret).unwrap();
        assert_eq!(sealed_again.key_id, rotated.current_key_id().unwrap());
        let next = keys("another secret", None);
        assert_eq!(opened(&next, ADA, &sealed), None);
        assert_eq!(opened(&next, ADA, &sealed_again).unwrap(), b"secret");
    }

    #[test]
    fn changed_bytes_and_key_ids_are_refused() {
        let keys = keys("one secret", Some("another secret"));
        let sealed = keys.seal(ADA, b"secret").unwrap();
        for index in 0..sealed.bytes.len() {
            let mut changed = sealed.clone();
            changed.bytes[index] ^= 1;
            assert_eq!(opened(&keys, ADA, &changed), None, "{index}");
            changed.bytes.truncate(index);
            assert_eq!(opened(&keys, ADA, &changed), None, "{index}");
        }
        let key_id = keys.keys[1].id.clone();
        assert_eq!(opened(&keys, ADA, &Sealed { key_id, ..sealed }), None);
    }
}
