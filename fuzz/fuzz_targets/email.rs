//! E-mail addresses: one key for all spellings, and nothing in them that a mail would trip over.
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
    // What is stored and shown: one address, and no room for a second header or a name.
    assert_eq!(email.text.matches('@').count(), 1, "{email:?}");
    let is_unsafe = |c: char| c.is_control() || c.is_whitespace() || "<>()[],;:\\\"".contains(c);
    assert!(!email.text.contains(is_unsafe), "{email:?}");
    // What is compared, and what a mail server is told.
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
    // Both are spellings of the same address, and the text is the spelling that stays.
    let of_text = Email::parse(&email.text).unwrap();
    let of_key = Email::parse(&email.key).unwrap();
    assert_eq!(of_text, email);
    assert_eq!(of_key.key, email.key);
    let upper = Email::parse(&text.to_ascii_uppercase()).unwrap();
    assert_eq!(upper.key, email.key);
    if !text.is_ascii() {
        // An international domain has one spelling, however it was typed.
        assert_eq!(upper.text.split_once('@').unwrap().1, email.text.split_once('@').unwrap().1);
    }
    // Whoever registered with it can sign in with it.
    assert!(matches!(TypedIdentifier::parse(text), TypedIdentifier::Email(typed) if typed == email));
    Corpus::Keep
});
