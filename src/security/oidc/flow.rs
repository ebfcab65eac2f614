//! What the callback must know about the flow that it ends: sealed in a cookie of the browser, so that it needs no row in the database.
//!
//! Each flow has a cookie of its own, named by the beginning of its state, so that several tabs can sign in at once. The state is
//! not in the cookie: it is the associated data of the encryption. So a cookie opens only with its own state, which the
//! provider returns, and a state is useless in another browser.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Duration, Utc};
use secrecy::SecretString;
use uuid::Uuid;

use super::s256_challenge;
use crate::{Result, security::random};

/// The time in which a user must come back from the provider.
pub(super) const LIFETIME: Duration = Duration::minutes(10);

/// The maximum length of [`NewFlow::return_to`] in bytes. Browsers send the cookies of all open flows, and proxies often limit
/// them to 8 kB.
pub const MAX_RETURN_TO_LENGTH: usize = 1024;

/// The maximum length of a provider's id.
const MAX_PROVIDER_ID_LENGTH: usize = 32;

/// The first byte of the content.
const VERSION: u8 = 1;

pub(super) const SECRET_LENGTH: usize = 32;

/// What a flow is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Sign in, or register.
    SignIn,
    /// Link the identity to the account of a signed-in user.
    Link {
        /// The user.
        user_id: Uuid,
        /// The user's session.
        session_id: Uuid,
    },
}

/// What is known before a flow starts.
#[derive(Clone, Debug)]
pub struct NewFlow {
    /// The id of the provider in the settings.
    pub provider_id: String,
    /// Where the browser returns to at the end; already checked.
    pub return_to: String,
    /// The S256 challenge of the app, which the one-time code at the end is bound to: a hash.
    pub app_challenge: [u8; 32],
    /// What the flow is for.
    pub purpose: Purpose,
}

/// A flow: what was known before, and its random values.
#[derive(Clone)]
pub struct Flow {
    /// What was known before.
    pub request: NewFlow,
    /// The time of the start.
    pub started_at: DateTime<Utc>,
    pub(super) state: [u8; SECRET_LENGTH],
    nonce: [u8; SECRET_LENGTH],
    code_verifier: [u8; SECRET_LENGTH],
}

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flow({:?}, {:?})", self.request.provider_id, self.request.purpose)
    }
}

impl Flow {
    /// Starts a flow.
    ///
    /// # Errors
    /// Internal if there are no random bytes.
    pub fn start(request: NewFlow, now: DateTime<Utc>) -> Result<Self> {
        let [state, nonce, code_verifier] = [random::bytes()?, random::bytes()?, random::bytes()?];
        Ok(Self { request, started_at: now, state, nonce, code_verifier })
    }

    /// The `state` of the authorization request: 256 random bits.
    #[must_use]
    pub fn state(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.state)
    }

    /// The `nonce` of the authorization request and of the ID token.
    #[must_use]
    pub fn nonce(&self) -> SecretString {
        URL_SAFE_NO_PAD.encode(self.nonce).into()
    }

    /// The code verifier (RFC 7636 §4.1) of the token request.
    #[must_use]
    pub fn code_verifier(&self) -> SecretString {
        URL_SAFE_NO_PAD.encode(self.code_verifier).into()
    }

    /// The code challenge of the authorization request.
    #[must_use]
    pub fn code_challenge(&self) -> String {
        s256_challenge(&URL_SAFE_NO_PAD.encode(self.code_verifier))
    }
}

/// Encodes everything but the state. `None` if a text is too long.
pub(super) fn encode(flow: &Flow) -> Option<Vec<u8>> {
    let NewFlow { provider_id, return_to, app_challenge, purpose } = &flow.request;
    if provider_id.len() > MAX_PROVIDER_ID_LENGTH || return_to.len() > MAX_RETURN_TO_LENGTH {
        return None;
    }
    let (purpose, user_id, session_id) = match purpose {
        Purpose::SignIn => (1, Uuid::nil(), Uuid::nil()),
        Purpose::Link { user_id, session_id } => (2, *user_id, *session_id),
    };
    let parts: [&[u8]; 10] = [
        &[VERSION, purpose],
        &flow.started_at.timestamp().to_be_bytes(),
        &flow.nonce,
        &flow.code_verifier,
        app_challenge,
        user_id.as_bytes(),
        session_id.as_bytes(),
        &[u8::try_from(provider_id.len()).ok()?],
        provider_id.as_bytes(),
        return_to.as_bytes(),
    ];
    Some(parts.concat())
}

/// The content was authenticated, so it is what [`encode`] wrote, in this version or in another one.
pub(super) fn decode(state: [u8; SECRET_LENGTH], content: &[u8]) -> Option<Flow> {
    let ([VERSION, purpose], rest) = content.split_first_chunk()? else { return None };
    let (started_at, rest) = rest.split_first_chunk()?;
    let (nonce, rest) = rest.split_first_chunk()?;
    let (code_verifier, rest) = rest.split_first_chunk()?;
    let (app_challenge, rest) = rest.split_first_chunk()?;
    let (user_id, rest) = rest.split_first_chunk()?;
    let (session_id, rest) = rest.split_first_chunk()?;
    let ([length], rest) = rest.split_first_chunk()?;
    let (provider_id, return_to) = rest.split_at_checked(usize::from(*length))?;
    let purpose = match purpose {
        1 => Purpose::SignIn,
        2 => Purpose::Link { user_id: Uuid::from_bytes(*user_id), session_id: Uuid::from_bytes(*session_id) },
        _ => return None,
    };
    let request = NewFlow {
        provider_id: String::from_utf8(provider_id.to_vec()).ok()?,
        return_to: String::from_utf8(return_to.to_vec()).ok()?,
        app_challenge: *app_challenge,
        purpose,
    };
    let started_at = DateTime::from_timestamp(i64::from_be_bytes(*started_at), 0)?;
    Some(Flow { request, started_at, state, nonce: *nonce, code_verifier: *code_verifier })
}
