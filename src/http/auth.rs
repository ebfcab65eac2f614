//! `/auth/{provider}` and its callback: sign-in with other providers.
//!
//! Browsers navigate to these paths, so every answer is a redirect, or a page if there is no address to return to. The answers contain
//! no token: the app exchanges the code of the last redirect.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{ALLOW, LOCATION, SET_COOKIE},
    },
    response::{IntoResponse, Response},
};

use crate::{
    Error, Result,
    domain::{
        Context, Viewer,
        identities::{self, ReturnAddress, Started},
    },
    http::{Server, cookies, form::Form, graphql::LogFields, middleware::peer, pages},
    security::oidc::{FlowCookie, NewFlow},
};

/// Maximum number of flows in one browser. Their cookies are sent with every request, and servers limit the size of headers.
const MAX_FLOWS: usize = 8;

/// Redirects to a provider.
pub(super) async fn start(
    State(server): State<Arc<Server>>,
    Path(provider_id): Path<String>,
    request: Request,
) -> Response {
    let client = peer::client(&server.app.settings, &request);
    let language = client.language;
    if let Some(refused) = only_get(&request) {
        return refused;
    }
    let context = Context::of_request(&server.app, Viewer::Anonymous, client);
    let flow = match prepare(&context, &provider_id, request.uri().query()) {
        Ok(flow) => flow,
        Err(error) => return pages::error_page(&server.app.settings, language, &error),
    };
    let return_to = ReturnAddress::parse(&server.app.settings, &flow.return_to);
    let started = server.in_time(identities::start(&context, flow)).await;
    match (started, return_to) {
        (Ok(started), _) => started_response(&server, request.headers(), started),
        (Err(error), Ok(return_to)) => {
            let mut response = redirect(&return_to.with_error(error.code()));
            response.extensions_mut().insert(LogFields { code: Some(error.code()) });
            response
        }
        (Err(error), Err(_)) => pages::error_page(&server.app.settings, language, &error),
    }
}

fn prepare(context: &Context, provider_id: &str, query: Option<&str>) -> Result<NewFlow> {
    let query = Form::parse(query.unwrap_or_default().as_bytes());
    let mut query = query.map_err(|_| Error::BadRequest("The query of this address is malformed."))?;
    if let Some(ticket) = query.take("link") {
        return identities::prepare_link(context, provider_id, &ticket);
    }
    let mut take = |name| query.take(name).unwrap_or_default();
    let (return_to, code_challenge) = (take("return_to"), take("code_challenge"));
    identities::prepare(context, provider_id, &return_to, &code_challenge)
}

fn started_response(server: &Server, headers: &HeaderMap, started: Started) -> Response {
    let Started { location, cookie } = started;
    let mut response = redirect(&location);
    for name in server.cookies.flows(headers).skip(MAX_FLOWS - 1) {
        add_cookie(&mut response, server.cookies.set_flow(&name, "", 0));
    }
    let name = server.cookies.flow(&cookie.name);
    add_cookie(&mut response, server.cookies.set_flow(&name, &cookie.value, FlowCookie::MAX_AGE_SECONDS));
    response
}

/// Takes what a provider returns, and redirects to the app.
pub(super) async fn callback(
    State(server): State<Arc<Server>>,
    Path(provider_id): Path<String>,
    request: Request,
) -> Response {
    let client = peer::client(&server.app.settings, &request);
    let language = client.language;
    if let Some(refused) = only_get(&request) {
        return refused;
    }
    let context = Context::of_request(&server.app, Viewer::Anonymous, client);
    let (head, _) = request.into_parts();
    let values = |name: &str| {
        cookies::values(&head.headers, &server.cookies.flow(name)).map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    let query = head.uri.query().unwrap_or_default();
    // Boxed, so that other requests stay small.
    let completed = server.in_time(Box::pin(identities::complete(&context, &provider_id, query, values))).await;
    match completed {
        Ok(completed) => {
            let mut response = redirect(&completed.location);
            let name = server.cookies.flow(&completed.cookie_name);
            add_cookie(&mut response, server.cookies.set_flow(&name, "", 0));
            response
        }
        Err(error @ Error::CodeInvalid) => pages::unknown_flow_page(&server.app.settings, language, &error),
        Err(error) => pages::error_page(&server.app.settings, language, &error),
    }
}

/// The router also passes HEAD, which must have no effect.
fn only_get(request: &Request) -> Option<Response> {
    let refused = || (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET")]).into_response();
    (request.method() != Method::GET).then(refused)
}

/// A redirect that the browser follows with GET.
pub(super) fn redirect(location: &str) -> Response {
    match HeaderValue::try_from(location) {
        Ok(location) => (StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Adds a `Set-Cookie` header.
pub(super) fn add_cookie(response: &mut Response, cookie: Option<HeaderValue>) {
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}
