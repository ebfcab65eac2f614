//! What a provider publishes about itself (OpenID Connect Discovery §3).

use url::{Host, Url};

use super::{
    Issuer, MAX_DOCUMENT_LENGTH, OidcError, SigningAlgorithm,
    json::{self, Object, string, strings},
};
use crate::config::is_loopback_host;

/// Longer endpoints are refused.
const MAX_ENDPOINT_LENGTH: usize = 2048;

/// The metadata of a provider, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderMetadata {
    /// Who issues tokens.
    pub issuer: Issuer,
    /// Where browsers are redirected to.
    pub authorization_endpoint: Url,
    /// Where a code is exchanged.
    pub token_endpoint: Url,
    /// Where the key set is.
    pub jwks_uri: Url,
    /// Where claims are that are not in ID tokens.
    pub userinfo_endpoint: Option<Url>,
    /// Whether each callback has the parameter `iss` (RFC 9207).
    pub sends_issuer: bool,
    /// How the client authenticates at the token endpoint.
    pub client_authentication: ClientAuthentication,
    /// The algorithms of ID tokens that are announced and accepted.
    pub algorithms: Vec<SigningAlgorithm>,
}

/// How the client sends its secret to the token endpoint (OpenID Connect Core §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// `client_secret_basic`: in `Authorization`.
    Basic,
    /// `client_secret_post`: in the body.
    Post,
}

/// The address of the metadata of an issuer (OpenID Connect Discovery §4.1).
#[must_use]
pub fn metadata_url(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.strip_suffix('/').unwrap_or(issuer))
}

impl ProviderMetadata {
    /// Parses the metadata of the issuer in the settings.
    ///
    /// All endpoints must be https. If the issuer itself is http, which the settings permit for this machine during development
    /// only, they may also be http on this machine.
    ///
    /// # Errors
    /// MalformedMetadata, or Metadata with the name of the member.
    pub fn parse(json: &[u8], configured_issuer: &str) -> Result<Self, OidcError> {
        let members = json::object(json, MAX_DOCUMENT_LENGTH).ok_or(OidcError::MalformedMetadata)?;
        let issuer = string(&members, "issuer").and_then(|issuer| Issuer::announced(configured_issuer, issuer));
        let issuer = issuer.ok_or(OidcError::Metadata("issuer"))?;
        let is_development = configured_issuer.starts_with("http://");
        let optional = |name: &'static str| match members.get(name) {
            None => Ok(None),
            Some(text) => {
                let url = text.as_str().and_then(|text| endpoint(text, is_development));
                url.map(Some).ok_or(OidcError::Metadata(name))
            }
        };
        let required = |name| optional(name)?.ok_or(OidcError::Metadata(name));
        let metadata = Self {
            issuer,
            authorization_endpoint: required("authorization_endpoint")?,
            token_endpoint: required("token_endpoint")?,
            jwks_uri: required("jwks_uri")?,
            userinfo_endpoint: optional("userinfo_endpoint")?,
            sends_issuer: flag(&members, "authorization_response_iss_parameter_supported")?,
            client_authentication: client_authentication(&members)?,
            algorithms: algorithms(&members)?,
        };
        list(&members, "subject_types_supported")?;
        if !list(&members, "response_types_supported")?.contains(&"code") {
            return Err(OidcError::Metadata("response_types_supported"));
        }
        // Providers that do not announce PKCE ignore its parameters. One that announces other methods only would refuse S256.
        let methods = "code_challenge_methods_supported";
        if members.contains_key(methods) && !list(&members, methods)?.contains(&"S256") {
            return Err(OidcError::Metadata(methods));
        }
        Ok(metadata)
    }
}

/// Parses an endpoint. A fragment is not allowed (RFC 6749 §3.1), and neither are user and password.
pub(super) fn endpoint(text: &str, is_development: bool) -> Option<Url> {
    if text.len() > MAX_ENDPOINT_LENGTH {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let has_host = !matches!(url.host()?, Host::Domain(""));
    let is_encrypted = match url.scheme() {
        "https" => true,
        "http" => is_development && url.host().is_some_and(|host| is_loopback_host(&host)),
        _ => false,
    };
    let is_plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    (has_host && is_encrypted && is_plain).then_some(url)
}

fn list<'a>(members: &'a Object, name: &'static str) -> Result<Vec<&'a str>, OidcError> {
    strings(members, name).filter(|values| !values.is_empty()).ok_or(OidcError::Metadata(name))
}

fn flag(members: &Object, name: &'static str) -> Result<bool, OidcError> {
    members.get(name).map_or(Ok(false), |value| value.as_bool().ok_or(OidcError::Metadata(name)))
}

/// The method is `client_secret_basic` if the provider announces none. If it announces both, the secret is sent in the body, because
/// providers differ in how they decode special characters in `Authorization`.
fn client_authentication(members: &Object) -> Result<ClientAuthentication, OidcError> {
    const NAME: &str = "token_endpoint_auth_methods_supported";
    if !members.contains_key(NAME) {
        return Ok(ClientAuthentication::Basic);
    }
    let methods = list(members, NAME)?;
    if methods.contains(&"client_secret_post") {
        Ok(ClientAuthentication::Post)
    } else if methods.contains(&"client_secret_basic") {
        Ok(ClientAuthentication::Basic)
    } else {
        Err(OidcError::Metadata(NAME))
    }
}

/// The announced algorithms that are accepted. `none` and algorithms with a shared secret never are.
fn algorithms(members: &Object) -> Result<Vec<SigningAlgorithm>, OidcError> {
    const NAME: &str = "id_token_signing_alg_values_supported";
    let announced = list(members, NAME)?;
    let algorithms: Vec<_> = announced.into_iter().filter_map(SigningAlgorithm::from_name).collect();
    if algorithms.is_empty() { Err(OidcError::Metadata(NAME)) } else { Ok(algorithms) }
}
