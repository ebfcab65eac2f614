//! Usernames: letters, digits, `_` and `-`, with one key for all spellings.
#![no_main]

use hallpass::domain::identity::{TypedIdentifier, Username};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(data) else { return Corpus::Reject };
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let trimmed = text.trim();
    let is_username = (1..=64).contains(&trimmed.len()) && trimmed.bytes().all(is_allowed);
    let parsed = Username::parse(text, "");
    assert_eq!(parsed.is_ok(), is_username && !trimmed.starts_with('-'));
    let is_extra = |byte: u8| is_allowed(byte) || b".@+".contains(&byte);
    let is_address = trimmed.split_once('@').is_some_and(|(_, domain)| domain.contains('.'));
    let is_existing = (1..=64).contains(&trimmed.len()) && trimmed.bytes().all(is_extra) && !is_address;
    assert_eq!(Username::parse_existing(text).is_ok(), is_existing);
    if is_existing {
        assert!(matches!(TypedIdentifier::parse(text), TypedIdentifier::Username(_)));
    }
    if let Ok(username) = parsed {
        assert_eq!(username.text, trimmed);
        assert_eq!(Username::parse(&username.key, "").map(|again| again.key), Ok(username.key.clone()));
        assert_eq!(Username::parse(&text.to_uppercase(), "").map(|upper| upper.key), Ok(username.key.clone()));
        assert!(matches!(TypedIdentifier::parse(text), TypedIdentifier::Username(typed) if typed == username));
    }
    Corpus::Keep
});
