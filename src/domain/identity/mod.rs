//! Parsed user input: a value of one of these types has passed its checks.
//!
//! The `key` of a username or address is used for comparison and uniqueness. Only three things are normalized: case,
//! which is ignored in comparisons; international domains, which have one spelling in the DNS; and white space around
//! usernames and addresses, which keyboards add. Passwords are never changed.

mod characters;
mod email;
mod password;
mod username;

use characters::{is_invisible, is_reordering};
pub use email::{Email, MAX_EMAIL_LENGTH};
pub use password::{Owner, PASSWORD_LENGTH, Password, may_be_password};
pub use username::{USERNAME_LENGTH, Username, username_pattern};

use crate::{
    entity::user::Identifier,
    error::{ErrorCode, Field, InputError},
};

/// Maximum length of a first or last name, in characters.
pub const MAX_NAME_LENGTH: usize = 100;

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
    /// A text that is not an address.
    Username(Username),
    /// A text that is an address. No username is one, so that a username never hides an account's address.
    Email(Email),
    /// An identifier that no user can have. Cut to 255 characters, more than any valid identifier has.
    Unknown(String),
}

impl TypedIdentifier {
    /// Parses with the rules of registration, so that all spellings of an identifier have the same key.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        // Without `@`, it is no address.
        let email = text.contains('@').then(|| Email::parse(text).ok()).flatten().map(Self::Email);
        let known = email.or_else(|| Username::parse_existing(text).ok().map(Self::Username));
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
    fn name_is_trimmed_and_blank_is_none() {
        assert_eq!(parse_name(Some(" Ada "), Field::FirstName).unwrap().as_deref(), Some("Ada"));
        assert_eq!(parse_name(Some("  "), Field::FirstName).unwrap(), None);
        assert_eq!(parse_name(None, Field::FirstName).unwrap(), None);
        assert_eq!(parse_name(Some("A\0da"), Field::FirstName).unwrap_err().code, ErrorCode::BadUserInput);
        assert!(parse_name(Some(&"Ж".repeat(100)), Field::FirstName).is_ok());
        assert_eq!(parse_name(Some(&"Ж".repeat(101)), Field::FirstName).unwrap_err().limit, Some(100));
    }
}
