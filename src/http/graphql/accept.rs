//! Which of its two media types an answer has (RFC 9110 §12.5.1).

use axum::http::{HeaderMap, HeaderValue, StatusCode, header::ACCEPT};

use crate::http::{graphql::RequestError, negotiation};

/// The media types of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum MediaType {
    /// `application/graphql-response+json`: the status tells whether the request was good.
    GraphqlResponse,
    /// `application/json`: 200 for whatever was a GraphQL request at all. Also for those who don't say what they take.
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

/// How well a media range fits: by its exactness first, as the RFC orders them, then its weight in thousandths.
type Fit = (u8, u16);

/// Picks the type that the client prefers.
///
/// # Errors
/// 406 when it takes neither.
pub(super) fn negotiate(headers: &HeaderMap) -> Result<MediaType, RequestError> {
    let mut json = None;
    let mut graphql_response = None;
    let mut has_ranges = false;
    for (range, weight) in ranges(headers) {
        has_ranges = true;
        json = json.max(fit(MediaType::Json, &range, weight));
        graphql_response = graphql_response.max(fit(MediaType::GraphqlResponse, &range, weight));
    }
    let weight_of = |fit: Option<Fit>| fit.map_or(0, |(_, weight)| weight);
    let (json_weight, graphql_weight) = (weight_of(json), weight_of(graphql_response));
    let is_named = graphql_response.is_some_and(|(exactness, _)| exactness == 2);
    if !has_ranges {
        Ok(MediaType::Json)
    } else if graphql_weight > json_weight || (is_named && graphql_weight == json_weight && graphql_weight > 0) {
        Ok(MediaType::GraphqlResponse)
    } else if json_weight > 0 {
        Ok(MediaType::Json)
    } else {
        Err(RequestError::bad_request(
            StatusCode::NOT_ACCEPTABLE,
            "The answer is JSON. Let the header `Accept` take application/graphql-response+json or application/json.",
        ))
    }
}

/// Whether the client is a browser that opens a page: it names HTML, and likes it better than any JSON that it names.
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

/// The media ranges that the client takes, with their weights.
fn ranges(headers: &HeaderMap) -> Vec<(String, u16)> {
    negotiation::parse(headers.get_all(ACCEPT))
}

fn fit(media_type: MediaType, range: &str, weight: u16) -> Option<Fit> {
    let exactness = match range {
        "*/*" => 0,
        "application/*" => 1,
        range if range == media_type.name() => 2,
        _ => return None,
    };
    Some((exactness, weight))
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
    fn the_client_gets_what_it_prefers() {
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
    fn only_who_opens_a_page_gets_one() {
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
