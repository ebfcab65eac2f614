//! The errors of outgoing requests.

use std::{fmt, net::IpAddr};

use url::{Position, Url};

/// A request that failed. The text is for the log: it contains neither credentials, nor the query of the URL, nor content of
/// the response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingError {
    /// The URL without user name, password, query and fragment.
    pub url: String,
    /// What failed.
    pub failure: Failure,
}

impl OutgoingError {
    pub(super) fn new(url: &Url, failure: Failure) -> Self {
        let origin = if url.has_host() { &url[Position::BeforeHost..Position::AfterPath] } else { "…" };
        Self { url: format!("{}://{origin}", url.scheme()), failure }
    }
}

impl fmt::Display for OutgoingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "request to {} failed: {}", self.url, self.failure)
    }
}

impl std::error::Error for OutgoingError {}

/// What failed. The texts of `Resolve`, `Connect`, `Tls` and `Protocol` are causes for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The URL or the credentials cannot be sent. The text says why.
    InvalidRequest(&'static str),
    /// http is accepted for targets of OUTGOING_ALLOW only.
    Insecure,
    /// The name could not be resolved.
    Resolve(String),
    /// The host has an address that is not public and that OUTGOING_ALLOW does not include.
    Forbidden {
        /// The address.
        address: IpAddr,
        /// What kind of address it is, such as "private".
        kind: &'static str,
    },
    /// No address of the host accepted a connection.
    Connect(String),
    /// The TLS handshake failed, or the certificate is not acceptable.
    Tls(String),
    /// The connection broke, or the response is not valid HTTP.
    Protocol(String),
    /// The response redirects, with this status.
    Redirect(u16),
    /// The headers or the body of the response exceed the limit.
    TooLarge,
    /// The deadline has passed during this step.
    TimedOut(Step),
}

/// A step of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Other requests were being sent.
    Waiting,
    /// Looking up the name.
    Resolving,
    /// Establishing the connection.
    Connecting,
    /// The TLS handshake.
    Handshake,
    /// Sending the request and reading the response.
    Response,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidRequest(cause) => f.write_str(cause),
            Self::Insecure => f.write_str("http is accepted only for targets of OUTGOING_ALLOW: use https"),
            Self::Resolve(cause) => write!(f, "the host name could not be resolved: {cause}"),
            Self::Forbidden { address, kind } => write!(
                f,
                "the host has the address {address} ({kind}), which is not public. If it may be reached, add it to OUTGOING_ALLOW"
            ),
            Self::Connect(cause) => write!(f, "could not connect: {cause}"),
            Self::Tls(cause) => write!(f, "TLS failed: {cause}"),
            Self::Protocol(cause) => write!(f, "the response could not be read: {cause}"),
            Self::Redirect(status) => {
                write!(f, "the server redirects with status {status}, and redirects are not followed")
            }
            Self::TooLarge => f.write_str("the response is too large"),
            Self::TimedOut(step) => {
                let step = match step {
                    Step::Waiting => "waiting for other requests",
                    Step::Resolving => "resolving the host name",
                    Step::Connecting => "connecting",
                    Step::Handshake => "the TLS handshake",
                    Step::Response => "waiting for the response",
                };
                write!(f, "timed out while {step}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_no_credentials_and_no_query() {
        for (url, shown) in [
            ("https://hunter2:hunter2@example.org:8443/token?code=hunter2#hunter2", "https://example.org:8443/token"),
            ("https://[2001:db8::1]/", "https://[2001:db8::1]/"),
            ("data:hunter2", "data://…"),
            ("mailto:hunter2@example.org", "mailto://…"),
        ] {
            let error = OutgoingError::new(&Url::parse(url).unwrap(), Failure::TooLarge);
            assert_eq!(error.to_string(), format!("request to {shown} failed: the response is too large"));
            assert!(!format!("{error:?}").contains("hunter2"));
        }
    }
}
