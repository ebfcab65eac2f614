//! `/introspect` (RFC 7662), for the services in `OAUTH_CLIENTS`.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
    http::{StatusCode, header::AUTHORIZATION},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    domain::token_introspection,
    http::{
        Server,
        oauth::token::{missing, read},
        rest::{
            Call, ErrorFormat, ErrorResponse,
            docs::{OauthError, OauthErrors},
            error_response::{INVALID_CLIENT, UNCACHED},
            models::Introspection,
        },
    },
    security::oauth_client,
};

/// The token to introspect.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct IntrospectRequest {
    /// An access token.
    // Required, but checked after the client is authenticated.
    #[schema(value_type = String)]
    token: Option<String>,
    /// Ignored.
    #[schema(nullable = false)]
    #[expect(dead_code, reason = "accepted and ignored")]
    token_type_hint: Option<String>,
    /// With `client_secret`, for clients that do not send the header.
    #[schema(nullable = false)]
    client_id: Option<String>,
    #[schema(nullable = false, format = Password)]
    client_secret: Option<String>,
}

/// The current state of an access token. For the services in `OAUTH_CLIENTS`.
#[utoipa::path(
    post,
    path = "/introspect",
    operation_id = "introspectToken",
    tag = "OAuth 2.0",
    request_body(content = IntrospectRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The state of the token", body = Introspection),
        (status = 401, description = "Client authentication failed: not one of `OAUTH_CLIENTS`", body = OauthError),
        OauthErrors,
    ),
    security((), ("ClientSecretBasic" = []))
)]
pub(in crate::http) async fn introspect(State(server): State<Arc<Server>>, request: Request) -> Response {
    let call = Call::of(&server, &request);
    let result = async {
        let request: IntrospectRequest = read(&call, request).await?;
        authenticate(&call, request.client_id.zip(request.client_secret))?;
        let token = request.token.ok_or_else(|| missing("token"))?;
        let introspected = call.within(token_introspection::introspect(&call.context, &token)).await?;
        let introspection = Introspection::of(introspected, &server.app.settings);
        Ok((UNCACHED, Json(introspection)).into_response())
    };
    call.respond(ErrorFormat::Oauth, result.await)
}

/// Authenticates the client by `client_secret_basic` or `client_secret_post` (RFC 6749 §2.3.1), but not by both.
fn authenticate(call: &Call<'_>, in_form: Option<(String, String)>) -> Result<(), ErrorResponse> {
    let mut headers = call.headers.get_all(AUTHORIZATION).iter();
    let (id, secret) = match (in_form, headers.next(), headers.next()) {
        (Some(pair), None, None) => Some(pair),
        (None, Some(header), None) => basic(header.as_bytes()),
        (None, None, None) => None,
        _ => {
            return Err(ErrorResponse::invalid_request(
                "Use one authentication method: the `Authorization` header or the form.",
            ));
        }
    }
    .unwrap_or_default();
    if oauth_client::is_known(&call.server.app.settings.oauth.clients, &id, &secret) {
        return Ok(());
    }
    Err(ErrorResponse::Rejected(
        StatusCode::UNAUTHORIZED,
        INVALID_CLIENT,
        "Client authentication failed. Send the id and secret of a client in OAUTH_CLIENTS.".into(),
    ))
}

/// Parses the credentials of HTTP Basic. The characters allowed in ids and secrets are the same before and after form
/// encoding, so nothing is decoded.
fn basic(header: &[u8]) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_at_checked(6)?;
    let encoded = scheme.eq_ignore_ascii_case(b"basic ").then(|| encoded.trim_ascii())?;
    let pair = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}
