//! A request, before it is sent.

use std::{fmt, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use http_body_util::Full;
use hyper::{
    Method,
    body::Bytes,
    header::{
        ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName,
        HeaderValue, USER_AGENT,
    },
};
use secrecy::{ExposeSecret, SecretString};
use url::{Url, form_urlencoded};

use crate::outgoing::{DEFAULT_TIMEOUT, error::Failure, target::Target};

const AGENT: &str = concat!("hallpass/", env!("CARGO_PKG_VERSION"));

const FORM: &str = "application/x-www-form-urlencoded";

/// A request. Without other instructions it accepts JSON, has no credentials, and must be answered within [`DEFAULT_TIMEOUT`].
#[derive(Clone)]
pub struct Request<'a> {
    pub(super) url: &'a Url,
    pub(super) timeout: Duration,
    body: Option<Body<'a>>,
    accept: &'a str,
    authorization: Option<SecretString>,
    headers: Vec<(&'a str, &'a SecretString)>,
}

#[derive(Clone)]
enum Body<'a> {
    Form(SecretString),
    /// A media type, and the bytes.
    Other(&'a str, Bytes),
}

/// Shows neither the query, nor the body, nor the credentials.
impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = if self.body.is_some() { "POST" } else { "GET" };
        write!(f, "{method} {}", self.url.host_str().unwrap_or_default())
    }
}

impl<'a> Request<'a> {
    /// A GET request.
    #[must_use]
    pub fn get(url: &'a Url) -> Self {
        let accept = "application/json";
        Self { url, timeout: DEFAULT_TIMEOUT, body: None, accept, authorization: None, headers: Vec::new() }
    }

    /// A POST request with a form (`application/x-www-form-urlencoded`).
    #[must_use]
    pub fn post_form(url: &'a Url, fields: &[(&str, &str)]) -> Self {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        Self::post(url, form.into())
    }

    /// A POST request with a form that is encoded already.
    #[must_use]
    pub fn post(url: &'a Url, form: SecretString) -> Self {
        Self { body: Some(Body::Form(form)), ..Self::get(url) }
    }

    /// A POST request with a body of this media type.
    #[must_use]
    pub fn post_body(url: &'a Url, media_type: &'a str, body: impl Into<Bytes>) -> Self {
        Self { body: Some(Body::Other(media_type, body.into())), ..Self::get(url) }
    }

    /// Adds a header whose value may be a secret. It must not be one that every request has.
    #[must_use]
    pub fn header(mut self, name: &'a str, value: &'a SecretString) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Sends these credentials, if there are any.
    #[must_use]
    pub fn authorization(self, authorization: Option<SecretString>) -> Self {
        Self { authorization, ..self }
    }

    /// Sets the media types that the response may have.
    #[must_use]
    pub fn accept(self, media_types: &'a str) -> Self {
        Self { accept: media_types, ..self }
    }

    /// Sends an access token (RFC 6750 §2.1).
    #[must_use]
    pub fn bearer(self, token: &SecretString) -> Self {
        Self { authorization: Some(format!("Bearer {}", token.expose_secret()).into()), ..self }
    }

    /// Authenticates an OAuth client. Both parts are encoded as in a form, as RFC 6749 §2.3.1 requires.
    #[must_use]
    pub fn basic(self, client_id: &str, client_secret: &SecretString) -> Self {
        let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let credentials = format!("{}:{}", encode(client_id), encode(client_secret.expose_secret()));
        Self { authorization: Some(format!("Basic {}", STANDARD.encode(credentials)).into()), ..self }
    }

    /// Limits the time from the start of [`send`](super::Outgoing::send) to the last byte of the response.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// The request as it is sent.
    pub(super) fn to_http(&self, target: &Target) -> Result<hyper::Request<Full<Bytes>>, Failure> {
        let method = if self.body.is_some() { Method::POST } else { Method::GET };
        let mut builder = hyper::Request::builder()
            .method(method)
            .uri(&target.path_and_query)
            .header(HOST, &target.authority)
            .header(USER_AGENT, AGENT)
            .header(ACCEPT, self.accept)
            .header(ACCEPT_ENCODING, "identity")
            // Each request has a connection of its own.
            .header(CONNECTION, "close");
        if let Some(authorization) = &self.authorization {
            builder = builder.header(AUTHORIZATION, secret_value(authorization)?);
        }
        for (name, value) in &self.headers {
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| Failure::InvalidRequest("a name contains characters that a header cannot have"))?;
            builder = builder.header(name, secret_value(value)?);
        }
        let mut bytes = Bytes::new();
        if let Some(body) = &self.body {
            let media_type;
            (media_type, bytes) = match body {
                Body::Form(form) => (FORM, form.expose_secret().to_owned().into()),
                Body::Other(media_type, bytes) => (*media_type, bytes.clone()),
            };
            builder = builder.header(CONTENT_TYPE, media_type);
            // hyper adds none to an empty body, which some servers then refuse.
            builder = builder.header(CONTENT_LENGTH, bytes.len());
        }
        builder
            .body(Full::new(bytes))
            .map_err(|_| Failure::InvalidRequest("the URL or a header contains characters that HTTP does not allow"))
    }
}

fn secret_value(secret: &SecretString) -> Result<HeaderValue, Failure> {
    let mut value = HeaderValue::from_str(secret.expose_secret())
        .map_err(|_| Failure::InvalidRequest("the credentials contain characters that a header cannot have"))?;
    value.set_sensitive(true);
    Ok(value)
}
