//! GitHub, which has OAuth 2.0 but no ID tokens: the user is read from its REST API.
//!
//! The access token comes from GitHub's token endpoint for a code of this client and this flow. So the user that it belongs to is
//! the user who has signed in.

use serde_json::Value;
use url::Url;

use super::{
    EmailVerification, Identity, MAX_DOCUMENT_LENGTH, OidcError, ProviderEmail,
    identity::text,
    json::{self, Object, string},
    metadata::endpoint,
};

/// The address of GitHub itself, and the issuer of its users.
pub const GITHUB: &str = "https://github.com";

/// The `Accept` header of requests to the API. The token endpoint needs `application/json`.
pub const API_MEDIA_TYPE: &str = "application/vnd.github+json";

/// GitHub forwards no mails to these addresses, which users have instead of their own in public.
const PRIVATE_DOMAIN: &str = "@users.noreply.github.com";

/// The endpoints of GitHub, or of a GitHub Enterprise Server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// Where browsers are redirected to.
    pub authorization: Url,
    /// Where a code is exchanged. The secret of the client is sent in the body.
    pub token: Url,
    /// The profile of the user.
    pub user: Url,
    /// The addresses of the user.
    pub emails: Url,
}

impl Endpoints {
    /// The endpoints at an address without a slash at the end. `None` if the address is neither https nor, for development, http
    /// on this machine.
    #[must_use]
    pub fn at(address: &str) -> Option<Self> {
        let api = if address == GITHUB { "https://api.github.com".to_owned() } else { format!("{address}/api/v3") };
        let is_development = address.starts_with("http://");
        let url = |text: String| endpoint(&text, is_development);
        Some(Self {
            authorization: url(format!("{address}/login/oauth/authorize"))?,
            token: url(format!("{address}/login/oauth/access_token"))?,
            user: url(format!("{api}/user"))?,
            emails: url(format!("{api}/user/emails?per_page=100"))?,
        })
    }
}

/// The user, from the responses of `/user` and `/user/emails`.
///
/// The subject is the number of the user. Names (`login`) can change, and another user can take one that is free. The address is the
/// primary one, if it is verified. `/user` has an address too, but it may be any text.
///
/// # Errors
/// MalformedProfile.
pub fn identity(address: &str, user: &[u8], emails: &[u8]) -> Result<Identity, OidcError> {
    let user = json::object(user, MAX_DOCUMENT_LENGTH).ok_or(OidcError::MalformedProfile)?;
    let id = user.get("id").and_then(Value::as_u64).filter(|id| *id > 0).ok_or(OidcError::MalformedProfile)?;
    Ok(Identity {
        issuer: address.to_owned(),
        subject: id.to_string(),
        email: primary_email(emails)?,
        username: text(&user, "login"),
        full_name: text(&user, "name"),
        first_name: None,
        last_name: None,
    })
}

fn primary_email(json: &[u8]) -> Result<Option<ProviderEmail>, OidcError> {
    let list = json::value(json, MAX_DOCUMENT_LENGTH).ok_or(OidcError::MalformedProfile)?;
    let entries: Option<Vec<&Object>> =
        list.as_array().and_then(|entries| entries.iter().map(Value::as_object).collect());
    let entries = entries.ok_or(OidcError::MalformedProfile)?;
    let is_set = |entry: &Object, name: &str| entry.get(name) == Some(&Value::Bool(true));
    let is_usable = |entry: &&Object| {
        let is_private = string(entry, "email").is_none_or(|address| address.ends_with(PRIVATE_DOMAIN));
        is_set(entry, "primary") && is_set(entry, "verified") && !is_private
    };
    let address = entries.into_iter().find(is_usable).and_then(|entry| text(entry, "email"));
    Ok(address.map(|address| ProviderEmail { address, verification: EmailVerification::Verified }))
}
