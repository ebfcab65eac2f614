//! Parsed user input: a value of one of these types has passed its checks.
//!
//! The `key` of a username or address is used for comparison and uniqueness. Only three things are normalized: case,
//! which is ignored in comparisons; international domains, which have one spelling in the DNS; and white space around
//! usernames and addresses, which keyboards add. Passwords are never changed.

mod characters;
mod email;
mod password;

use characters::{is_invisible, is_reordering};
pub use email::{Email, MAX_EMAIL_LENGTH};
pub use password::{Owner, PASSWORD_LENGTH, Password, may_be_password};

use crate::{
    entity::user::Identifier,
    error::{ErrorCode, Field, InputError},
};

/// Length of a username, in characters.
pub const USERNAME_LENGTH: std::ops::RangeInclusive<usize> = 1..=64;
/// Maximum length of a first or last name, in characters.
pub const MAX_NAME_LENGTH: usize = 100;

/// A username: letters (A-Z), digits, `_` and `-`. A new username must not start with `-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username {
    /// As entered, trimmed.
    pub text: String,
    /// The key for comparison: lower case.
    pub key: String,
}

impl Username {
    /// Parses the input field `username` as a new username.
    ///
    /// # Errors
    /// REQUIRED, TOO_LONG, INVALID_USERNAME.
    pub fn parse(text: &str) -> Result<Self, InputError> {
        let username = Self::parse_existing(text)?;
        // A command line would parse it as an option.
        if username.text.starts_with('-') {
            return Err(InputError::new(ErrorCode::InvalidUsername, Field::Username));
        }
        Ok(username)
    }

    /// Parses a username that may already exist. Older versions allowed usernames that start with `-`.
    ///
    /// # Errors
    /// REQUIRED, TOO_LONG, INVALID_USERNAME.
    pub fn parse_existing(text: &str) -> Result<Self, InputError> {
        const FIELD: Field = Field::Username;
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let text = text.trim();
        if text.is_empty() {
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

/// Parses a first or last name. A blank name is `None`.
///
/// # Errors
/// TOO_LONG; BAD_USER_INPUT for control characters including NUL, for characters that reorder the surrounding text, and
/// for a name that consists of invisible characters.
pub fn parse_name(text: Option<&str>, field: Field) -> Result<Option<String>, InputError> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if text.chars().count() > MAX_NAME_LENGTH {
        Err(InputError::with_limit(ErrorCode::TooLong, field, MAX_NAME_LENGTH))
    } else if text.chars().any(|c| c.is_control() || is_reordering(c)) || text.chars().all(is_invisible) {
        Err(InputError::new(ErrorCode::BadUserInput, field))
    } else {
        Ok(Some(text.to_owned()))
    }
}

/// A username or an e-mail address, as entered at sign-in.
#[derive(Clone, Debug)]
pub enum TypedIdentifier {
    /// A text without `@`.
    Username(Username),
    /// A text with `@`.
    Email(Email),
    /// An identifier that no user can have. Cut to 255 characters, more than any valid identifier has.
    Unknown(String),
}

impl TypedIdentifier {
    /// Parses with the rules of registration, so that all spellings of an identifier have the same key.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let known = if text.contains('@') {
            Email::parse(text).ok().map(Self::Email)
        } else {
            Username::parse_existing(text).ok().map(Self::Username)
        };
        known.unwrap_or_else(|| Self::Unknown(text.trim().chars().take(255).collect()))
    }

    /// The key to look up. `None` if no user can have the identifier.
    #[must_use]
    pub fn key(&self) -> Option<Identifier<'_>> {
        match self {
            Self::Username(username) => Some(Identifier::Username(&username.key)),
            Self::Email(email) => Some(Identifier::Email(&email.key)),
            Self::Unknown(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn username_allows_only_ascii_letters_digits_underscore_and_hyphen() {
        assert_eq!(Username::parse("Ada_L-1").unwrap().key, "ada_l-1");
        for text in
            ["a da", "аda", "ada\u{200b}", "\u{feff}ada", "ａda", "a\u{301}da", "ada\0", "ada@x", "ada.l", "a\nda"]
        {
            assert_eq!(Username::parse(text).unwrap_err().code, ErrorCode::InvalidUsername, "{text:?}");
        }
        for text in ["ada", " ada ", "\u{a0}ada", "ada\u{3000}", "\u{2007}ada\r\n"] {
            assert_eq!(Username::parse(text).unwrap().text, "ada", "{text:?}");
        }
        assert_eq!(Username::parse("-h").unwrap_err().code, ErrorCode::InvalidUsername);
        assert_eq!(Username::parse_existing("-H").unwrap().key, "-h");
        for text in ["", " ", "\t", "\u{a0}"] {
            assert_eq!(Username::parse(text).unwrap_err().code, ErrorCode::Required, "{text:?}");
        }
        assert!(Username::parse(&"a".repeat(64)).is_ok());
        assert_eq!(Username::parse(&"a".repeat(65)).unwrap_err().limit, Some(64));
    }

    #[test]
    fn name_is_trimmed_and_blank_is_none() {
        assert_eq!(parse_name(Some(" Ada "), Field::FirstName).unwrap().as_deref(), Some("Ada"));
        assert_eq!(parse_name(Some("  "), Field::FirstName).unwrap(), None);
        assert_eq!(parse_name(None, Field::FirstName).unwrap(), None);
        assert_eq!(parse_name(Some("A\0da"), Field::FirstName).unwrap_err().code, ErrorCode::BadUserInput);
        assert!(parse_name(Some(&"Ж".repeat(100)), Field::FirstName).is_ok());
        assert_eq!(parse_name(Some(&"Ж".repeat(101)), Field::FirstName).unwrap_err().limit, Some(100));
    }
}
