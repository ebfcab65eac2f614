//! New passwords: their length is counted in code points, and they are not modified.
#![no_main]

use std::sync::LazyLock;

use hallpass::{
    config::{ExposeSecret, SecretString, Settings},
    domain::identity::{Owner, Password, may_be_password},
    error::{ErrorCode, Field},
};
use libfuzzer_sys::{Corpus, fuzz_target};

static SETTINGS: LazyLock<Settings> = LazyLock::new(|| {
    let secret = "a secret that is for the fuzzer only: 4c1f";
    Settings::from_vars([("SECRET_KEY".to_owned(), secret.to_owned())]).unwrap()
});

const OWNER: Owner<'_> = Owner {
    username: "Countess",
    email: Some("ada@example.org"),
    first_name: Some("Ada"),
    last_name: Some("Lovelace"),
};

fuzz_target!(|data: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(data) else { return Corpus::Reject };
    let secret = SecretString::from(text);
    let length = text.chars().count();
    // Sign-in has no minimum length, because existing passwords may be older than the current minimum.
    assert_eq!(may_be_password(&secret), length <= 128);
    match Password::parse(secret, Field::Password, &OWNER, &SETTINGS) {
        Err(problem) if problem.code == ErrorCode::PasswordTooCommon => assert!((8..=128).contains(&length)),
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
