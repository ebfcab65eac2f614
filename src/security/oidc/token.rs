//! The token request and its response (OpenID Connect Core §3.1.3, RFC 6749 §4.1.3).

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded;

use super::{ClientAuthentication, MAX_DOCUMENT_LENGTH, OidcError, ProviderErrorCode, json};

/// The maximum length of an access token.
const MAX_ACCESS_TOKEN_LENGTH: usize = 16 * 1024;

/// A request that exchanges a code for tokens.
#[derive(Clone, Copy, Debug)]
pub struct TokenRequest<'a> {
    /// How the client authenticates.
    pub client_authentication: ClientAuthentication,
    /// The id of this client at the provider.
    pub client_id: &'a str,
    /// The secret of this client at the provider.
    pub client_secret: &'a SecretString,
    /// The code of the callback.
    pub code: &'a SecretString,
    /// The address of the callback, as in the authorization request.
    pub redirect_uri: &'a str,
    /// The code verifier of the flow.
    pub code_verifier: &'a SecretString,
}

impl TokenRequest<'_> {
    /// The value of `Authorization`, if the client authenticates with it. Id and secret are encoded as in a form
    /// (RFC 6749 §2.3.1).
    #[must_use]
    pub fn authorization(&self) -> Option<SecretString> {
        if self.client_authentication != ClientAuthentication::Basic {
            return None;
        }
        let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = format!("{}:{}", encode(self.client_id), encode(self.client_secret.expose_secret()));
        Some(format!("Basic {}", STANDARD.encode(pair)).into())
    }

    /// The body, an `application/x-www-form-urlencoded` form.
    #[must_use]
    pub fn form(&self) -> SecretString {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", self.code.expose_secret())
            .append_pair("redirect_uri", self.redirect_uri)
            .append_pair("code_verifier", self.code_verifier.expose_secret());
        if self.client_authentication == ClientAuthentication::Post {
            form.append_pair("client_id", self.client_id)
                .append_pair("client_secret", self.client_secret.expose_secret());
        }
        form.finish().into()
    }
}

/// The tokens of a successful response.
pub struct TokenResponse {
    /// For requests to the provider.
    pub access_token: SecretString,
    /// Says who the user is. GitHub has none.
    pub id_token: Option<SecretString>,
}

impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenResponse")
    }
}

impl TokenResponse {
    /// Parses a response. One with the member `error` is a refusal, whatever its status is: GitHub sends refusals with 200.
    ///
    /// # Errors
    /// Refused, MalformedTokenResponse or TokenType.
    pub fn parse(status: u16, body: &[u8]) -> Result<Self, OidcError> {
        const MALFORMED: OidcError = OidcError::MalformedTokenResponse;
        let members = json::object(body, MAX_DOCUMENT_LENGTH).ok_or(MALFORMED)?;
        if let Some(error) = members.get("error") {
            return Err(OidcError::Refused(ProviderErrorCode::new(error.as_str().unwrap_or_default())));
        }
        if status != 200 {
            return Err(MALFORMED);
        }
        let is_sendable = |token: &&str| {
            (1..=MAX_ACCESS_TOKEN_LENGTH).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let access_token = json::string(&members, "access_token").filter(is_sendable).ok_or(MALFORMED)?;
        let token_type = json::string(&members, "token_type").ok_or(MALFORMED)?;
        if !token_type.eq_ignore_ascii_case("Bearer") {
            return Err(OidcError::TokenType);
        }
        let id_token = match members.get("id_token") {
            None => None,
            Some(token) => Some(token.as_str().ok_or(MALFORMED)?.into()),
        };
        Ok(Self { access_token: access_token.into(), id_token })
    }

    /// The ID token, which each response of an OpenID provider has.
    ///
    /// # Errors
    /// MissingIdToken.
    pub fn id_token(&self) -> Result<&SecretString, OidcError> {
        self.id_token.as_ref().ok_or(OidcError::MissingIdToken)
    }
}
