//! `/graphql`, according to the GraphQL over HTTP specification.
//!
//! The handler of async-graphql-axum is not used, because it executes mutations sent by GET, `text/plain` and multipart, and
//! ignores `Accept`. Every response is GraphQL JSON, including errors.

mod accept;
mod request;
mod request_error;
mod stream;
pub(super) mod websocket;

use std::sync::Arc;

pub(super) use accept::MediaType;
use async_graphql_axum::GraphQLResponse;
use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, SET_COOKIE, VARY, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
pub(super) use request_error::RequestError;

use crate::{
    Error,
    domain::{Context, Viewer},
    error::ErrorCode,
    graphql::{
        RequestContext,
        executor::{Allow, Answer, Execution, OperationKind},
    },
    http::{
        Server, bearer, explorer, hint_context,
        middleware::{peer, request_id},
    },
};

/// What the log contains about a GraphQL request besides its status.
#[derive(Clone, Debug, Default)]
pub(super) struct LogFields {
    pub(super) code: Option<ErrorCode>,
}

pub(super) async fn handle(State(server): State<Arc<Server>>, request: Request) -> Response {
    if server.app.settings.graphql.playground && asks_for_page(&request) {
        return explorer::page(State(server), request).await;
    }
    let id = request_id::of(&request);
    let client = peer::client(&server.app.settings, &request);
    let language = client.language;
    let is_get = request.method() == Method::GET;
    let stream_type = accept::stream_type(request.headers()).filter(|_| !is_get);
    let negotiated = accept::negotiate(request.headers());
    let accepts_json = negotiated.is_ok();
    let media_type = match (negotiated, stream_type) {
        (Ok(media_type), _) => media_type,
        (Err(_), Some(_)) => MediaType::Json,
        (Err(error), None) => return error.into_response(MediaType::Json, id, language),
    };
    // Errors are part of the stream if the client accepts nothing else.
    let only_stream = stream_type.filter(|_| !accepts_json);
    let Ok(cookies) = server.cookies.read(&server.app.settings, request.headers()) else {
        return RequestError::foreign_origin(server.app.settings.server.is_local)
            .into_response(media_type, id, language);
    };
    let viewer = bearer::viewer(&server.app, request.headers());
    let mut context = RequestContext::new(id, Context::of_request(&server.app, viewer, client));
    context.hint_context = hint_context::of(&server.app.settings, request.headers(), &cookies, viewer);
    if !is_get {
        context.cookies = cookies;
    }
    let (document, request) = match request::read(request, server.limits.body_timeout).await {
        Ok(read) => read,
        Err(error) => return error.into_response(media_type, id, language),
    };
    let allow =
        Allow { queries: accepts_json, mutations: accepts_json && !is_get, subscriptions: stream_type.is_some() };
    let execution = server.executor.execute(document, request, context, allow);
    // After the timeout, the write may have been rolled back or committed, and the response does not say which.
    let Ok(execution) = tokio::time::timeout(server.limits.handler_timeout, execution).await else {
        return RequestError::from(Error::unavailable(5, "a request took too long"))
            .into_response(media_type, id, language);
    };
    match execution {
        Execution::Executed(answer) => {
            let may_cache = is_get && viewer == Viewer::Anonymous;
            let cookies: Vec<_> = answer.cookie_changes.iter().flat_map(|change| server.set_cookies(change)).collect();
            let message = only_stream.map(|stream_type| stream_type.message(&answer.response));
            let mut response = executed(answer, media_type, viewer, may_cache);
            stream::replace_body(&mut response, only_stream.zip(message));
            for cookie in cookies {
                response.headers_mut().append(SET_COOKIE, cookie);
            }
            response
        }
        Execution::Refused(answer) => {
            let status = match media_type {
                MediaType::GraphqlResponse => StatusCode::BAD_REQUEST,
                MediaType::Json => StatusCode::OK,
            };
            let mut response = request_error::errors_response(status, media_type, &answer.response.errors);
            let message = only_stream.map(|stream_type| stream_type.message(&answer.response));
            stream::replace_body(&mut response, only_stream.zip(message));
            response.extensions_mut().insert(log_fields(&answer));
            response
        }
        Execution::NotAllowed(kind) => not_allowed(kind, is_get).into_response(media_type, id, language),
        Execution::Subscribed(events) => match stream_type {
            Some(stream_type) => stream::respond(server, *events, stream_type)
                .unwrap_or_else(|error| RequestError::from(error).into_response(media_type, id, language)),
            None => not_allowed(OperationKind::Subscription, is_get).into_response(media_type, id, language),
        },
    }
}

/// The error for an operation that the method or the accepted media types do not allow.
fn not_allowed(kind: OperationKind, is_get: bool) -> RequestError {
    match (kind, is_get) {
        (OperationKind::Request, true) => {
            RequestError::method_not_allowed("A mutation can't be sent by GET. Send it by POST, as JSON.", "POST")
        }
        (OperationKind::Subscription, true) => {
            RequestError::method_not_allowed("A subscription can't be sent by GET. Send it by POST, as JSON.", "POST")
        }
        (OperationKind::Request, false) => RequestError::bad_request(
            StatusCode::NOT_ACCEPTABLE,
            "Only a subscription has a stream as its response. Send `Accept: application/graphql-response+json` or \
             `Accept: application/json`.",
        ),
        (OperationKind::Subscription, false) => RequestError::bad_request(
            StatusCode::NOT_ACCEPTABLE,
            "The response to a subscription is a stream. Send `Accept: text/event-stream` or \
             `Accept: multipart/mixed; subscriptionSpec=1.0`.",
        ),
    }
}

/// Whether a browser navigates to this address. A URL with a document in its query string is a GraphQL request.
fn asks_for_page(request: &Request) -> bool {
    let mut parameters = url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
    matches!(*request.method(), Method::GET | Method::HEAD)
        && accept::prefers_html(request.headers())
        && !parameters.any(|(name, _)| matches!(&*name, "query" | "documentId" | "extensions"))
}

fn executed(answer: Answer, media_type: MediaType, viewer: Viewer, may_cache: bool) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, media_type.content_type());
    if !(may_cache && answer.errors.is_empty()) || answer.response.cache_control.value().is_none() {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    // Only errors depend on the language.
    let varies =
        if answer.errors.is_empty() { "accept, authorization" } else { "accept, accept-language, authorization" };
    headers.insert(VARY, HeaderValue::from_static(varies));
    let is_unauthenticated = answer.errors.iter().any(|error| error.reason().is_some());
    if is_unauthenticated && viewer != Viewer::Anonymous {
        // RFC 6750 §3.1
        let challenge = HeaderValue::from_static(r#"Bearer error="invalid_token""#);
        headers.insert(WWW_AUTHENTICATE, challenge);
    } else if let Some(challenge) = answer.errors.iter().find_map(bearer::step_up_challenge) {
        headers.insert(WWW_AUTHENTICATE, challenge);
    }
    if let Some(seconds) = answer.errors.iter().filter_map(Error::retry_after).max() {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    let log = log_fields(&answer);
    let mut response = GraphQLResponse::from(answer.response).into_response();
    response.headers_mut().extend(headers);
    response.extensions_mut().insert(log);
    response
}

fn log_fields(answer: &Answer) -> LogFields {
    LogFields { code: answer.errors.first().map(Error::code) }
}
