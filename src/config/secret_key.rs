//! The secret that all keys are derived from: given, or kept in a file while local.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use crate::config::{
    DatabaseSettings, DatabaseUrl, ServerSettings,
    setting::{SecretParser, Setting},
    vars::{DefaultText, Vars},
};

/// The secret that all keys are derived from.
#[derive(Clone, Debug)]
pub enum SecretKey {
    /// The secret itself.
    Given(SecretString),
    /// It is in this file, or is generated into it at the first start.
    File(PathBuf),
}

/// The file of a generated secret, beside the SQLite database.
const KEY_FILE: &str = "hallpass.key";

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

impl SecretKey {
    /// Reads `SECRET_KEY`. Without it, a local server on SQLite has a key file.
    pub(super) fn read(vars: &mut Vars, server: &ServerSettings, database: &DatabaseSettings) -> Self {
        let file = match &database.url {
            DatabaseUrl::Sqlite(path) if server.is_local => Some(path.with_file_name(KEY_FILE)),
            _ => None,
        };
        let shown = file.as_ref().map_or("(none)".to_owned(), |path| format!("in the file {}", path.display()));
        let described = format!(
            "while local on SQLite, generated at the first start and kept in `{KEY_FILE}` beside the database; otherwise \
             none"
        );
        let doc = "The secret that all keys are derived from. `openssl rand -hex 32` makes one.";
        let given = parser("SECRET_KEY", doc).read(vars, DefaultText::described(shown, &described));
        match (given, file) {
            (Some(secret), _) => Self::Given(secret),
            // What is wrong with it was reported.
            _ if vars.is_set("SECRET_KEY") => Self::Given(SecretString::default()),
            (None, Some(path)) => Self::File(path),
            (None, None) => {
                vars.mistake(format!(
                    "SECRET_KEY: required with PostgreSQL or MySQL, and if the server is not local: {HOW_TO_MAKE_ONE}"
                ));
                Self::Given(SecretString::default())
            }
        }
    }
}

/// Reads the previous secret. It must have been as good as the current one, because it verifies what it signed.
pub(super) fn read_previous(vars: &mut Vars) -> Option<SecretString> {
    parser("SECRET_KEY_PREVIOUS", "The secret before it: it verifies, but never signs.").read_optional(vars)
}

/// What both secrets have in common.
fn parser(name: &'static str, doc: &'static str) -> SecretParser<SecretString> {
    Setting::new(name, doc).secret(format!("at least {MIN_BYTES} random bytes"), check)
}

/// Refuses a secret that is short, has a pattern or comes from an example.
fn check(secret: &SecretString) -> Result<SecretString, String> {
    let text = secret.expose_secret();
    let mut distinct: Vec<u8> = text.bytes().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let lower = text.to_lowercase();
    if text.len() < MIN_BYTES {
        Err(format!("expected at least {MIN_BYTES} bytes: {HOW_TO_MAKE_ONE}"))
    } else if distinct.len() < 8 || WELL_KNOWN.iter().any(|known| lower.contains(known)) {
        Err(format!("expected a random secret, got one from an example or with a pattern: {HOW_TO_MAKE_ONE}"))
    } else {
        Ok(secret.clone())
    }
}
