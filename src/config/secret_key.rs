//! `SECRET_KEY`: given, or kept in a file while local; never one that others know.

use secrecy::{ExposeSecret, SecretString};

use crate::config::{DatabaseUrl, SecretKey, server::Addresses, vars::Vars};

const MIN_BYTES: usize = 32;

const HOW_TO_MAKE_ONE: &str = "make one with `openssl rand -hex 32`";

/// Parts of secrets that stand in tutorials, templates and examples, in lower case.
const WELL_KNOWN: &[&str] = &[
    "secret-key",
    "secret_key",
    "secretkey",
    "your-secret",
    "your_secret",
    "super-secret",
    "supersecret",
    "my-secret",
    "changeme",
    "change-me",
    "change_me",
    "example",
    "0123456789abcdef0123456789abcdef",
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    "abcdefghijklmnopqrstuvwxyz",
    "секретный",
];

pub(super) fn read(vars: &mut Vars, addresses: &Addresses, database: Option<&DatabaseUrl>) -> SecretKey {
    let was_given = vars.is_set("SECRET_KEY") || vars.is_set("SECRET_KEY_FILE");
    if let Some(secret) = vars.secret("SECRET_KEY") {
        let key = vars.parse_secret("SECRET_KEY", &secret, check);
        return SecretKey::Given(key.unwrap_or_default());
    }
    match database {
        Some(DatabaseUrl::Sqlite(path)) if addresses.is_local => SecretKey::File(path.with_file_name("hallpass.key")),
        _ => {
            // Without a readable DATABASE_URL nobody knows yet whether a key is needed.
            if !was_given && (database.is_some() || !addresses.is_local) {
                vars.mistake(format!(
                    "SECRET_KEY: required with PostgreSQL or MySQL, and if the server is not local: {HOW_TO_MAKE_ONE}"
                ));
            }
            SecretKey::Given(SecretString::default())
        }
    }
}

/// It verifies what it signed, so it must have been as good as the current one.
pub(super) fn read_previous(vars: &mut Vars) -> Option<SecretString> {
    let secret = vars.secret("SECRET_KEY_PREVIOUS")?;
    vars.parse_secret("SECRET_KEY_PREVIOUS", &secret, check)
}

fn check(secret: &SecretString) -> Result<SecretString, &'static str> {
    let text = secret.expose_secret();
    let mut distinct: Vec<u8> = text.bytes().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let lower = text.to_lowercase();
    if text.len() < MIN_BYTES {
        Err("expected at least 32 bytes: make one with `openssl rand -hex 32`")
    } else if distinct.len() < 8 || WELL_KNOWN.iter().any(|known| lower.contains(known)) {
        Err("expected a random secret, got one from an example or with a pattern: make one with `openssl rand -hex 32`")
    } else {
        Ok(secret.clone())
    }
}
