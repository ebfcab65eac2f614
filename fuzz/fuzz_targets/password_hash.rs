//! Stored password hashes, as they come out of the database: an altered one opens to nobody, and none costs for ever.
#![no_main]

use std::sync::LazyLock;

use hallpass::{
    config::SecretString,
    security::{hasher::Hasher, password::PasswordHash},
};
use libfuzzer_sys::{Corpus, fuzz_target};
use sea_orm::{Value, sea_query::ValueType};
use tokio::runtime::Runtime;

const PASSWORD: &str = "correct horse battery staple";
/// Its hash, and that of other passwords, by passlib.
const STORED: &str = "$bcrypt-sha256$v=2,t=2b,r=4$JoQZgD8ePP4HY.cR1FuMmO$./qYLwWETtL8x4L.V5jemmwPbQ0Jr0u";
const PREFIX: &str = "$bcrypt-sha256$v=2,t=2b,r=";

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap());
static HASHER: LazyLock<Hasher> = LazyLock::new(|| {
    let hasher = Hasher::start(1, 4).unwrap();
    assert_eq!(verify(&hasher, STORED), Some(true));
    hasher
});

fuzz_target!(|data: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(data) else { return Corpus::Reject };
    // What is good but slow would only make the fuzzer wait.
    if matches!(cost(text), Some(5..=15)) {
        return Corpus::Reject;
    }
    match verify(&HASHER, text) {
        Some(is_right) => {
            assert_eq!(cost(text), Some(4));
            let after_cost = |text: &str| text[PREFIX.len()..].split_once('$').map(|(_, rest)| rest.to_owned());
            assert_eq!(is_right, after_cost(text) == after_cost(STORED));
            // 16 bytes of salt and 23 of digest have one spelling.
            assert_eq!(after_cost(text).unwrap().len(), 22 + 1 + 31);
        }
        None => assert_ne!(text, STORED),
    }
    Corpus::Keep
});

/// The cost that a hash claims.
fn cost(text: &str) -> Option<u32> {
    let (cost, _) = text.strip_prefix(PREFIX)?.split_once('$')?;
    cost.parse().ok()
}

/// Whether a stored text is the hash of [`PASSWORD`]; `None` if it is no hash.
fn verify(hasher: &Hasher, stored: &str) -> Option<bool> {
    // As a row brings it.
    let hash = <PasswordHash as ValueType>::try_from(Value::from(stored)).unwrap();
    assert_eq!(Value::from(hash.clone()), Value::from(stored));
    assert_eq!(format!("{hash:?}"), "PasswordHash(…)");
    RUNTIME.block_on(hasher.verify(&SecretString::from(PASSWORD), Some(&hash))).ok()
}
