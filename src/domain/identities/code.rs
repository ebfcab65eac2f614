//! One-time codes: what a provider has confirmed, until the app exchanges it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;

use crate::{
    Error, Result,
    config::SecretString,
    domain::Context,
    entity::provider_login::{self, Model},
    security::{
        link_token::{self, TokenHash},
        oidc::{Identity, NewFlow, Purpose},
        pkce::CodeChallenge,
        random,
    },
};

/// How long a code is valid.
const LIFETIME: TimeDelta = TimeDelta::seconds(60);

/// A code, and the verifier of the app that has started the flow.
#[derive(Debug)]
pub struct CodeExchange {
    /// The code of the redirect.
    pub code: SecretString,
    /// The code verifier (RFC 7636 §4.1).
    pub code_verifier: SecretString,
}

/// Parses the S256 challenge of an app.
///
/// # Errors
/// BAD_REQUEST.
pub(super) fn parse_challenge(text: &str) -> Result<[u8; 32]> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or(Error::BadRequest("`code_challenge` must be the S256 challenge of a code verifier (RFC 7636)."))
}

/// Stores what a provider has confirmed. Returns the code.
pub(super) async fn issue(
    context: &Context,
    flow: &NewFlow,
    identity: Identity,
    trusts_email: bool,
) -> Result<SecretString> {
    let (code, code_hash) = link_token::generate()?;
    let (user_id, session_id) = match flow.purpose {
        Purpose::SignIn => (None, None),
        Purpose::Link { user_id, session_id } => (Some(user_id), Some(session_id)),
    };
    let now = context.now();
    let is_email_trusted = identity.email.as_ref().is_some_and(|email| email.trusted(trusts_email).is_some());
    let login = Model {
        id: random::id(now)?,
        code_hash,
        code_challenge: URL_SAFE_NO_PAD.encode(flow.app_challenge),
        provider_id: flow.provider_id.clone(),
        issuer: identity.issuer,
        subject: identity.subject,
        email: identity.email.map(|email| email.address),
        is_email_trusted,
        username: identity.username,
        full_name: identity.full_name,
        first_name: identity.first_name,
        last_name: identity.last_name,
        user_id,
        session_id,
        created_at: now,
        expires_at: now + LIFETIME,
    };
    let work = context.begin().await?;
    provider_login::insert(work.db(), login).await?;
    work.commit().await?;
    Ok(code)
}

/// Finds what a code stands for, and checks the verifier. Does not use the code up: [`provider_login::take`] does, in the
/// transaction of what follows.
///
/// # Errors
/// CODE_INVALID. It does not say why.
pub(super) async fn find(context: &Context, exchange: &CodeExchange) -> Result<Model> {
    let found =
        provider_login::find(context.app.database.read(), &TokenHash::of(&exchange.code), context.now()).await?;
    let login = found.ok_or(Error::CodeInvalid)?;
    let challenge = CodeChallenge::of_verifier(&exchange.code_verifier);
    let is_correct = challenge.is_some_and(|challenge| challenge.as_str() == login.code_challenge);
    // An app cannot be sure that a code is its own, so another one's code stays valid.
    if is_correct { Ok(login) } else { Err(Error::CodeInvalid) }
}
