//! Keyed pseudonyms for identifiers and client addresses. The throttle must recognize a value without storing it in
//! readable form. Users sometimes type a password into the username field, so an unkeyed hash is not enough.

use aws_lc_rs::hmac;
use uuid::Uuid;

use crate::{Result, security::keys::Keys};

/// Creates pseudonyms: the first 128 bits of HMAC-SHA256 (RFC 2104 §5) with a dedicated key.
pub struct Pseudonyms(hmac::Key);

impl std::fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pseudonyms")
    }
}

impl Pseudonyms {
    /// Derives the pseudonym key.
    ///
    /// # Errors
    /// Internal if the key derivation fails.
    pub fn new(keys: &Keys) -> Result<Self> {
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &keys.pseudonym_key()?)))
    }

    /// The pseudonym of a list of parts. Different lists have different pseudonyms.
    #[must_use]
    pub fn of(&self, parts: &[&str]) -> Uuid {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            // The length prefix prevents two lists from having the same encoding.
            context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(part.as_bytes());
        }
        let mut bytes = [0; 16];
        for (byte, tag) in bytes.iter_mut().zip(context.sign().as_ref()) {
            *byte = *tag;
        }
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SecretKey;

    #[test]
    fn pseudonym_depends_on_the_key_and_on_each_part() {
        let pseudonyms = |secret: &str| {
            let keys = Keys::load(&SecretKey::Given(secret.into()), None).unwrap();
            Pseudonyms::new(&keys).unwrap()
        };
        let (one, other) = (pseudonyms("one secret"), pseudonyms("another secret"));
        let names = [
            one.of(&["pair", "ada", "192.0.2.1"]),
            one.of(&["pair", "ad", "a192.0.2.1"]),
            one.of(&["pair", "ada192.0.2.1"]),
            one.of(&["pairada", "192.0.2.1"]),
            one.of(&["pair", "ada", "192.0.2.1", ""]),
            other.of(&["pair", "ada", "192.0.2.1"]),
        ];
        for (index, name) in names.iter().enumerate() {
            assert!(!names[index + 1..].contains(name), "{index}");
        }
        assert_eq!(names[0], pseudonyms("one secret").of(&["pair", "ada", "192.0.2.1"]));
    }
}
