//! Usernames: letters, digits, `_` and `-`, with one key for all spellings.
#![no_main]

use hallpass::domain::identity::{TypedIdentifier, Username};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(data) else { return Corpus::Reject };
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let trimmed = text.trim();
    let is_username = (1..=64).contains(&trimmed.len()) && trimmed.bytes().all(is_allowed);
    let parsed = Username::parse(text);
    assert_eq!(parsed.is_ok(), is_username && !trimmed.starts_with('-'));
    assert_eq!(Username::parse_existing(text).is_ok(), is_username);
    if let Ok(username) = parsed {
        assert_eq!(username.text, trimmed);
        assert_eq!(Username::parse(&username.key).map(|again| again.key), Ok(username.key.clone()));
        assert_eq!(Username::parse(&text.to_uppercase()).map(|upper| upper.key), Ok(username.key.clone()));
        assert!(matches!(TypedIdentifier::parse(text), TypedIdentifier::Username(typed) if typed == username));
    }
    Corpus::Keep
});
