//! A request, before it is sent.

use std::{fmt, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use http_body_util::Full;
use hyper::{
    Method,
    body::Bytes,
    header::{
        ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT,
    },
};
use secrecy::{ExposeSecret, SecretString};
use url::{Url, form_urlencoded};

use crate::outgoing::{DEFAULT_TIMEOUT, error::Failure, target::Target};

const AGENT: &str = concat!("hallpass/", env!("CARGO_PKG_VERSION"));

/// A request. Without other instructions it accepts JSON, has no credentials, and must be answered within [`DEFAULT_TIMEOUT`].
#[derive(Clone)]
pub struct Request<'a> {
    pub(super) url: &'a Url,
    pub(super) timeout: Duration,
    form: Option<SecretString>,
    accept: &'a str,
    authorization: Option<SecretString>,
}

/// Shows neither the query, nor the form, nor the credentials.
impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = if self.form.is_some() { "POST" } else { "GET" };
        write!(f, "{method} {}", self.url.host_str().unwrap_or_default())
    }
}

impl<'a> Request<'a> {
    /// A GET request.
    #[must_use]
    pub fn get(url: &'a Url) -> Self {
        Self { url, timeout: DEFAULT_TIMEOUT, form: None, accept: "application/json", authorization: None }
    }

    /// A POST request with a form (`application/x-www-form-urlencoded`).
    #[must_use]
    pub fn post_form(url: &'a Url, fields: &[(&str, &str)]) -> Self {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        Self { form: Some(form.into()), ..Self::get(url) }
    }

    /// A POST request with a form that is encoded already.
    #[must_use]
    pub fn post(url: &'a Url, form: SecretString) -> Self {
        Self { form: Some(form), ..Self::get(url) }
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
        let method = if self.form.is_some() { Method::POST } else { Method::GET };
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
            let mut value = HeaderValue::from_str(authorization.expose_secret())
                .map_err(|_| Failure::InvalidRequest("the credentials contain characters that a header cannot have"))?;
            value.set_sensitive(true);
            builder = builder.header(AUTHORIZATION, value);
        }
        let mut body = Bytes::new();
        if let Some(form) = &self.form {
            body = form.expose_secret().to_owned().into();
            builder = builder.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
            // hyper adds none to an empty body, which some servers then refuse.
            builder = builder.header(CONTENT_LENGTH, body.len());
        }
        builder
            .body(Full::new(body))
            .map_err(|_| Failure::InvalidRequest("the URL or a header contains characters that HTTP does not allow"))
    }
}
