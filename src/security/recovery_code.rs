//! Recovery codes: single-use codes for users who lost their second factor.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sea_orm::{DbErr, DeriveValueType, TryFromU64};
use zeroize::Zeroizing;

use crate::{
    Result,
    config::{ExposeSecret, SecretString},
    security::random,
};

/// Number of codes that a user has at first.
pub const CODES: usize = 10;

/// Number of characters of a code: 120 bits.
const LENGTH: usize = 24;

/// Number of characters in a group.
const GROUP: usize = 4;

/// The alphabet of Crockford's Base32, which omits I, L, O and U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A recovery code in its normal form: 24 characters of the alphabet, without separators.
#[derive(Clone)]
pub struct RecoveryCode(Zeroizing<[u8; LENGTH]>);

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(…)")
    }
}

/// The SHA-256 hash of a code. A code has 120 random bits, so it cannot be guessed and needs no slow hash (OWASP ASVS 5.0
/// §6.5.2).
#[derive(Clone, PartialEq, Eq, DeriveValueType)]
pub struct RecoveryCodeHash(String);

impl fmt::Debug for RecoveryCodeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCodeHash(…)")
    }
}

/// SeaORM requires it of the columns of a primary key.
impl TryFromU64 for RecoveryCodeHash {
    fn try_from_u64(_: u64) -> Result<Self, DbErr> {
        Err(DbErr::ConvertFromU64("RecoveryCodeHash"))
    }
}

impl RecoveryCode {
    /// Generates [`CODES`] codes.
    ///
    /// # Errors
    /// As [`random::bytes`].
    pub fn generate_all() -> Result<Vec<Self>> {
        (0..CODES).map(|_| Self::generate()).collect()
    }

    fn generate() -> Result<Self> {
        // 256 is a multiple of 32, so each character is equally likely.
        let bytes = random::bytes::<LENGTH>()?;
        let character = |byte: u8| ALPHABET.get(usize::from(byte % 32)).copied().unwrap_or_default();
        Ok(Self(Zeroizing::new(bytes.map(character))))
    }

    /// Parses a typed code. Ignores case, white space and punctuation, and reads I and L as 1 and O as 0.
    #[must_use]
    pub fn parse(text: &SecretString) -> Option<Self> {
        let is_separator = |c: &char| c.is_whitespace() || matches!(c, '-' | '_' | '.' | '‐'..='―');
        // Bounds the work for a long text.
        let mut characters = text.expose_secret().chars().take(256).filter(|c| !is_separator(c));
        let mut code = Zeroizing::new([0; LENGTH]);
        for character in &mut *code {
            *character = normalize(characters.next()?)?;
        }
        characters.next().is_none().then_some(Self(code))
    }

    /// The code as it is shown: in groups of four characters.
    #[must_use]
    pub fn to_text(&self) -> SecretString {
        let groups = self.0.chunks(GROUP).map(|group| group.iter().copied().map(char::from).collect::<String>());
        groups.collect::<Vec<_>>().join("-").into()
    }

    /// The hash, which the database stores.
    #[must_use]
    pub fn hash(&self) -> RecoveryCodeHash {
        RecoveryCodeHash(URL_SAFE_NO_PAD.encode(digest(&SHA256, &*self.0)))
    }
}

/// The character of the alphabet that is meant by a typed one.
fn normalize(c: char) -> Option<u8> {
    let upper = u8::try_from(c).ok()?.to_ascii_uppercase();
    let meant = match upper {
        b'I' | b'L' => b'1',
        b'O' => b'0',
        _ => upper,
    };
    ALPHABET.contains(&meant).then_some(meant)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn parse(text: &str) -> Option<RecoveryCode> {
        RecoveryCode::parse(&text.into())
    }

    #[test]
    fn generated_codes_differ_and_are_shown_in_groups() {
        let codes = RecoveryCode::generate_all().unwrap();
        let texts: BTreeSet<_> = codes.iter().map(|code| code.to_text().expose_secret().to_owned()).collect();
        assert_eq!(texts.len(), 10);
        for code in codes {
            let text = code.to_text();
            let groups: Vec<_> = text.expose_secret().split('-').collect();
            assert_eq!(groups.len(), 6);
            assert!(groups.iter().all(|group| group.len() == 4), "{groups:?}");
            assert!(RecoveryCode::parse(&text).unwrap().hash() == code.hash());
        }
    }

    #[test]
    fn case_separators_and_similar_characters_are_forgiven() {
        let code = parse("0123-4567-89AB-CDEF-GHJK-1110").unwrap();
        for text in [
            "0123456789ABCDEFGHJK1110",
            "0123-4567-89ab-cdef-ghjk-1110",
            " 0123 4567 89ab cdef ghjk 1110\n",
            "0123.4567_89AB–CDEF GHJK 1110",
            "oI23-4567-89AB-CDEF-GHJK-iLlO",
            "O123-4567-89AB-CDEF-GHJK-LI1o",
        ] {
            assert!(parse(text).unwrap().hash() == code.hash(), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "0123-4567-89AB-CDEF-GHJK-111",
            "0123-4567-89AB-CDEF-GHJK-11101",
            "U123-4567-89AB-CDEF-GHJK-1110",
            "é123-4567-89AB-CDEF-GHJK-1110",
            &"0123-4567-89AB-CDEF-GHJK-1110 ".repeat(2),
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn hash_is_that_of_the_normal_form() {
        let hash = parse("oooo oooo oooo oooo oooo oooo").unwrap().hash();
        assert!(hash == parse("000000000000000000000000").unwrap().hash());
        assert_eq!(hash.0, URL_SAFE_NO_PAD.encode(digest(&SHA256, &[b'0'; LENGTH])));
        assert_eq!(format!("{hash:?}"), "RecoveryCodeHash(…)");
        assert_eq!(format!("{:?}", parse("000000000000000000000000").unwrap()), "RecoveryCode(…)");
    }
}
