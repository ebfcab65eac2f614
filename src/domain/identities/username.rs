//! Usernames for accounts that are created with a provider.

use crate::{
    Result,
    domain::identity::{USERNAME_LENGTH, Username},
    entity::provider_login,
    error::InputError,
    security::random,
};

/// The username if the provider gives nothing that can be one.
const DEFAULT: &str = "user";

/// The length of a suffix: a hyphen and eight hexadecimal digits.
const SUFFIX_LENGTH: usize = 9;

/// Makes a username from what a provider states: the username there, the local part of the address, or the name. With
/// `is_taken`, a random suffix makes it unique.
pub(super) fn make(login: &provider_login::Model, is_taken: bool) -> Result<Username> {
    let local_part = login.email.as_deref().and_then(|email| email.split('@').next());
    let sources =
        [login.username.as_deref().and_then(|name| name.split('@').next()), local_part, login.full_name.as_deref()];
    let base = sources.into_iter().flatten().find_map(clean).unwrap_or_else(|| DEFAULT.to_owned());
    let text = if is_taken { format!("{base}-{}", hex::encode(random::bytes::<4>()?)) } else { base };
    Username::parse(&text).map_err(InputError::into)
}

/// Keeps the characters that a username can have. `None` if too little is left.
fn clean(text: &str) -> Option<String> {
    let mut cleaned = String::new();
    for character in text.chars() {
        if character.is_ascii_alphanumeric() || character == '_' {
            cleaned.push(character);
        } else if !cleaned.is_empty() && !cleaned.ends_with('-') {
            cleaned.push('-');
        }
    }
    let cleaned: String = cleaned.chars().take(USERNAME_LENGTH.end() - SUFFIX_LENGTH).collect();
    let cleaned = cleaned.trim_end_matches('-');
    cleaned.chars().any(|c| c.is_ascii_alphanumeric()).then(|| cleaned.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_characters_of_usernames_are_kept() {
        for (text, expected) in [
            ("ada", Some("ada")),
            ("Ada Lovelace", Some("Ada-Lovelace")),
            ("ada.lovelace+x", Some("ada-lovelace-x")),
            ("--ada--", Some("ada")),
            ("Ада", None),
            ("Ада L", Some("L")),
            ("___", None),
            ("", None),
        ] {
            assert_eq!(clean(text).as_deref(), expected, "{text}");
        }
        assert_eq!(clean(&"a".repeat(100)).unwrap().len(), 55);
    }
}
