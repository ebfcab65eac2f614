//! What people type, parsed: a value of one of these types has passed its checks.
//!
//! The `key` of a name is what is compared and unique. Nothing is repaired in silence but the case, which is compared
//! without regard, international domains, which have one spelling in the DNS, and white space around usernames and
//! addresses, which keyboards add. Passwords are never changed.

mod characters;
mod email;
mod password;

use characters::{is_invisible, is_reordering};
pub use email::Email;
pub use password::{Owner, PASSWORD_LENGTH, Password, may_be_password};

use crate::{
    entity::user::Identifier,
    error::{ErrorCode, Field, InputError},
};

/// Characters of a username.
pub const USERNAME_LENGTH: std::ops::RangeInclusive<usize> = 1..=64;
/// Characters of a first or last name.
const MAX_NAME_LENGTH: usize = 100;

/// A username: letters (A-Z), digits, `_` and `-`, which a new one does not start with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username {
    /// As typed, without white space around it.
    pub text: String,
    /// As compared: in lower case.
    pub key: String,
}

impl Username {
    /// Parses the input field `username` of somebody who chooses one.
    ///
    /// # Errors
    /// REQUIRED, TOO_LONG, INVALID_USERNAME.
    pub fn parse(text: &str) -> Result<Self, InputError> {
        let username = Self::parse_existing(text)?;
        // Command lines would take it for an option.
        if username.text.starts_with('-') {
            return Err(InputError::new(ErrorCode::InvalidUsername, Field::Username));
        }
        Ok(username)
    }

    /// Parses a username that somebody may have already: accounts of older versions may have one that starts with `-`.
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

/// Parses a first or last name: blank is none.
///
/// # Errors
/// TOO_LONG; BAD_USER_INPUT for control characters, NUL among them, for characters that change the order of the text around
/// the name, and for a name that nobody could see.
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

/// A username or an e-mail address, as a user who signs in enters it.
#[derive(Clone, Debug)]
pub enum TypedIdentifier {
    /// It has no `@`.
    Username(Username),
    /// It has one.
    Email(Email),
    /// No user can have it. At most 255 characters are kept, more than any identifier has.
    Unknown(String),
}

impl TypedIdentifier {
    /// Parses by the rules of registration, so that every spelling of a name is the same name.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let known = if text.contains('@') {
            Email::parse(text).ok().map(Self::Email)
        } else {
            Username::parse_existing(text).ok().map(Self::Username)
        };
        known.unwrap_or_else(|| Self::Unknown(text.trim().chars().take(255).collect()))
    }

    /// The key to look for; `None` if no user can have it.
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
    fn a_username_is_plain_so_that_none_looks_like_another() {
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
    fn a_name_is_what_is_left_between_spaces() {
        assert_eq!(parse_name(Some(" Ada "), Field::FirstName).unwrap().as_deref(), Some("Ada"));
        assert_eq!(parse_name(Some("  "), Field::FirstName).unwrap(), None);
        assert_eq!(parse_name(None, Field::FirstName).unwrap(), None);
        assert_eq!(parse_name(Some("A\0da"), Field::FirstName).unwrap_err().code, ErrorCode::BadUserInput);
        assert!(parse_name(Some(&"Ж".repeat(100)), Field::FirstName).is_ok());
        assert_eq!(parse_name(Some(&"Ж".repeat(101)), Field::FirstName).unwrap_err().limit, Some(100));
    }
}
