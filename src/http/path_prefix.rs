//! The path of `PUBLIC_URL`: a proxy passes requests on with it, and the routes do not have it.

use axum::{
    Router,
    extract::Request,
    http::{Uri, uri::PathAndQuery},
};
use tower::ServiceExt;

/// Has no route. Requests without the prefix get the usual response to an unknown path.
const NOWHERE: &str = "/nowhere";

/// Paths that clients find by the origin alone, and those of health checks, which platforms send past the proxy.
const WITHOUT_PREFIX: [&str; 3] = ["/health/live", "/health/ready", "/.well-known/webauthn"];

/// Documents whose path is in front of the prefix (RFC 8414 §3.1). They exist behind it too, as in OpenID Connect Discovery.
const IN_FRONT_OF_PREFIX: [&str; 2] = ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"];

/// A router whose paths have a prefix. It may be empty.
pub(super) fn strip(router: Router, prefix: &str) -> Router {
    if prefix.is_empty() {
        return router;
    }
    let prefix = prefix.to_owned();
    Router::new().fallback_service(router.map_request(move |mut request: Request| {
        *request.uri_mut() = stripped(request.uri(), &prefix);
        request
    }))
}

/// The address of a request without the prefix.
fn stripped(uri: &Uri, prefix: &str) -> Uri {
    let path = uri.path();
    let without = match path.strip_prefix(prefix) {
        Some("") => "/",
        Some(rest) if rest.starts_with('/') => rest,
        _ if WITHOUT_PREFIX.contains(&path) => path,
        _ => {
            let document = path.strip_suffix(prefix);
            document.filter(|path| IN_FRONT_OF_PREFIX.contains(path)).unwrap_or(NOWHERE)
        }
    };
    let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
    let path_and_query = PathAndQuery::try_from(format!("{without}{query}"));
    path_and_query.unwrap_or_else(|_| PathAndQuery::from_static(NOWHERE)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefix_is_stripped_once() {
        for (address, expected) in [
            ("/accounts/graphql", "/graphql"),
            ("/accounts/graphql?query={me{id}}", "/graphql?query={me{id}}"),
            ("http://example.org/accounts/graphql", "/graphql"),
            ("/accounts", "/"),
            ("/accounts/", "/"),
            ("/accounts/accounts/graphql", "/accounts/graphql"),
            ("/accounts//graphql", "//graphql"),
            ("/accounts/%67raphql", "/%67raphql"),
            ("/accounts/.well-known/jwks.json", "/.well-known/jwks.json"),
            ("/accounts/.well-known/openid-configuration", "/.well-known/openid-configuration"),
            ("/.well-known/openid-configuration/accounts", "/.well-known/openid-configuration"),
            ("/.well-known/oauth-authorization-server/accounts", "/.well-known/oauth-authorization-server"),
            ("/.well-known/webauthn", "/.well-known/webauthn"),
            ("/health/ready", "/health/ready"),
            ("/accounts/health/ready", "/health/ready"),
        ] {
            assert_eq!(stripped(&address.parse().unwrap(), "/accounts").to_string(), expected, "{address}");
        }
    }

    #[test]
    fn paths_without_the_prefix_lead_nowhere() {
        for address in [
            "/",
            "/graphql",
            "/accountsgraphql",
            "/Accounts/graphql",
            "/%61ccounts/graphql",
            "//accounts/graphql",
            "/x/accounts/graphql",
            "/health",
            "/health/live/accounts",
            "/.well-known/jwks.json",
            "/.well-known/jwks.json/accounts",
            "/.well-known/oauth-authorization-server",
            "/.well-known/oauth-authorization-server/accounts/",
        ] {
            assert_eq!(stripped(&address.parse().unwrap(), "/accounts").path(), NOWHERE, "{address}");
        }
    }
}
