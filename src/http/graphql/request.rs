//! Parses an HTTP request into a GraphQL request.

use std::time::Duration;

use async_graphql::{Request as GraphqlRequest, Variables};
use axum::{
    extract::Request,
    http::{HeaderMap, Method, StatusCode},
};
use serde_json::{Map, Value};

use crate::{
    graphql::executor::RequestDocument,
    http::{
        body,
        form::{BadForm, MAX_PARAMETERS},
        graphql::RequestError,
        json::{self, BadJson},
    },
};

/// Reads the document of the request, and the request without it.
///
/// # Errors
/// 405, 415, 413, 408, 400: see the table in `docs/graphql.md`.
pub(super) async fn read(
    request: Request,
    body_timeout: Duration,
) -> Result<(RequestDocument, GraphqlRequest), RequestError> {
    let method = request.method().clone();
    if method == Method::GET {
        return parse_query_string(request.uri().query().unwrap_or_default());
    }
    if method != Method::POST {
        return Err(RequestError::method_not_allowed("Send a GraphQL request by POST, as JSON.", "GET, POST"));
    }
    check_content_type(request.headers())?;
    let body = body::collect(request, body::MAX_GRAPHQL, body_timeout).await;
    let body = body.map_err(|error| RequestError::bad_request(error.status(), error.message()))?;
    match parse_json(&body, NOT_AN_OBJECT)? {
        Value::Object(fields) => parse_fields(fields),
        Value::Array(_) => Err(bad_request(
            r#"Batched requests are not supported. Send one request at a time, as {"query": "…", "variables": {…}}."#,
        )),
        _ => Err(bad_request(NOT_AN_OBJECT)),
    }
}

const NOT_AN_OBJECT: &str = r#"The body is not a JSON object. Send {"query": "…", "variables": {…}}."#;

fn parse_json(text: &[u8], not_json: &'static str) -> Result<Value, RequestError> {
    json::parse(text).map_err(|error| match error {
        BadJson::NotJson => bad_request(not_json),
        BadJson::TooManyValues => RequestError::bad_request(StatusCode::PAYLOAD_TOO_LARGE, BadJson::TOO_MANY_VALUES),
    })
}

fn bad_request(message: &'static str) -> RequestError {
    RequestError::bad_request(StatusCode::BAD_REQUEST, message)
}

/// Requires `application/json`. A browser sends it across origins only after a CORS preflight; form types would allow
/// CSRF.
fn check_content_type(headers: &HeaderMap) -> Result<(), RequestError> {
    if body::is_of_type(headers, "application/json") {
        return Ok(());
    }
    Err(RequestError::bad_request(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "Send the header `Content-Type: application/json`, and JSON in UTF-8.",
    ))
}

fn parse_query_string(query_string: &str) -> Result<(RequestDocument, GraphqlRequest), RequestError> {
    let mut fields = Map::new();
    let parameters = url::form_urlencoded::parse(query_string.as_bytes());
    if parameters.count() > MAX_PARAMETERS {
        return Err(bad_request(BadForm::TOO_MANY_PARAMETERS));
    }
    for (name, value) in url::form_urlencoded::parse(query_string.as_bytes()) {
        let value = match &*name {
            "operationName" | "variables" | "extensions" if value.is_empty() => Value::Null,
            "variables" | "extensions" => {
                parse_json(value.as_bytes(), "`variables` and `extensions` in the query string must be JSON.")?
            }
            _ => Value::String(value.into_owned()),
        };
        if fields.insert(name.into_owned(), value).is_some() {
            return Err(bad_request("The query string contains a parameter twice."));
        }
    }
    parse_fields(fields)
}

/// Parses the members of a request (GraphQL over HTTP, "Request Parameters"). Ignores others, as the specification
/// says.
///
/// # Errors
/// 400 if a member is invalid.
pub(super) fn parse_fields(mut fields: Map<String, Value>) -> Result<(RequestDocument, GraphqlRequest), RequestError> {
    let document = match (fields.remove("query"), document_id(&fields)) {
        (Some(Value::String(text)), _) => RequestDocument::Text(text),
        (None | Some(Value::Null), Some(id)) => RequestDocument::Id(id.to_owned()),
        _ => return Err(bad_request("`query` is missing. Send the GraphQL document in it, as a string.")),
    };
    let mut request = GraphqlRequest::new("");
    match fields.remove("operationName") {
        None | Some(Value::Null) => {}
        Some(Value::String(name)) => request.operation_name = Some(name),
        Some(_) => return Err(bad_request("`operationName` must be a string.")),
    }
    match fields.remove("variables") {
        None | Some(Value::Null) => {}
        Some(variables @ Value::Object(_)) => request.variables = Variables::from_json(variables),
        Some(_) => {
            return Err(bad_request("`variables` must be an object that maps names to values."));
        }
    }
    match fields.remove("extensions") {
        None | Some(Value::Null | Value::Object(_)) => Ok((document, request)),
        Some(_) => Err(bad_request("`extensions` must be an object.")),
    }
}

/// The id that clients send instead of a document: `documentId`, or the hash of a persisted query.
fn document_id(fields: &Map<String, Value>) -> Option<&str> {
    let hash = || fields.get("extensions")?.get("persistedQuery")?.get("sha256Hash");
    fields.get("documentId").or_else(hash)?.as_str()
}
