//! Codes that users type from a mail: 8 digits.
//!
//! A code has only 27 bits, so its plain hash would be found in a second by trying all codes. The database stores an HMAC with a
//! key that is not in the database. It includes the id of the row, so that equal codes have different hashes.

use std::fmt;

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sea_orm::DeriveValueType;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    Error, Result,
    config::{ExposeSecret, SecretString},
    security::{
        keys::{self, KeyUse, Keys},
        random,
    },
};

/// Number of digits.
const DIGITS: usize = 8;
const CODES: u64 = 100_000_000;

/// A code.
#[derive(Clone)]
pub struct MailCode(Zeroizing<String>);

impl fmt::Debug for MailCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailCode(…)")
    }
}

impl MailCode {
    /// Generates a code.
    ///
    /// # Errors
    /// As [`random::bytes`].
    pub fn generate() -> Result<Self> {
        // The remainder of 64 random bits: no code is more likely than another by more than 2^-37.
        let number = u64::from_be_bytes(random::bytes()?) % CODES;
        Ok(Self(Zeroizing::new(format!("{number:0DIGITS$}"))))
    }

    /// Parses a typed code. Ignores white space and hyphens. `None` if it cannot be a code.
    #[must_use]
    pub fn parse(text: &SecretString) -> Option<Self> {
        // Bounds the work for a long text.
        let typed = text.expose_secret().chars().take(64).filter(|c| !c.is_whitespace() && *c != '-');
        let digits: Zeroizing<String> = Zeroizing::new(typed.collect());
        (digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(Self(digits))
    }

    /// The digits, for the mail.
    #[must_use]
    pub fn to_text(&self) -> SecretString {
        self.0.as_str().into()
    }
}

/// The HMAC-SHA-256 of a code and the id of its row.
#[derive(Clone, PartialEq, Eq, DeriveValueType)]
pub struct MailCodeHash(String);

impl fmt::Debug for MailCodeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailCodeHash(…)")
    }
}

/// Hashes codes.
pub struct MailCodes {
    /// The current key first.
    keys: Vec<hmac::Key>,
}

impl fmt::Debug for MailCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailCodes")
    }
}

impl MailCodes {
    /// Derives the keys.
    ///
    /// # Errors
    /// Internal if the key derivation fails.
    pub fn new(keys: &Keys) -> Result<Self> {
        let key = |secret| {
            let key = Zeroizing::new(keys::derive::<32>(secret, KeyUse::MailCode)?);
            Ok(hmac::Key::new(hmac::HMAC_SHA256, &*key))
        };
        Ok(Self { keys: keys.secrets().map(key).collect::<Result<_>>()? })
    }

    /// The hash of a code in the row with this id.
    ///
    /// # Errors
    /// Internal if there is no key.
    pub fn hash(&self, id: Uuid, code: &MailCode) -> Result<MailCodeHash> {
        let key = self.keys.first().ok_or_else(|| Error::internal("there is no key for codes in mails"))?;
        Ok(MailCodeHash(URL_SAFE_NO_PAD.encode(hmac::sign(key, &message(id, code)))))
    }

    /// Whether a code is that of the row with this id. The time depends neither on how much of it is correct, nor on whether the
    /// row has a code.
    #[must_use]
    pub fn matches(&self, id: Uuid, code: &MailCode, hash: Option<&MailCodeHash>) -> bool {
        let no_code = MailCodeHash("A".repeat(43));
        let tag = URL_SAFE_NO_PAD.decode(&hash.unwrap_or(&no_code).0).unwrap_or_default();
        let message = message(id, code);
        self.keys.iter().any(|key| hmac::verify(key, &message, &tag).is_ok())
    }
}

fn message(id: Uuid, code: &MailCode) -> Zeroizing<Vec<u8>> {
    Zeroizing::new([id.as_bytes().as_slice(), code.0.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SecretKey;

    const ID: Uuid = Uuid::from_u128(1);

    fn codes(secret: &str, previous: Option<&str>) -> MailCodes {
        let previous = previous.map(Into::into);
        MailCodes::new(&Keys::load(&SecretKey::Given(secret.into()), previous.as_ref()).unwrap()).unwrap()
    }

    fn code(text: &str) -> MailCode {
        MailCode::parse(&text.into()).unwrap()
    }

    #[test]
    fn generated_codes_have_eight_digits() {
        for _ in 0..100 {
            let text = MailCode::generate().unwrap().to_text();
            let text = text.expose_secret();
            assert!(text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()), "{text}");
        }
    }

    #[test]
    fn spaces_and_hyphens_are_forgiven() {
        for text in ["12345678", " 1234 5678\n", "1234-5678", "1234\u{a0}5678"] {
            assert_eq!(code(text).to_text().expose_secret(), "12345678", "{text}");
        }
        for text in ["", "1234567", "123456789", "1234567a", "１２３４５６７８", &" ".repeat(80)] {
            assert!(MailCode::parse(&text.into()).is_none(), "{text}");
        }
    }

    #[test]
    fn hash_is_bound_to_the_code_the_row_and_the_key() {
        let (one, other) = (codes("one secret", None), codes("another secret", None));
        let hash = one.hash(ID, &code("12345678")).unwrap();
        assert!(one.matches(ID, &code("12345678"), Some(&hash)));
        assert!(!one.matches(ID, &code("12345679"), Some(&hash)));
        assert!(!one.matches(Uuid::nil(), &code("12345678"), Some(&hash)) && !one.matches(ID, &code("12345678"), None));
        assert!(!other.matches(ID, &code("12345678"), Some(&hash)));
        assert!(!format!("{:?}{hash:?}{one:?}", code("12345678")).contains("1234"));
    }

    #[test]
    fn codes_of_the_previous_key_stay_valid() {
        let hash = codes("one secret", None).hash(ID, &code("12345678")).unwrap();
        assert!(codes("another secret", Some("one secret")).matches(ID, &code("12345678"), Some(&hash)));
    }
}
