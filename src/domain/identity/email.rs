//! E-mail addresses.

use email_address::{EmailAddress, Options};

use crate::error::{ErrorCode, Field, InputError};

/// Maximum length of an address in characters: RFC 5321 §4.5.3.1.3, without the angle brackets.
pub const MAX_EMAIL_LENGTH: usize = 254;

/// An e-mail address: an unquoted ASCII local part, and a domain that contains a dot, in any script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    /// As entered, trimmed, with the domain in its canonical spelling.
    pub text: String,
    /// The key for comparison: lower case, with the domain in ASCII.
    pub key: String,
}

impl Email {
    /// Parses the input field `email`.
    ///
    /// # Errors
    /// TOO_LONG, INVALID_EMAIL.
    pub fn parse(text: &str) -> Result<Self, InputError> {
        Self::parse_field(text, Field::Email)
    }

    /// Parses the input field `field`.
    ///
    /// # Errors
    /// TOO_LONG, INVALID_EMAIL.
    pub fn parse_field(text: &str, field: Field) -> Result<Self, InputError> {
        let text = text.trim();
        if text.chars().count() > MAX_EMAIL_LENGTH {
            return Err(InputError::with_limit(ErrorCode::TooLong, field, MAX_EMAIL_LENGTH));
        }
        Self::parse_address(text).ok_or(InputError::new(ErrorCode::InvalidEmail, field))
    }

    fn parse_address(text: &str) -> Option<Self> {
        let (local, domain) = text.rsplit_once('@')?;
        if !local.is_ascii() || local.contains('"') {
            return None;
        }
        let ascii = idna::domain_to_ascii_strict(domain).ok()?;
        let options = Options { minimum_sub_domains: 2, allow_domain_literal: false, allow_display_text: false };
        let key = format!("{local}@{ascii}").to_ascii_lowercase();
        let is_number = |label: &str| label.bytes().all(|b| b.is_ascii_digit());
        if key.len() > MAX_EMAIL_LENGTH
            || ascii.rsplit('.').next().is_none_or(is_number)
            || EmailAddress::parse_with_options(&key, options).is_err()
        {
            return None;
        }
        let domain = if domain.is_ascii() { domain.to_owned() } else { idna::domain_to_unicode(&ascii).0 };
        Some(Self { text: format!("{local}@{domain}"), key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_of_an_address_have_the_same_key() {
        for spelling in [
            "ada@example.org",
            "Ada@Example.ORG",
            "ada@ｅｘａｍｐｌｅ.org",
            "ada@exam\u{200b}ple.org",
            "ada@example\u{3002}org",
            " ada@example.org",
            "ada@example.org\u{a0}",
            "\u{2003}ada@example.org\r\n",
        ] {
            let email = Email::parse(spelling).unwrap();
            assert_eq!(email.key, "ada@example.org", "{spelling:?}");
            assert!(email.text.is_ascii(), "{spelling:?}");
        }
        let email = Email::parse("ada@ПРИМЕР.рф").unwrap();
        assert_eq!((email.text.as_str(), email.key.as_str()), ("ada@пример.рф", "ada@xn--e1afmkfd.xn--p1ai"));
    }

    #[test]
    fn invalid_addresses_are_rejected() {
        for text in [
            "",
            "ada",
            "@",
            "ada@",
            "@example.org",
            "ada@example",
            "ada@localhost",
            "ada @example.org",
            "ada@exam ple.org",
            "\"ada\"@example.org",
            "ada@[127.0.0.1]",
            "ada@127.0.0.1",
            "a\0da@example.org",
            "ada@example.org\0",
            "a\u{200b}da@example.org",
            "ａda@example.org",
            "ada@example..org",
            "ada@.org",
            "ada@-example.org",
            "Ada <ada@example.org>",
            "a@b@example.org",
            "ada@example.org\r\nBcc: all@example.org",
            "áda@example.org",
            "ada@example.1",
        ] {
            assert!(Email::parse(text).is_err(), "{text:?}");
        }
        let long = format!("{}@example.org", "a".repeat(250));
        assert_eq!(Email::parse(&long).unwrap_err().code, ErrorCode::TooLong);
    }
}
