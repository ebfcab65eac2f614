//! New passwords.

use crate::{
    config::{ExposeSecret, SecretString, Settings},
    entity::user,
    error::{ErrorCode, Field, InputError},
    security::common_passwords,
};

/// Length of a password, in Unicode code points.
pub const PASSWORD_LENGTH: std::ops::RangeInclusive<usize> = 8..=128;

/// A new password: 8 to 128 arbitrary code points, but not a common password or the owner's name. Never trimmed, folded
/// or truncated.
#[derive(Clone, Debug)]
pub struct Password(SecretString);

/// The public identity of the password's owner, as entered or as stored.
#[derive(Clone, Copy, Debug, Default)]
pub struct Owner<'a> {
    /// The username.
    pub username: &'a str,
    /// The address.
    pub email: Option<&'a str>,
    /// Given name.
    pub first_name: Option<&'a str>,
    /// Family name.
    pub last_name: Option<&'a str>,
}

impl Password {
    /// Parses the input field `field` as a new password.
    ///
    /// # Errors
    /// REQUIRED, PASSWORD_TOO_SHORT, PASSWORD_TOO_LONG; PASSWORD_TOO_COMMON if `PASSWORD_BLOCKLIST` is on.
    pub fn parse(text: SecretString, field: Field, owner: &Owner<'_>, settings: &Settings) -> Result<Self, InputError> {
        let (min, max) = PASSWORD_LENGTH.into_inner();
        let password = text.expose_secret();
        // Counting stops at the limit, so that a password of a megabyte costs no more than a valid one.
        match password.chars().take(max + 1).count() {
            0 => Err(InputError::new(ErrorCode::Required, field)),
            length if length < min => Err(InputError::with_limit(ErrorCode::PasswordTooShort, field, min)),
            length if length > max => Err(InputError::with_limit(ErrorCode::PasswordTooLong, field, max)),
            _ if settings.passwords.blocklist && (common_passwords::contain(password) || owner.is_named(password)) => {
                Err(InputError::new(ErrorCode::PasswordTooCommon, field))
            }
            _ => Ok(Self(text)),
        }
    }

    /// The password, for the hasher.
    #[must_use]
    pub fn secret(&self) -> &SecretString {
        &self.0
    }
}

impl<'a> From<&'a user::Model> for Owner<'a> {
    fn from(user: &'a user::Model) -> Self {
        Self {
            username: &user.username,
            email: user.email.as_deref(),
            first_name: user.first_name.as_deref(),
            last_name: user.last_name.as_deref(),
        }
    }
}

impl Owner<'_> {
    /// Whether `password` is the owner's name or address, ignoring case. Variations, even by one character, are
    /// allowed: there is no clear limit for them, and the throttle limits guessing.
    fn is_named(&self, password: &str) -> bool {
        let local_part = self.email.and_then(|email| email.rsplit_once('@')).map(|(local_part, _)| local_part);
        let [first, last] = [self.first_name, self.last_name].map(|name| name.unwrap_or_default().trim());
        let full = [format!("{first} {last}"), format!("{first}{last}"), format!("{last} {first}")];
        let names = [self.username, self.email.unwrap_or_default(), local_part.unwrap_or_default(), first, last];
        let password = password.to_lowercase();
        names.into_iter().chain(full.iter().map(String::as_str)).any(|name| name.to_lowercase() == password)
    }
}

/// Whether a text is short enough to be a password. A longer one cannot match and is not hashed.
#[must_use]
pub fn may_be_password(text: &SecretString) -> bool {
    text.expose_secret().chars().nth(*PASSWORD_LENGTH.end()).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: Owner<'_> = Owner {
        username: "Countess_1815",
        email: Some("ada.king@example.org"),
        first_name: Some("Ada"),
        last_name: Some("Lovelace"),
    };

    fn parse(text: &str, owner: &Owner<'_>) -> Result<String, InputError> {
        let secret_key = ("SECRET_KEY".to_owned(), "a secret that is for the tests only: 4c1f".to_owned());
        let settings = Settings::from_vars([secret_key]).unwrap();
        Password::parse(text.into(), Field::Password, owner, &settings).map(|p| p.secret().expose_secret().to_owned())
    }

    #[test]
    fn password_length_is_in_code_points_and_text_is_unchanged() {
        let parse = |text: &str| parse(text, &Owner::default());
        for text in ["        ", "p\0p\0p\0p\0", &"😀".repeat(8), &"😀".repeat(128), " padded "] {
            assert_eq!(parse(text).unwrap(), text);
        }
        assert_eq!(parse(&"😀".repeat(7)).unwrap_err().limit, Some(8));
        assert_eq!(parse(&"😀".repeat(129)).unwrap_err().limit, Some(128));
        assert_eq!(parse("").unwrap_err().code, ErrorCode::Required);
    }

    #[test]
    fn owners_name_or_address_is_rejected() {
        for name in [
            "countess_1815",
            "COUNTESS_1815",
            "Ada.King@Example.org",
            "ada.king",
            "lovelace",
            "LOVELACE",
            "Ada Lovelace",
            "adalovelace",
            "Lovelace Ada",
        ] {
            let expected = InputError::new(ErrorCode::PasswordTooCommon, Field::Password);
            assert_eq!(parse(name, &ADA).unwrap_err(), expected, "{name}");
        }
        for password in ["ada lovelace!", "lovelace7", " lovelace ", "example.org", "countess", "adaadaada"] {
            assert_eq!(parse(password, &ADA).unwrap(), password);
        }
        // The length is checked before the blocklist.
        assert_eq!(parse("ada", &ADA).unwrap_err().code, ErrorCode::PasswordTooShort);
        // Missing names must not match a password of spaces.
        assert!(parse("        ", &Owner { username: "x", ..Owner::default() }).is_ok());
        let cyrillic = Owner { username: "x", first_name: Some("Екатерина"), ..Owner::default() };
        assert_eq!(parse("ЕКАТЕРИНА", &cyrillic).unwrap_err().code, ErrorCode::PasswordTooCommon);
    }
}
