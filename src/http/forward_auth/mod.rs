//! `/auth/verify`: tells a reverse proxy whether a request is signed in, and as which user.
//!
//! Every answer is 200, 401 or 403, because proxies treat other statuses in different ways. Failures are 403, so that nothing is
//! let through, and no browser is sent to the sign-in page while the database is down.

mod cookie;

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{LOCATION, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};

pub(in crate::http) use cookie::ForwardAuthCookie;

use crate::{
    Error, Result,
    domain::{Context, Principal, RequestId, Viewer, forward_auth_principal, identities::ReturnAddress, principal},
    error::UnauthenticatedReason,
    http::{
        Server, bearer,
        middleware::{peer, request_id},
        pages,
        rest::{ErrorFormat, error_response},
    },
    language::Language,
};

/// The path of the endpoint. Proxies that append the path of their own request can add any path.
pub(in crate::http) const PATH: &str = "/auth/verify";

const REMOTE_USER: HeaderName = HeaderName::from_static("remote-user");
const REMOTE_USER_ID: HeaderName = HeaderName::from_static("remote-user-id");
const REMOTE_EMAIL: HeaderName = HeaderName::from_static("remote-email");
const REMOTE_GROUPS: HeaderName = HeaderName::from_static("remote-groups");

/// Whether a path belongs to the endpoint.
pub(in crate::http) fn is_path(path: &str) -> bool {
    path.strip_prefix(PATH).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Answers a proxy. Any method is accepted, because some proxies send the method of their own request.
pub(in crate::http) async fn verify(State(server): State<Arc<Server>>, request: Request) -> Response {
    let (id, client) = (request_id::of(&request), peer::client(&server.app.settings, &request));
    let language = client.language;
    let viewer = bearer::viewer(&server.app, request.headers());
    let context = Context::of_request(&server.app, viewer, client);
    let (head, _) = request.into_parts();
    match server.in_time(signed_in(&server, &context, &head.headers)).await {
        Ok(principal) => allowed(&server, &principal).unwrap_or_else(|error| refused(&error, id, language)),
        Err(error) => {
            let mut response = refused(&error, id, language);
            if response.status() == StatusCode::UNAUTHORIZED {
                add_sign_in(&server, &head.headers, &mut response);
            }
            response
        }
    }
}

/// An access token takes precedence over the cookie. If it is invalid, the cookie does not count.
async fn signed_in(server: &Server, context: &Context, headers: &HeaderMap) -> Result<Principal> {
    match (context.viewer, &server.forward_auth) {
        (Viewer::Anonymous, Some(cookie)) => {
            let claims = cookie.read(&server.app, headers);
            let claims = claims.ok_or(Error::Unauthenticated(UnauthenticatedReason::TokenMissing))?;
            forward_auth_principal(context, &claims).await
        }
        _ => principal(context).await,
    }
}

fn allowed(server: &Server, principal: &Principal) -> Result<Response> {
    let user = &principal.user;
    let mut headers = HeaderMap::new();
    let mut insert = |name, value: &str| -> Result<()> {
        // An address may have letters that are not ASCII, which proxies pass on as UTF-8.
        let value = HeaderValue::from_bytes(value.as_bytes());
        let value = value.map_err(|_| Error::internal("a value of the user is no header value"))?;
        headers.insert(name, value);
        Ok(())
    };
    insert(REMOTE_USER, &user.username)?;
    insert(REMOTE_USER_ID, &user.id.to_string())?;
    // Sent even if it is empty: some proxies keep the client's own header, or send a placeholder, if a header is absent.
    insert(REMOTE_EMAIL, user.verified_email().unwrap_or_default())?;
    insert(REMOTE_GROUPS, &server.app.settings.known_roles(&user.roles.0).join(","))?;
    Ok((StatusCode::OK, headers).into_response())
}

/// The answer to a request that must not be passed on. Also used if the handler was not reached, timed out or panicked.
pub(in crate::http) fn refused(error: &Error, id: RequestId, language: Language) -> Response {
    let mut response = error_response::of(ErrorFormat::Rest, error, id, language);
    if response.status() != StatusCode::UNAUTHORIZED {
        *response.status_mut() = StatusCode::FORBIDDEN;
        response.headers_mut().remove(WWW_AUTHENTICATE);
    }
    response
}

/// Adds the address of the sign-in page, which leads back to the address that the client asked the proxy for. Browsers ignore it
/// with this status; the proxy can redirect to it.
fn add_sign_in(server: &Server, headers: &HeaderMap, response: &mut Response) {
    let settings = &server.app.settings;
    if server.forward_auth.is_none() || !pages::are_the_app(settings) {
        return;
    }
    let mut address = format!("{}{}", settings.server.public_url, pages::SIGN_IN_PATH);
    let return_to = asked_for(headers).and_then(|text| ReturnAddress::parse_for_page(settings, &text).ok());
    if let Some(return_to) = return_to {
        let query = url::form_urlencoded::Serializer::new(String::new());
        address = format!("{address}?{}", { query }.append_pair("return_to", return_to.as_str()).finish());
    }
    if let Ok(address) = HeaderValue::try_from(address) {
        response.headers_mut().insert(LOCATION, address);
    }
}

/// The address in the headers that proxies add. A client may have written them, so it counts only if its origin is allowed.
fn asked_for(headers: &HeaderMap) -> Option<String> {
    let get = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let (scheme, host) = (get("x-forwarded-proto")?, get("x-forwarded-host")?);
    Some(format!("{scheme}://{host}{}", get("x-forwarded-uri").unwrap_or("/")))
}
