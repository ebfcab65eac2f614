//! The identities of an imported user: accounts at providers.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    Result,
    domain::users::import::{RecordError, texts},
    entity::identity::{MAX_IDENTITIES, Model},
    security::{link_token::TokenHash, random},
};

const COLUMN: &str = "identities";

/// The sizes of the columns.
const MAX_PROVIDER_LENGTH: usize = 32;
const MAX_ISSUER_LENGTH: usize = 512;
const MAX_SUBJECT_LENGTH: usize = 255;
const MAX_EMAIL_LENGTH: usize = 320;

/// An identity, as an export writes it. Other members are ignored.
#[derive(Deserialize)]
struct Given {
    provider: String,
    issuer: String,
    subject: String,
    email: Option<String>,
    linked_at: Option<String>,
    last_used_at: Option<String>,
}

/// Parses the JSON array. The user is not set yet. The inner error is about the record.
///
/// # Errors
/// Internal if the system has no random bytes for ids.
pub(super) fn parse(json: Option<&str>, now: DateTime<Utc>) -> Result<Result<Vec<Model>, RecordError>> {
    const MALFORMED: RecordError =
        RecordError::new(COLUMN, "Expected a JSON array of objects with provider, issuer and subject.");
    let given: Vec<Given> = match json.map(serde_json::from_str) {
        None => return Ok(Ok(Vec::new())),
        // The error of the parser may contain values.
        Some(Err(_)) => return Ok(Err(MALFORMED)),
        Some(Ok(given)) => given,
    };
    if u64::try_from(given.len()).unwrap_or(u64::MAX) > MAX_IDENTITIES {
        return Ok(Err(RecordError::new(COLUMN, "A user has at most 20 identities.")));
    }
    let mut identities = Vec::<Model>::new();
    for one in given {
        match identity(one, random::id(now)?, now) {
            Ok(identity) if identities.iter().any(|known| known.identity_hash == identity.identity_hash) => {
                return Ok(Err(RecordError::new(COLUMN, "An identity is repeated.")));
            }
            Ok(identity) => identities.push(identity),
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(identities))
}

fn identity(given: Given, id: Uuid, now: DateTime<Utc>) -> Result<Model, RecordError> {
    let Given { provider, issuer, subject, email, linked_at, last_used_at } = given;
    let is_plain = |text: &str, max: usize| {
        (1..=max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
    };
    if !is_plain(&provider, MAX_PROVIDER_LENGTH)
        || !is_plain(&issuer, MAX_ISSUER_LENGTH)
        || !is_plain(&subject, MAX_SUBJECT_LENGTH)
        || email.as_ref().is_some_and(|email| email.len() > MAX_EMAIL_LENGTH || email.chars().any(char::is_control))
    {
        return Err(RecordError::new(COLUMN, "A value is empty, too long, or has characters that are not allowed."));
    }
    Ok(Model {
        id,
        user_id: Uuid::nil(),
        provider_id: provider,
        identity_hash: TokenHash::of_identity(&issuer, &subject),
        issuer,
        subject,
        email,
        linked_at: texts::instant(linked_at, COLUMN)?.unwrap_or(now),
        last_used_at: texts::instant(last_used_at, COLUMN)?,
    })
}
