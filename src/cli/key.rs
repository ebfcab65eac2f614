//! `hallpass key`.

use std::path::absolute;

use anyhow::{Context, Result, bail};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use clap::Subcommand;

use crate::{
    cli::{
        describe,
        output::{note_line, print_line},
        with_context,
    },
    clock::Clock,
    config::{ExposeSecret, JwtAlgorithm, SecretKey, Settings},
    domain::mfa,
    security::{
        access_token::{AccessTokens, KeyState},
        key_files,
        keys::Keys,
    },
};

/// A command for keys.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum KeyAction {
    /// Generate a private key for JWT_ALGORITHM in the folder JWT_KEYS. The first key signs at once, later ones after
    /// an hour, when all verifiers have fetched them. Running servers read the folder again on SIGHUP.
    Generate {
        /// When the key starts to sign, such as 2026-01-31T12:00:00Z.
        #[arg(long)]
        at: Option<DateTime<Utc>>,
    },
    /// List the keys (`kid`), the newest first, and which one signs. Also counts, on standard error, the secrets of second
    /// factors that were sealed with another SECRET_KEY.
    Show {
        /// `access` prints the secret key of HS256 in the form that JWT libraries accept.
        #[arg(value_enum)]
        what: Option<KeyToShow>,
    },
}

/// A secret that can be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum KeyToShow {
    /// The key that signs and verifies access tokens with HS256.
    Access,
}

/// The delay before a new key signs. It is longer than verifiers may cache the JWK Set, so that all of them have the key.
const ACTIVATION_DELAY: TimeDelta = TimeDelta::hours(1);

/// The note of `key show` if the database cannot be read.
const NOT_COUNTED: &str = "the secrets of second factors that are sealed with another SECRET_KEY were not counted";

/// The context of errors of `key show`.
const NO_KEY: &str = "there is no key to show";

pub(super) async fn run(settings: Settings, action: KeyAction) -> Result<()> {
    match action {
        KeyAction::Generate { at } => generate(&settings, at),
        KeyAction::Show { what: None } => {
            show(&settings)?;
            if let Err(error) = count_sealed(settings).await {
                note_line(format_args!("{NOT_COUNTED}: {}", describe(&error)));
            }
            Ok(())
        }
        KeyAction::Show { what: Some(KeyToShow::Access) } => show_access_key(&settings),
    }
}

fn generate(settings: &Settings, at: Option<DateTime<Utc>>) -> Result<()> {
    const FAILED: &str = "no key was generated";
    let Some(folder) = &settings.tokens.jwt_keys else {
        bail!("{FAILED}: set JWT_ALGORITHM to EdDSA, ES256 or RS256, and JWT_KEYS to a folder");
    };
    let now = Clock::System.now();
    let is_first = key_files::is_empty(folder).context(FAILED)?;
    let starts_at = at.unwrap_or(if is_first { now } else { now + ACTIVATION_DELAY });
    let path = key_files::generate(folder, settings.tokens.jwt_algorithm, starts_at).context(FAILED)?;
    print_line(path.display())
}

fn keys(settings: &Settings) -> Result<Keys> {
    if let SecretKey::File(path) = &settings.tokens.secret_key {
        // A relative path depends on the current folder, so this may not be the server's key.
        note_line(format_args!("key file: {}", absolute(path).as_ref().unwrap_or(path).display()));
    }
    Keys::load(&settings.tokens.secret_key, settings.tokens.secret_key_previous.as_ref()).context(NO_KEY)
}

fn show(settings: &Settings) -> Result<()> {
    let now = Clock::System.now();
    let tokens = AccessTokens::new(&keys(settings)?, settings, now);
    for key in tokens.context(NO_KEY)?.keys(now) {
        let state = match key.state {
            KeyState::Signs => "signs".to_owned(),
            KeyState::Verifies => "verifies".to_owned(),
            KeyState::SignsFrom(at) => format!("signs from {}", at.to_rfc3339_opts(SecondsFormat::Secs, true)),
        };
        print_line(format_args!("{}  {}  {state}", key.kid, settings.tokens.jwt_algorithm))?;
    }
    Ok(())
}

/// Prints how many secrets of second factors the current `SECRET_KEY` has not sealed. The keys are shown without a database too.
async fn count_sealed(settings: Settings) -> Result<()> {
    with_context(settings, async |context| {
        let count = mfa::count_sealed_by_other_keys(context).await?;
        let advice =
            if count == 0 { "" } else { "; start the server once with SECRET_KEY_PREVIOUS, which seals them again" };
        note_line(format_args!("secrets of second factors that are sealed with another SECRET_KEY: {count}{advice}"));
        Ok(())
    })
    .await
}

fn show_access_key(settings: &Settings) -> Result<()> {
    if settings.tokens.jwt_algorithm != JwtAlgorithm::Hs256 {
        bail!(
            "JWT_ALGORITHM is {}: there is no shared secret, verifiers use {}/.well-known/jwks.json",
            settings.tokens.jwt_algorithm,
            settings.server.public_url
        );
    }
    let key = keys(settings)?.access_token_key();
    print_line(key.context(NO_KEY)?.expose_secret())
}
