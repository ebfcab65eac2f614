//! Stored password hashes as read from the database: an altered hash verifies no password, and none has unbounded cost.
#![no_main]

use std::sync::LazyLock;

use hallpass::{
    config::{PasswordSettings, SecretString},
    security::{hasher::Hasher, password::PasswordHash},
};
use libfuzzer_sys::{Corpus, fuzz_target};
use sea_orm::{Value, sea_query::ValueType};
use tokio::runtime::Runtime;

const PASSWORD: &str = "correct horse battery staple";
/// A hash of [`PASSWORD`] by passlib.
const STORED: &str = "$bcrypt-sha256$v=2,t=2b,r=4$JoQZgD8ePP4HY.cR1FuMmO$./qYLwWETtL8x4L.V5jemmwPbQ0Jr0u";
const PREFIX: &str = "$bcrypt-sha256$v=2,t=2b,r=";
/// Hashes of [`PASSWORD`] by bcrypt, passlib and argon2-cffi.
const FOREIGN: [&str; 3] = [
    "$2b$04$QuGqa8MOZOv8kY0B0nwHjud5Mk5M1pZgW88vMQm7847ZlrMxROeAC",
    "$pbkdf2-sha256$1000$SYnR2rvX2ptzTkmp9Z4T4g$0qpPJYGzXCzwCUS6I8FiZo2pKx67gT/ml6MaGw9exoQ",
    "$argon2id$v=19$m=64,t=1,p=1$b+SaTID9z7PtpZFO1A28dA$l2dSAWzEQ21bB90wDNGM5dFabhKTzIFGgvd7rTDeGTo",
];

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap());
static HASHER: LazyLock<Hasher> = LazyLock::new(|| {
    let settings = PasswordSettings { bcrypt_cost: 4, hash_concurrency: 1, hash_lanes: 6, blocklist: true };
    let hasher = Hasher::start(&settings).unwrap();
    assert_eq!(verify(&hasher, STORED), Some(true));
    assert!(FOREIGN.iter().all(|stored| verify(&hasher, stored) == Some(true)));
    hasher
});

fuzz_target!(|data: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(data) else { return Corpus::Reject };
    // Valid but slow hashes would only slow down the fuzzer.
    if matches!(cost(text), Some(5..=15)) || is_foreign_and_slow(text) {
        return Corpus::Reject;
    }
    match verify(&HASHER, text) {
        // An accepted foreign hash has the digest of a known one, except for unused bits of the last character.
        Some(is_correct) if cost(text).is_none() => {
            let digest = |text: &str| text.rsplit('$').next().unwrap().replace('+', ".");
            let is_known = |known: &&str| digest(text).contains(&digest(known)[22..30]);
            assert!(!is_correct || FOREIGN.iter().any(is_known), "{text}");
        }
        Some(is_correct) => {
            assert_eq!(cost(text), Some(4));
            let after_cost = |text: &str| text[PREFIX.len()..].split_once('$').map(|(_, rest)| rest.to_owned());
            assert_eq!(is_correct, after_cost(text) == after_cost(STORED));
            // 16 bytes of salt and 23 bytes of digest have exactly one encoding.
            assert_eq!(after_cost(text).unwrap().len(), 22 + 1 + 31);
        }
        None => assert_ne!(text, STORED),
    }
    Corpus::Keep
});

/// The cost parameter of a hash.
fn cost(text: &str) -> Option<u32> {
    let (cost, _) = text.strip_prefix(PREFIX)?.split_once('$')?;
    cost.parse().ok()
}

/// Whether a foreign hash has a large cost parameter.
fn is_foreign_and_slow(text: &str) -> bool {
    let costs = text.split('$').skip(2).take(2).collect::<Vec<_>>().join(",");
    let max_cost = if text.starts_with("$2") { 4 } else { 1000 };
    let is_large = |number: &str| number.parse::<u64>().is_ok_and(|number| number > max_cost);
    cost(text).is_none() && costs.split(|c: char| !c.is_ascii_digit()).any(is_large)
}

/// Whether a stored text is a hash of [`PASSWORD`], or `None` if it is not a valid hash.
fn verify(hasher: &Hasher, stored: &str) -> Option<bool> {
    // Convert the text as for a database row.
    let hash = <PasswordHash as ValueType>::try_from(Value::from(stored)).unwrap();
    assert_eq!(Value::from(hash.clone()), Value::from(stored));
    assert_eq!(format!("{hash:?}"), "PasswordHash(…)");
    RUNTIME.block_on(hasher.verify(&SecretString::from(PASSWORD), Some(&hash))).ok()
}
