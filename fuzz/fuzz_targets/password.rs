//! New passwords: counted in code points, and left as they are.
#![no_main]

use hallpass::{
    accounts::input::{Password, may_be_password},
    config::{ExposeSecret, SecretString},
};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(data) else { return Corpus::Reject };
    let secret = SecretString::from(text);
    let length = text.chars().count();
    // Whoever signs in may have a password from before the least length was what it is.
    assert_eq!(may_be_password(&secret), length <= 128);
    match Password::parse(secret, "password") {
        Ok(password) => {
            assert!((8..=128).contains(&length));
            assert_eq!(password.secret().expose_secret(), text);
        }
        Err(problem) => {
            assert!(!(8..=128).contains(&length));
            assert_eq!(
                problem.limit,
                match length {
                    0 => None,
                    1..8 => Some(8),
                    _ => Some(128),
                }
            );
        }
    }
    Corpus::Keep
});
