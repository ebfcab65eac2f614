//! The authorization request (OpenID Connect Core §3.1.2.1, RFC 7636).

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use url::Url;

/// An authorization request: the address to which a browser is redirected.
#[derive(Clone, Copy, Debug)]
pub struct AuthorizationRequest<'a> {
    /// The provider's authorization endpoint.
    pub endpoint: &'a Url,
    /// The id of this client at the provider.
    pub client_id: &'a str,
    /// The address of the callback.
    pub redirect_uri: &'a str,
    /// The scopes, with `openid` among them for an OpenID provider.
    pub scopes: &'a [String],
    /// The state of the flow.
    pub state: &'a str,
    /// The nonce of the flow. `None` for a provider without ID tokens.
    pub nonce: Option<&'a str>,
    /// The S256 challenge of the flow's code verifier.
    pub code_challenge: &'a str,
}

impl AuthorizationRequest<'_> {
    /// The address. It keeps the query of the endpoint (RFC 6749 §3.1).
    #[must_use]
    pub fn url(&self) -> Url {
        let mut url = self.endpoint.clone();
        let scope = self.scopes.join(" ");
        let mut query = url.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", self.client_id)
            .append_pair("redirect_uri", self.redirect_uri)
            .append_pair("scope", &scope)
            .append_pair("state", self.state)
            .append_pair("code_challenge", self.code_challenge)
            .append_pair("code_challenge_method", "S256");
        if let Some(nonce) = self.nonce {
            query.append_pair("nonce", nonce);
        }
        drop(query);
        url
    }
}

/// The S256 challenge of a code verifier (RFC 7636 §4.2).
#[must_use]
pub fn s256_challenge(code_verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, code_verifier.as_bytes()))
}
