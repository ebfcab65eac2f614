//! Usernames.

use crate::error::{ErrorCode, Field, InputError};

/// Length of a username, in characters.
pub const USERNAME_LENGTH: std::ops::RangeInclusive<usize> = 1..=64;

/// All characters that `USERNAME_EXTRA_CHARACTERS` can allow. Accounts may have them from an earlier setting.
const EXTRA_CHARACTERS: &str = ".@+";

/// A username: letters (A-Z), digits, `_`, `-`, and those of `.`, `@` and `+` that `USERNAME_EXTRA_CHARACTERS` allows. It never has a
/// dot after an `@`, so no username is an e-mail address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username {
    /// As entered, trimmed.
    pub text: String,
    /// The key for comparison: lower case.
    pub key: String,
}

impl Username {
    /// Parses a new username. It must start with a letter, a digit or `_`. `extra` is the value of `USERNAME_EXTRA_CHARACTERS`.
    ///
    /// # Errors
    /// REQUIRED, TOO_LONG, INVALID_USERNAME.
    pub fn parse(text: &str, extra: &str) -> Result<Self, InputError> {
        let username = Self::parse_imported(text, extra)?;
        // A command line would parse `-` as an option.
        if !username.text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
            return Err(InputError::new(ErrorCode::InvalidUsername, Field::Username));
        }
        Ok(username)
    }

    /// Parses a username of another system, which may start with any character.
    ///
    /// # Errors
    /// REQUIRED, TOO_LONG, INVALID_USERNAME.
    pub fn parse_imported(text: &str, extra: &str) -> Result<Self, InputError> {
        const FIELD: Field = Field::Username;
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-') || extra.contains(c);
        let text = text.trim();
        if text.is_empty() {
            Err(InputError::new(ErrorCode::Required, FIELD))
        } else if text.chars().count() > *USERNAME_LENGTH.end() {
            Err(InputError::with_limit(ErrorCode::TooLong, FIELD, *USERNAME_LENGTH.end()))
        } else if !text.chars().all(is_allowed) || text.split_once('@').is_some_and(|(_, end)| end.contains('.')) {
            Err(InputError::new(ErrorCode::InvalidUsername, FIELD))
        } else {
            Ok(Self { text: text.to_owned(), key: text.to_ascii_lowercase() })
        }
    }

    /// Parses a username that may already exist. Older versions allowed usernames that start with `-`, and other settings allow other
    /// characters.
    ///
    /// # Errors
    /// REQUIRED, TOO_LONG, INVALID_USERNAME.
    pub fn parse_existing(text: &str) -> Result<Self, InputError> {
        Self::parse_imported(text, EXTRA_CHARACTERS)
    }

    /// Makes a username from another text, such as the local part of an address: keeps the characters that a username can have.
    /// `None` if too little is left. At most `max_length` characters.
    pub(in crate::domain) fn make(text: &str, extra: &str, max_length: usize) -> Option<String> {
        let mut made = String::new();
        for character in text.chars() {
            let is_allowed = character.is_ascii_alphanumeric() || character == '_';
            // `@` and a dot could make an address.
            if is_allowed || (character != '@' && extra.contains(character) && !made.is_empty()) {
                made.push(character);
            } else if !made.is_empty() && !made.ends_with('-') {
                made.push('-');
            }
        }
        let made: String = made.chars().take(max_length).collect();
        let made = made.trim_end_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        made.chars().any(|c| c.is_ascii_alphanumeric()).then(|| made.to_owned())
    }
}

/// A regular expression for new usernames, for the HTML attribute `pattern`.
#[must_use]
pub fn username_pattern(extra: &str) -> String {
    let no_address = if extra.contains('@') && extra.contains('.') { r"(?![^@]*@.*\.)" } else { "" };
    format!(r"{no_address}[A-Za-z0-9_][A-Za-z0-9_\-{extra}]*")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn username_allows_only_ascii_letters_digits_underscore_and_hyphen() {
        assert_eq!(Username::parse("Ada_L-1", "").unwrap().key, "ada_l-1");
        for text in
            ["a da", "аda", "ada\u{200b}", "\u{feff}ada", "ａda", "a\u{301}da", "ada\0", "ada@x", "ada.l", "a\nda"]
        {
            assert_eq!(Username::parse(text, "").unwrap_err().code, ErrorCode::InvalidUsername, "{text:?}");
        }
        for text in ["ada", " ada ", "\u{a0}ada", "ada\u{3000}", "\u{2007}ada\r\n"] {
            assert_eq!(Username::parse(text, "").unwrap().text, "ada", "{text:?}");
        }
        assert_eq!(Username::parse("-h", "").unwrap_err().code, ErrorCode::InvalidUsername);
        assert_eq!(Username::parse_existing("-H").unwrap().key, "-h");
        for text in ["", " ", "\t", "\u{a0}"] {
            assert_eq!(Username::parse(text, "").unwrap_err().code, ErrorCode::Required, "{text:?}");
        }
        assert!(Username::parse(&"a".repeat(64), "").is_ok());
        assert_eq!(Username::parse(&"a".repeat(65), "").unwrap_err().limit, Some(64));
    }

    #[test]
    fn extra_characters_are_allowed_one_by_one() {
        for (text, needed) in [("ada.l", "."), ("ada@corp", "@"), ("ada+l", "+"), ("a.d+a@corp", ".+@")] {
            assert!(Username::parse(text, ".@+").is_ok(), "{text}");
            assert!(Username::parse(text, needed).is_ok(), "{text}");
            assert!(Username::parse_existing(text).is_ok(), "{text}");
            for missing in needed.chars() {
                assert!(Username::parse(text, &needed.replace(missing, "")).is_err(), "{text} without {missing}");
            }
        }
        for text in [".ada", "@ada", "+ada", "-ada"] {
            assert!(Username::parse(text, ".@+").is_err(), "{text}");
            assert!(Username::parse_imported(text, ".@+").is_ok(), "{text}");
        }
    }

    #[test]
    fn no_username_is_an_address() {
        for text in
            ["ada@example.org", "Ada@Example.ORG", "a@b.c", "ada@example.org.", "a@b@example.org", "@a.b", "a@."]
        {
            assert!(Username::parse(text, ".@+").is_err(), "{text}");
            assert!(Username::parse_imported(text, ".@+").is_err(), "{text}");
            assert!(Username::parse_existing(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_characters_of_usernames_are_kept() {
        for (text, extra, expected) in [
            ("ada", "", Some("ada")),
            ("Ada Lovelace", "", Some("Ada-Lovelace")),
            ("ada.lovelace+x", "", Some("ada-lovelace-x")),
            ("ada.lovelace+x", ".@+", Some("ada.lovelace+x")),
            ("ada@example.org", ".@+", Some("ada-example.org")),
            (".ada.", ".", Some("ada")),
            ("--ada--", "", Some("ada")),
            ("Ада", "", None),
            ("Ада L", "", Some("L")),
            ("___", "", None),
            ("", "", None),
        ] {
            let made = Username::make(text, extra, 55);
            assert_eq!(made.as_deref(), expected, "{text}");
            assert!(made.is_none_or(|made| Username::parse(&made, extra).is_ok()), "{text}");
        }
        assert_eq!(Username::make(&"a".repeat(100), "", 55).unwrap().len(), 55);
    }
}
