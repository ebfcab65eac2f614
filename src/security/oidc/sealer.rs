//! Flows and tickets, sealed.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use zeroize::Zeroizing;

use super::{
    NewFlow, OidcError,
    flow::{Flow, LIFETIME, SECRET_LENGTH, decode, encode},
};
use crate::{
    Error, Result,
    security::keys::{self, KeyUse, Keys},
};

/// The maximum length of a sealed flow.
const MAX_COOKIE_LENGTH: usize = 2048;

/// The number of characters of the state in the name of its cookie.
const COOKIE_ID_LENGTH: usize = 8;

/// The beginning of the associated data, so that a ticket is no cookie.
const COOKIE: &[u8] = b"cookie";
const TICKET: &[u8] = b"ticket";

/// A cookie for the browser, with the attributes `HttpOnly`, `SameSite=Lax` and [`FlowCookie::MAX_AGE_SECONDS`].
#[derive(Clone)]
pub struct FlowCookie {
    /// The name, without the prefix for secure cookies.
    pub name: String,
    /// The value, in characters that need no escaping.
    pub value: String,
}

impl fmt::Debug for FlowCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FlowCookie({})", self.name)
    }
}

impl FlowCookie {
    /// The lifetime of the cookie.
    pub const MAX_AGE_SECONDS: i64 = LIFETIME.num_seconds();

    /// What the names of all these cookies start with.
    pub const NAME_PREFIX: &str = "auth_";

    /// The name of the cookie of a state. `None` if this cannot be a state.
    #[must_use]
    pub fn name_for(state: &str) -> Option<String> {
        decode_state(state)?;
        Some(format!("{}{}", Self::NAME_PREFIX, state.get(..COOKIE_ID_LENGTH)?))
    }
}

/// Seals flows with AES-256-GCM and a random nonce.
pub struct FlowSealer {
    /// The current key first.
    keys: Vec<RandomizedNonceKey>,
}

impl fmt::Debug for FlowSealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FlowSealer")
    }
}

impl FlowSealer {
    /// Derives the keys.
    ///
    /// # Errors
    /// Internal if the key derivation fails.
    pub fn new(keys: &Keys) -> Result<Self> {
        let key = |secret| {
            let key = Zeroizing::new(keys::derive::<32>(secret, KeyUse::ProviderFlow)?);
            RandomizedNonceKey::new(&AES_256_GCM, &*key).map_err(|_| failed())
        };
        Ok(Self { keys: keys.secrets().map(key).collect::<Result<_>>()? })
    }

    /// Seals a flow with the current key.
    ///
    /// # Errors
    /// Internal if the encryption fails, or if the caller has not limited the length of the id or of `return_to`.
    pub fn seal(&self, flow: &Flow) -> Result<FlowCookie> {
        let value = self.seal_for(flow, COOKIE)?;
        Ok(FlowCookie { name: FlowCookie::name_for(&flow.state()).ok_or_else(failed)?, value })
    }

    /// Seals what is known before a flow into a ticket for an address, in which a browser starts the flow later.
    ///
    /// # Errors
    /// As [`Self::seal`].
    pub fn seal_ticket(&self, request: NewFlow, now: DateTime<Utc>) -> Result<String> {
        let flow = Flow::start(request, now)?;
        Ok(format!("{}.{}", flow.state(), self.seal_for(&flow, TICKET)?))
    }

    fn seal_for(&self, flow: &Flow, usage: &[u8]) -> Result<String> {
        let mut bytes = encode(flow).ok_or_else(failed)?;
        let key = self.keys.first().ok_or_else(failed)?;
        let associated = Aad::from([usage, &flow.state].concat());
        let nonce = key.seal_in_place_append_tag(associated, &mut bytes).map_err(|_| failed())?;
        Ok(URL_SAFE_NO_PAD.encode([nonce.as_ref().as_slice(), &bytes].concat()))
    }

    /// Opens the cookie that [`FlowCookie::name_for`] names, at the callback of a provider.
    ///
    /// # Errors
    /// UnknownFlow, ExpiredFlow, or OtherProvider if the flow was started with another provider.
    pub fn open(&self, state: &str, cookie: &str, provider_id: &str, now: DateTime<Utc>) -> Result<Flow, OidcError> {
        self.open_for(state, cookie, provider_id, COOKIE, now)
    }

    /// Opens a ticket. It is valid as long as a cookie, any number of times.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_ticket(&self, ticket: &str, provider_id: &str, now: DateTime<Utc>) -> Result<NewFlow, OidcError> {
        let (state, sealed) = ticket.split_once('.').ok_or(OidcError::UnknownFlow)?;
        self.open_for(state, sealed, provider_id, TICKET, now).map(|flow| flow.request)
    }

    fn open_for(
        &self,
        state: &str,
        sealed: &str,
        provider_id: &str,
        usage: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Flow, OidcError> {
        let flow = self.open_any(state, sealed, usage).ok_or(OidcError::UnknownFlow)?;
        if flow.request.provider_id != provider_id {
            Err(OidcError::OtherProvider)
        } else if now >= flow.started_at + LIFETIME {
            Err(OidcError::ExpiredFlow)
        } else {
            Ok(flow)
        }
    }

    fn open_any(&self, state: &str, cookie: &str, usage: &[u8]) -> Option<Flow> {
        let state = decode_state(state)?;
        if cookie.len() > MAX_COOKIE_LENGTH {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(cookie).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
        self.keys.iter().find_map(|key| {
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let mut content = Zeroizing::new(sealed.to_vec());
            let opened = key.open_in_place(nonce, Aad::from([usage, &state].concat()), &mut content).ok()?;
            decode(state, opened)
        })
    }
}

fn decode_state(state: &str) -> Option<[u8; SECRET_LENGTH]> {
    URL_SAFE_NO_PAD.decode(state).ok()?.try_into().ok()
}

fn failed() -> Error {
    Error::internal("a flow cannot be sealed")
}
