//! `OAUTH_CLIENTS`: who may ask what a token is good for.

use secrecy::{ExposeSecret, SecretString};

use crate::config::vars::Vars;

/// The REST and OAuth 2.0 API.
#[derive(Clone, Debug)]
pub struct OauthSettings {
    /// Whether REST and OAuth 2.0 are available, with their documentation.
    pub rest_api: bool,
    /// Services that may introspect tokens.
    pub clients: Vec<OauthClient>,
}

const MIN_SECRET_LENGTH: usize = 32;

/// A service that may introspect (RFC 7662).
#[derive(Clone, Debug)]
pub struct OauthClient {
    /// `client_id`
    pub id: String,
    /// `client_secret`
    pub secret: SecretString,
}

pub(super) fn read(vars: &mut Vars) -> Vec<OauthClient> {
    let clients = vars.secret("OAUTH_CLIENTS");
    clients.and_then(|text| vars.parse_secret("OAUTH_CLIENTS", &text, parse)).unwrap_or_default()
}

/// Of characters that look the same in a form, in a header and in an address, so that it does not matter how a client
/// encodes them.
fn parse(text: &SecretString) -> Result<Vec<OauthClient>, &'static str> {
    let is_plain = |part: &str| part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
    let mut clients: Vec<OauthClient> = Vec::new();
    for pair in text.expose_secret().split(',') {
        let (id, secret) = pair.trim().split_once(':').ok_or("expected id:secret pairs, separated by commas")?;
        if id.is_empty() || !is_plain(id) || !is_plain(secret) {
            return Err("expected only A-Z, a-z, 0-9, -, ., _ and ~ in ids and secrets");
        }
        if secret.len() < MIN_SECRET_LENGTH {
            return Err("expected secrets of at least 32 characters, such as `openssl rand -hex 32` makes");
        }
        if clients.iter().any(|client| client.id == id) {
            return Err("expected each client once");
        }
        clients.push(OauthClient { id: id.to_owned(), secret: secret.into() });
    }
    Ok(clients)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_pairs_with_secrets_that_nobody_guesses() {
        let secret = "4c1f".repeat(8);
        let good = format!("api:{secret}, billing.v2:{secret}~");
        let clients = parse(&good.as_str().into()).unwrap();
        assert_eq!(clients.iter().map(|client| client.id.as_str()).collect::<Vec<_>>(), ["api", "billing.v2"]);
        assert_eq!(clients[1].secret.expose_secret(), format!("{secret}~"));
        for bad in [
            "api".to_owned(),
            format!(":{secret}"),
            "api:short".to_owned(),
            format!("api:{secret},"),
            format!("api:{secret},api:{secret}"),
            format!("a pi:{secret}"),
            format!("api:{secret}:{secret}"),
            format!("api:{secret}+/="),
        ] {
            assert!(parse(&bad.as_str().into()).is_err(), "{bad}");
        }
    }
}
