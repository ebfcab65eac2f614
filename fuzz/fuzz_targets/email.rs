//! E-mail addresses: one key for all spellings, and no characters that are unsafe in mail headers.
#![no_main]

use hallpass::{
    domain::identity::{Email, TypedIdentifier},
    error::ErrorCode,
};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(data) else { return Corpus::Reject };
    let email = match Email::parse(text) {
        Ok(email) => email,
        Err(problem) => {
            let is_long = text.trim().chars().count() > 254;
            assert_eq!(problem.code, if is_long { ErrorCode::TooLong } else { ErrorCode::InvalidEmail });
            return Corpus::Keep;
        }
    };
    // The stored and displayed text is one address, without characters that could add a header or a name.
    assert_eq!(email.text.matches('@').count(), 1, "{email:?}");
    let is_unsafe = |c: char| c.is_control() || c.is_whitespace() || "<>()[],;:\\\"".contains(c);
    assert!(!email.text.contains(is_unsafe), "{email:?}");
    // The key is used for comparison and in SMTP commands.
    assert!(email.key.is_ascii() && email.key.len() <= 254, "{email:?}");
    assert_eq!(email.key, email.key.to_ascii_lowercase());
    let (local, domain) = email.key.split_once('@').unwrap();
    assert!(text.trim_start().get(..local.len()).is_some_and(|typed| typed.eq_ignore_ascii_case(local)), "{email:?}");
    assert!((1..=64).contains(&local.len()) && domain.len() <= 253 && domain.contains('.'), "{email:?}");
    let is_label = |label: &str| {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
        (1..=63).contains(&label.len())
            && label.chars().all(is_allowed)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    assert!(domain.split('.').all(is_label), "{email:?}");
    // The text and the key denote the same address, and parsing the text again does not change it.
    let of_text = Email::parse(&email.text).unwrap();
    let of_key = Email::parse(&email.key).unwrap();
    assert_eq!(of_text, email);
    assert_eq!(of_key.key, email.key);
    let upper = Email::parse(&text.to_ascii_uppercase()).unwrap();
    assert_eq!(upper.key, email.key);
    if !text.is_ascii() {
        // An international domain has one normalized spelling.
        assert_eq!(upper.text.split_once('@').unwrap().1, email.text.split_once('@').unwrap().1);
    }
    // An address that is accepted at registration is accepted at sign-in.
    assert!(matches!(TypedIdentifier::parse(text), TypedIdentifier::Email(typed) if typed == email));
    Corpus::Keep
});
