//! Sign-in with other providers: the client's part of OpenID Connect Core 1.0, without the network and the database.
//!
//! A flow starts with [`Flow::start`]. [`FlowSealer`] seals it into a cookie, and [`AuthorizationRequest`] gives the address to
//! which the browser is redirected. [`Callback`] parses what the provider returns by the browser; its state opens the flow.
//! [`TokenRequest`] exchanges the code, and [`TokenResponse`] parses the answer. [`verify_id_token`] then says who the user is.
//!
//! [`ProviderMetadata`] and [`KeySet`] are the documents that a provider publishes. GitHub has neither, and no ID tokens:
//! see [`github`].
//!
//! The authorization code flow with PKCE is the only flow. All inputs are untrusted. They are limited in size and depth before
//! they are used, members that occur twice are refused, and nothing here panics.

mod algorithm;
mod authorization;
mod callback;
mod error;
mod flow;
pub mod github;
mod id_token;
mod identity;
mod issuer;
mod json;
mod jws;
mod keys;
mod metadata;
mod sealer;
mod token;

pub use algorithm::SigningAlgorithm;
pub use authorization::{AuthorizationRequest, s256_challenge};
pub use callback::{Callback, CallbackOutcome};
pub use error::{OidcError, ProviderErrorCode};
pub use flow::{Flow, MAX_RETURN_TO_LENGTH, NewFlow, Purpose};
pub use id_token::{ExpectedToken, verify_id_token};
pub use identity::{EmailVerification, Identity, ProviderEmail};
pub use issuer::Issuer;
pub use keys::KeySet;
pub use metadata::{ClientAuthentication, ProviderMetadata, metadata_url};
pub use sealer::{FlowCookie, FlowSealer};
pub use token::{TokenRequest, TokenResponse};

/// The maximum length of a provider's document in bytes: metadata, tokens, profiles. A longer one is refused before it is parsed.
pub const MAX_DOCUMENT_LENGTH: usize = 64 * 1024;

/// The maximum length of a key set in bytes. Those of Microsoft contain certificates.
pub const MAX_KEY_SET_LENGTH: usize = 256 * 1024;
