//! The REST and OAuth 2.0 API, and the services that may introspect tokens.

use secrecy::{ExposeSecret, SecretString};

use crate::config::{setting::Setting, vars::Vars};

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

impl OauthSettings {
    /// Declares and reads the settings of this section.
    pub(super) fn read(vars: &mut Vars) -> Self {
        vars.section("oauth", "REST and OAuth 2.0");
        Self {
            rest_api: Setting::new(
                "REST_API",
                "Whether [REST and OAuth 2.0](rest-and-oauth.md) are available, with the password grant and their \
                 documentation.",
            )
            .flag()
            .read_or(vars, true),
            clients: Setting::new("OAUTH_CLIENTS", "Services that may call `/introspect`, each with its own secret.")
                .secret(
                    format!(
                        "`id:secret` pairs, separated by commas. Ids and secrets consist of `A-Z a-z 0-9 - . _ ~`; \
                         secrets have at least {MIN_SECRET_LENGTH} characters"
                    ),
                    parse,
                )
                .read_optional(vars)
                .unwrap_or_default(),
        }
    }
}

/// Parses `id:secret` pairs. All characters look the same in a form, in a header and in a URL, so that it does not matter how
/// a client encodes them.
fn parse(text: &SecretString) -> Result<Vec<OauthClient>, String> {
    let is_plain = |part: &str| part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
    let mut clients: Vec<OauthClient> = Vec::new();
    for pair in text.expose_secret().split(',') {
        let (id, secret) = pair.trim().split_once(':').ok_or("expected id:secret pairs, separated by commas")?;
        if id.is_empty() || !is_plain(id) || !is_plain(secret) {
            return Err("expected only A-Z, a-z, 0-9, -, ., _ and ~ in ids and secrets".to_owned());
        }
        if secret.len() < MIN_SECRET_LENGTH {
            return Err(format!(
                "expected secrets of at least {MIN_SECRET_LENGTH} characters, such as `openssl rand -hex 32` makes"
            ));
        }
        if clients.iter().any(|client| client.id == id) {
            return Err("expected each client once".to_owned());
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
