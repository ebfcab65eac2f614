//! What people type, parsed: a value of one of these types has passed its checks.
//!
//! The `key` of a name is what is compared and unique. Nothing is repaired in silence but the case, which is compared
//! without regard, and international domains, which have one spelling in the DNS.

mod email;

pub use email::Email;

use crate::{
    config::{ExposeSecret, SecretString},
    entity::user::Identifier,
    error::{ErrorCode, InputError},
};

/// Characters of a username.
pub const USERNAME_LENGTH: std::ops::RangeInclusive<usize> = 1..=64;
/// Code points of a password.
pub const PASSWORD_LENGTH: std::ops::RangeInclusive<usize> = 8..=128;
/// Characters of a first or last name.
const LONGEST_NAME: usize = 100;

/// A username: letters (A-Z), digits, `_` and `-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username {
    /// As typed.
    pub text: String,
    /// As compared: in lower case.
    pub key: String,
}

impl Username {
    /// Parses the input field `username`.
    ///
    /// # Errors
    /// REQUIRED, TOO_LONG, INVALID_USERNAME.
    pub fn parse(text: &str) -> Result<Self, InputError> {
        const FIELD: &str = "username";
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if text.trim().is_empty() {
            Err(InputError::new(ErrorCode::Required, FIELD))
        } else if text.chars().count() > *USERNAME_LENGTH.end() {
            Err(InputError::with_limit(ErrorCode::TooLong, FIELD, *USERNAME_LENGTH.end()))
        } else if !text.chars().all(is_allowed) {
            Err(InputError::new(ErrorCode::InvalidUsername, FIELD))
        } else {
            Ok(Self { text: text.to_owned(), key: text.to_ascii_lowercase() })
        }
    }
}

/// A new password: 8 to 128 code points, any at all. Never trimmed, folded or cut.
#[derive(Clone, Debug)]
pub struct Password(SecretString);

impl Password {
    /// Parses the input field `field`.
    ///
    /// # Errors
    /// REQUIRED, PASSWORD_TOO_SHORT, PASSWORD_TOO_LONG.
    pub fn parse(text: SecretString, field: &'static str) -> Result<Self, InputError> {
        let (least, most) = PASSWORD_LENGTH.into_inner();
        match text.expose_secret().chars().count() {
            0 => Err(InputError::new(ErrorCode::Required, field)),
            length if length < least => Err(InputError::with_limit(ErrorCode::PasswordTooShort, field, least)),
            length if length > most => Err(InputError::with_limit(ErrorCode::PasswordTooLong, field, most)),
            _ => Ok(Self(text)),
        }
    }

    /// The password, for the hasher.
    #[must_use]
    pub fn secret(&self) -> &SecretString {
        &self.0
    }
}

/// Whether a password is one that somebody may have. A longer one is nobody's, and not worth hashing.
#[must_use]
pub fn may_be_password(text: &SecretString) -> bool {
    text.expose_secret().chars().nth(*PASSWORD_LENGTH.end()).is_none()
}

/// Parses a first or last name: blank is none.
///
/// # Errors
/// TOO_LONG; BAD_USER_INPUT for control characters, NUL among them.
pub fn parse_name(text: Option<&str>, field: &'static str) -> Result<Option<String>, InputError> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if text.chars().count() > LONGEST_NAME {
        Err(InputError::with_limit(ErrorCode::TooLong, field, LONGEST_NAME))
    } else if text.chars().any(char::is_control) {
        Err(InputError::new(ErrorCode::BadUserInput, field))
    } else {
        Ok(Some(text.to_owned()))
    }
}

/// A username or an e-mail address, as someone signing in types it; `None` if it can be neither.
#[derive(Clone, Debug)]
pub enum TypedIdentifier {
    /// It has no `@`.
    Username(Username),
    /// It has one.
    Email(Email),
}

impl TypedIdentifier {
    /// Reads what was typed by the rules of registration, so that every spelling of a name is the same name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.contains('@') {
            Email::parse(text).ok().map(Self::Email)
        } else {
            Username::parse(text).ok().map(Self::Username)
        }
    }

    /// The key to look for.
    #[must_use]
    pub fn key(&self) -> Identifier<'_> {
        match self {
            Self::Username(username) => Identifier::Username(&username.key),
            Self::Email(email) => Identifier::Email(&email.key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_username_is_plain_so_that_none_looks_like_another() {
        assert_eq!(Username::parse("Ada_L-1").unwrap().key, "ada_l-1");
        for text in
            ["ada ", " ada", "a da", "аda", "ada\u{200b}", "ａda", "a\u{301}da", "ada\0", "ada@x", "ada.l", "ada\n"]
        {
            assert_eq!(Username::parse(text).unwrap_err().code, ErrorCode::InvalidUsername, "{text:?}");
        }
        for text in ["", " ", "\t"] {
            assert_eq!(Username::parse(text).unwrap_err().code, ErrorCode::Required, "{text:?}");
        }
        assert!(Username::parse(&"a".repeat(64)).is_ok());
        assert_eq!(Username::parse(&"a".repeat(65)).unwrap_err().limit, Some(64));
    }

    #[test]
    fn a_password_is_counted_in_code_points_and_kept_as_it_is() {
        let parse =
            |text: &str| Password::parse(text.into(), "password").map(|p| p.secret().expose_secret().to_owned());
        for text in ["        ", "p\0p\0p\0p\0", &"😀".repeat(8), &"😀".repeat(128), " padded "] {
            assert_eq!(parse(text).unwrap(), text);
        }
        assert_eq!(parse(&"😀".repeat(7)).unwrap_err().limit, Some(8));
        assert_eq!(parse(&"😀".repeat(129)).unwrap_err().limit, Some(128));
        assert_eq!(parse("").unwrap_err().code, ErrorCode::Required);
    }

    #[test]
    fn a_name_is_what_is_left_between_spaces() {
        assert_eq!(parse_name(Some(" Ada "), "firstName").unwrap().as_deref(), Some("Ada"));
        assert_eq!(parse_name(Some("  "), "firstName").unwrap(), None);
        assert_eq!(parse_name(None, "firstName").unwrap(), None);
        assert_eq!(parse_name(Some("A\0da"), "firstName").unwrap_err().code, ErrorCode::BadUserInput);
        assert!(parse_name(Some(&"Ж".repeat(100)), "firstName").is_ok());
        assert_eq!(parse_name(Some(&"Ж".repeat(101)), "firstName").unwrap_err().limit, Some(100));
    }
}
