//! Content negotiation: selects the media type of a response (RFC 9110 §12.5.1).

use axum::http::{HeaderMap, HeaderValue, StatusCode, header::ACCEPT};

use crate::http::{
    graphql::{RequestError, stream::StreamType},
    negotiation,
};

/// The media types of a GraphQL response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum MediaType {
    /// `application/graphql-response+json`: the status shows whether the request was valid.
    GraphqlResponse,
    /// `application/json`: the status of every GraphQL request is 200. The default for requests without `Accept`.
    Json,
}

impl MediaType {
    pub(super) fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        })
    }

    const fn name(self) -> &'static str {
        match self {
            Self::GraphqlResponse => "application/graphql-response+json",
            Self::Json => "application/json",
        }
    }
}

/// The precedence of a media range that matches: its specificity, as in the RFC, then its weight in thousandths.
type Match = (u8, u16);

/// Selects the media type that the client prefers.
///
/// # Errors
/// 406 if the client accepts neither.
pub(super) fn negotiate(headers: &HeaderMap) -> Result<MediaType, RequestError> {
    let mut json = None;
    let mut graphql_response = None;
    let mut has_ranges = false;
    for (range, weight) in ranges(headers) {
        has_ranges = true;
        json = json.max(matched(MediaType::Json, &range, weight));
        graphql_response = graphql_response.max(matched(MediaType::GraphqlResponse, &range, weight));
    }
    let weight_of = |matched: Option<Match>| matched.map_or(0, |(_, weight)| weight);
    let (json_weight, graphql_weight) = (weight_of(json), weight_of(graphql_response));
    let is_named = graphql_response.is_some_and(|(specificity, _)| specificity == 2);
    if !has_ranges {
        Ok(MediaType::Json)
    } else if graphql_weight > json_weight || (is_named && graphql_weight == json_weight && graphql_weight > 0) {
        Ok(MediaType::GraphqlResponse)
    } else if json_weight > 0 {
        Ok(MediaType::Json)
    } else {
        Err(RequestError::bad_request(
            StatusCode::NOT_ACCEPTABLE,
            "The response is JSON. Send `Accept: application/graphql-response+json` or `Accept: application/json`.",
        ))
    }
}

/// The type of stream that the client prefers, among those that it names. `*/*` names none.
pub(super) fn stream_type(headers: &HeaderMap) -> Option<StreamType> {
    let parse = |text: &str| {
        let (name, weight) = negotiation::member(text);
        StreamType::of(&name, text).filter(|_| weight > 0).map(|stream_type| (stream_type, weight))
    };
    let mut preferred = None;
    for (stream_type, weight) in negotiation::parse_with(headers.get_all(ACCEPT), parse) {
        if preferred.is_none_or(|(_, other)| weight > other) {
            preferred = Some((stream_type, weight));
        }
    }
    preferred.map(|(stream_type, _)| stream_type)
}

/// Whether the client is a browser that opens a page: it accepts HTML explicitly, and with a higher weight than JSON.
pub(super) fn prefers_html(headers: &HeaderMap) -> bool {
    let mut html = 0;
    let mut json = 0;
    for (range, weight) in ranges(headers) {
        match range.as_str() {
            "text/html" => html = html.max(weight),
            name if name == MediaType::GraphqlResponse.name() || name == MediaType::Json.name() => {
                json = json.max(weight);
            }
            _ => {}
        }
    }
    html > json
}

/// The media ranges that the client accepts, with their weights.
fn ranges(headers: &HeaderMap) -> Vec<(String, u16)> {
    negotiation::parse(headers.get_all(ACCEPT))
}

fn matched(media_type: MediaType, range: &str, weight: u16) -> Option<Match> {
    let specificity = match range {
        "*/*" => 0,
        "application/*" => 1,
        range if range == media_type.name() => 2,
        _ => return None,
    };
    Some((specificity, weight))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn negotiated(accept: &str) -> Option<MediaType> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, accept.parse().unwrap());
        negotiate(&headers).ok()
    }

    #[test]
    fn response_has_the_preferred_media_type() {
        use MediaType::{GraphqlResponse, Json};
        for (accept, expected) in [
            ("", Some(Json)),
            ("*/*", Some(Json)),
            ("application/*", Some(Json)),
            ("application/json", Some(Json)),
            ("APPLICATION/JSON; charset=utf-8", Some(Json)),
            ("application/graphql-response+json", Some(GraphqlResponse)),
            // Apollo Client, urql, graphql-request
            ("application/graphql-response+json,application/json;q=0.9", Some(GraphqlResponse)),
            ("application/graphql-response+json, application/graphql+json, application/json", Some(GraphqlResponse)),
            ("application/json, application/graphql-response+json", Some(GraphqlResponse)),
            ("application/json, application/graphql-response+json;q=0.5", Some(Json)),
            ("application/json;q=0.1, */*", Some(GraphqlResponse)),
            ("text/html, */*;q=0.8", Some(Json)),
            ("application/json;q=0, application/graphql-response+json;q=0.1", Some(GraphqlResponse)),
            ("application/json;q=broken", Some(Json)),
            ("text/html", None),
            ("application/json;q=0", None),
            ("*/*;q=0", None),
            ("application/xml, image/*", None),
        ] {
            assert_eq!(negotiated(accept), expected, "{accept}");
        }
        assert_eq!(negotiate(&HeaderMap::new()).ok(), Some(Json));
    }

    #[test]
    fn streams_are_named_by_the_client() {
        use StreamType::{EventStream, Multipart};
        for (accept, expected) in [
            ("", None),
            ("*/*", None),
            ("text/*", None),
            ("application/json", None),
            ("text/event-stream", Some(EventStream)),
            ("TEXT/Event-Stream; charset=utf-8", Some(EventStream)),
            ("text/event-stream;q=0", None),
            // Without the specification, this is incremental delivery.
            ("multipart/mixed", None),
            ("multipart/mixed;deferSpec=20220824", None),
            ("multipart/mixed;subscriptionSpec=2.0", None),
            // Apollo Client, Apollo Kotlin
            ("multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json;q=0.9", Some(Multipart)),
            (r#"multipart/mixed; boundary="graphql"; subscriptionSpec="1.0""#, Some(Multipart)),
            // urql
            ("text/event-stream, multipart/mixed", Some(EventStream)),
            ("text/event-stream;q=0.5, multipart/mixed;subscriptionSpec=1.0", Some(Multipart)),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            assert_eq!(stream_type(&headers), expected, "{accept}");
        }
    }

    #[test]
    fn html_is_only_for_browsers_that_open_a_page() {
        for (accept, expected) in [
            // Chromium, Firefox, Safari
            ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", true),
            ("text/html", true),
            ("TEXT/HTML; charset=utf-8", true),
            ("application/json;q=0.9, text/html", true),
            ("", false),
            ("*/*", false),
            ("text/*", false),
            ("text/html;q=0", false),
            ("application/json, text/html", false),
            ("application/graphql-response+json, application/json;q=0.9, text/html;q=0.5", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            assert_eq!(prefers_html(&headers), expected, "{accept}");
        }
    }
}
