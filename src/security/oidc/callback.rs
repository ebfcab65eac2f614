//! The authorization response: what a provider returns by the browser (RFC 6749 §4.1.2, RFC 9207).

use std::fmt;

use secrecy::SecretString;
use url::form_urlencoded;

use super::{OidcError, ProviderErrorCode, ProviderMetadata};

/// The maximum length of the query. Codes of Microsoft have about 1,500 characters.
const MAX_QUERY_LENGTH: usize = 8192;

/// The query of a callback, parsed.
#[derive(Debug)]
pub struct Callback {
    /// The state, which names the flow.
    pub state: String,
    /// What the provider returned.
    pub outcome: CallbackOutcome,
    issuer: Option<String>,
}

/// What a provider returned.
pub enum CallbackOutcome {
    /// A code, to be exchanged for tokens.
    Code(SecretString),
    /// The user or the provider refused.
    Refused(ProviderErrorCode),
}

impl fmt::Debug for CallbackOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(_) => f.write_str("Code"),
            Self::Refused(code) => write!(f, "Refused({code})"),
        }
    }
}

impl Callback {
    /// Parses the query. Unknown parameters are ignored; a known one that occurs twice is refused (RFC 6749 §3.1).
    ///
    /// # Errors
    /// MalformedCallback.
    pub fn parse(query: &str) -> Result<Self, OidcError> {
        const MALFORMED: OidcError = OidcError::MalformedCallback;
        if query.len() > MAX_QUERY_LENGTH {
            return Err(MALFORMED);
        }
        let [mut state, mut code, mut error, mut issuer] = [const { None }; 4];
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let parameter = match &*name {
                "state" => &mut state,
                "code" => &mut code,
                "error" => &mut error,
                "iss" => &mut issuer,
                _ => continue,
            };
            if parameter.replace(value.into_owned()).is_some() {
                return Err(MALFORMED);
            }
        }
        let outcome = match (code, error) {
            (Some(code), None) if !code.is_empty() => CallbackOutcome::Code(code.into()),
            (None, Some(error)) => CallbackOutcome::Refused(ProviderErrorCode::new(&error)),
            _ => return Err(MALFORMED),
        };
        Ok(Self { state: state.ok_or(MALFORMED)?, outcome, issuer })
    }

    /// Checks `iss`, which protects from a code of another provider (RFC 9207 §2.4). It is required if the provider announces it,
    /// and must be right in any case.
    ///
    /// # Errors
    /// CallbackIssuer.
    pub fn check_issuer(&self, provider: &ProviderMetadata) -> Result<(), OidcError> {
        let is_expected = match &self.issuer {
            Some(issuer) => provider.issuer.is_in_callback(issuer),
            None => !provider.sends_issuer,
        };
        if is_expected { Ok(()) } else { Err(OidcError::CallbackIssuer) }
    }
}
