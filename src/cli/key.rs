//! `hallpass key`.

use std::path::absolute;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use crate::{
    Error,
    cli::{
        CommandError, KeyAction, KeyToShow,
        output::{note_line, print_line},
    },
    clock::Clock,
    config::{ExposeSecret, JwtAlgorithm, SecretKey, Settings},
    security::{
        access_token::{AccessTokens, KeyState},
        key_files,
        keys::Keys,
    },
};

/// Longer than anyone may keep the JWK Set, so that all know a key before it signs.
const LEAD: TimeDelta = TimeDelta::hours(1);

pub(super) fn run(settings: &Settings, action: KeyAction) -> Result<(), CommandError> {
    match action {
        KeyAction::Generate { at } => generate(settings, at),
        KeyAction::Show { what: None } => show(settings),
        KeyAction::Show { what: Some(KeyToShow::Access) } => show_access_key(settings),
    }
}

fn generate(settings: &Settings, at: Option<DateTime<Utc>>) -> Result<(), CommandError> {
    let failed = |error: Error| CommandError::of("no key was made", &error);
    let Some(folder) = &settings.tokens.jwt_keys else {
        return Err(CommandError::new(
            "no key was made: set JWT_ALGORITHM to EdDSA, ES256 or RS256, and JWT_KEYS to a folder",
        ));
    };
    let now = Clock::System.now();
    let is_first = key_files::is_empty(folder).map_err(failed)?;
    let starts_at = at.unwrap_or(if is_first { now } else { now + LEAD });
    let path = key_files::generate(folder, settings.tokens.jwt_algorithm, starts_at).map_err(failed)?;
    print_line(path.display())
}

fn keys(settings: &Settings) -> Result<Keys, CommandError> {
    if let SecretKey::File(path) = &settings.tokens.secret_key {
        // In another folder it is another key than the server's.
        note_line(format_args!("key file: {}", absolute(path).as_ref().unwrap_or(path).display()));
    }
    Keys::load(&settings.tokens.secret_key, settings.tokens.secret_key_previous.as_ref())
        .map_err(|error| CommandError::of("there is no key to show", &error))
}

fn show(settings: &Settings) -> Result<(), CommandError> {
    let now = Clock::System.now();
    let tokens = AccessTokens::new(&keys(settings)?, settings, now);
    for key in tokens.map_err(|error| CommandError::of("there is no key to show", &error))?.keys(now) {
        let state = match key.state {
            KeyState::Signs => "signs".to_owned(),
            KeyState::Verifies => "verifies".to_owned(),
            KeyState::SignsFrom(at) => format!("signs from {}", at.to_rfc3339_opts(SecondsFormat::Secs, true)),
        };
        print_line(format_args!("{}  {}  {state}", key.kid, settings.tokens.jwt_algorithm))?;
    }
    Ok(())
}

fn show_access_key(settings: &Settings) -> Result<(), CommandError> {
    if settings.tokens.jwt_algorithm != JwtAlgorithm::Hs256 {
        return Err(CommandError::new(format_args!(
            "JWT_ALGORITHM is {}: nobody else needs a secret, others verify with {}/.well-known/jwks.json",
            settings.tokens.jwt_algorithm, settings.server.public_url
        )));
    }
    let key = keys(settings)?.access_token_key();
    print_line(key.map_err(|error| CommandError::of("there is no key to show", &error))?.expose_secret())
}
