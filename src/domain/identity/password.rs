//! New passwords.

use crate::{
    config::{ExposeSecret, SecretString, Settings},
    entity::user,
    error::{ErrorCode, Field, InputError},
    security::common_passwords,
};

/// Code points of a password.
pub const PASSWORD_LENGTH: std::ops::RangeInclusive<usize> = 8..=128;

/// A new password: 8 to 128 code points, any at all, but none that others would guess first. Never trimmed, folded or cut.
#[derive(Clone, Debug)]
pub struct Password(SecretString);

/// Whose password it is to be, as far as others know: as typed, or as stored.
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
    /// Parses the input field `field`, wherever a password is chosen.
    ///
    /// # Errors
    /// REQUIRED, PASSWORD_TOO_SHORT, PASSWORD_TOO_LONG; with `PASSWORD_BLOCKLIST` PASSWORD_TOO_COMMON.
    pub fn parse(text: SecretString, field: Field, owner: &Owner<'_>, settings: &Settings) -> Result<Self, InputError> {
        let (least, most) = PASSWORD_LENGTH.into_inner();
        let password = text.expose_secret();
        // No more is counted than decides: who sends a megabyte gains nothing by it.
        match password.chars().take(most + 1).count() {
            0 => Err(InputError::new(ErrorCode::Required, field)),
            length if length < least => Err(InputError::with_limit(ErrorCode::PasswordTooShort, field, least)),
            length if length > most => Err(InputError::with_limit(ErrorCode::PasswordTooLong, field, most)),
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
    /// Whether `password` is this person's name or address, in any case. One more character makes it a password like any
    /// other: where to stop guessing for people is anyone's guess, and the throttle stands before who guesses.
    fn is_named(&self, password: &str) -> bool {
        let local_part = self.email.and_then(|email| email.rsplit_once('@')).map(|(local_part, _)| local_part);
        let [first, last] = [self.first_name, self.last_name].map(|name| name.unwrap_or_default().trim());
        let full = [format!("{first} {last}"), format!("{first}{last}"), format!("{last} {first}")];
        let names = [self.username, self.email.unwrap_or_default(), local_part.unwrap_or_default(), first, last];
        let password = password.to_lowercase();
        names.into_iter().chain(full.iter().map(String::as_str)).any(|name| name.to_lowercase() == password)
    }
}

/// Whether a password is one that somebody may have. A longer one is nobody's, and not worth hashing.
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
    fn a_password_is_counted_in_code_points_and_kept_as_it_is() {
        let parse = |text: &str| parse(text, &Owner::default());
        for text in ["        ", "p\0p\0p\0p\0", &"😀".repeat(8), &"😀".repeat(128), " padded "] {
            assert_eq!(parse(text).unwrap(), text);
        }
        assert_eq!(parse(&"😀".repeat(7)).unwrap_err().limit, Some(8));
        assert_eq!(parse(&"😀".repeat(129)).unwrap_err().limit, Some(128));
        assert_eq!(parse("").unwrap_err().code, ErrorCode::Required);
    }

    #[test]
    fn ones_own_name_is_no_password() {
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
            let refused = InputError::new(ErrorCode::PasswordTooCommon, Field::Password);
            assert_eq!(parse(name, &ADA).unwrap_err(), refused, "{name}");
        }
        for password in ["ada lovelace!", "lovelace7", " lovelace ", "example.org", "countess", "adaadaada"] {
            assert_eq!(parse(password, &ADA).unwrap(), password);
        }
        // Too short says more than too common.
        assert_eq!(parse("ada", &ADA).unwrap_err().code, ErrorCode::PasswordTooShort);
        // Who has but one name, or none, may have a password that others would share with nobody.
        assert!(parse("        ", &Owner { username: "x", ..Owner::default() }).is_ok());
        let cyrillic = Owner { username: "x", first_name: Some("Екатерина"), ..Owner::default() };
        assert_eq!(parse("ЕКАТЕРИНА", &cyrillic).unwrap_err().code, ErrorCode::PasswordTooCommon);
    }
}
