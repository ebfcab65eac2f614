//! HTTP requests to other servers. No other module sends any.
//!
//! A URL may come from a document of another server, or lead to a name that another person controls. Such a request must not
//! reach services of the internal network (server-side request forgery, OWASP ASVS 5.0 V1.3.6). Therefore:
//!
//! - All addresses of a host must be public, or included in OUTGOING_ALLOW. One that is not refuses the request.
//! - The connection goes to an address that was checked. The name is not looked up again.
//! - Redirects are errors. The environment variables of proxies are not read.
//! - Targets outside of OUTGOING_ALLOW need https, with a certificate of a known authority for the host of the URL.
//! - The size of a response, the time of a request and the number of concurrent requests are limited.
//!
//! A request that is dropped closes its connection. There are no retries, cookies, caches or kept connections.

mod addresses;
mod connect;
mod error;
mod exchange;
mod request;
mod resolver;
mod response;
mod target;

use std::{fmt, future::Future, time::Duration};

use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};
use tokio_rustls::TlsConnector;

pub use error::{Failure, OutgoingError, Step};
pub use request::Request;
pub use resolver::Resolver;
pub use response::Response;

use crate::{
    clock::Clock,
    config::{AllowedTarget, OutgoingSettings},
    outgoing::{resolver::SystemResolver, target::Target},
};

/// Time limit of a request, if it has no other.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum number of concurrent requests. Others wait, within their time limit.
pub const MAX_CONCURRENT_REQUESTS: usize = 16;

/// Sends requests to other servers.
///
/// ```text
/// let response = app.outgoing.send(Request::get(&url).bearer(&token)).await?;
/// ```
pub struct Outgoing {
    resolver: Box<dyn Resolver>,
    allow: Vec<AllowedTarget>,
    tls: TlsConnector,
    permits: Semaphore,
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("resolver", &self.resolver).field("allow", &self.allow).finish_non_exhaustive()
    }
}

impl Outgoing {
    /// Loads the certificate authorities. `clock` decides which certificates have expired.
    ///
    /// # Errors
    /// Internal, with a cause for the operator.
    pub fn new(settings: &OutgoingSettings, clock: Clock) -> crate::Result<Self> {
        Ok(Self {
            resolver: Box::new(SystemResolver::default()),
            allow: settings.allow.clone(),
            tls: connect::tls_connector(settings, clock)?,
            permits: Semaphore::new(MAX_CONCURRENT_REQUESTS),
        })
    }

    /// Looks up names with another resolver.
    #[must_use]
    pub fn with_resolver(self, resolver: impl Resolver + 'static) -> Self {
        Self { resolver: Box::new(resolver), ..self }
    }

    /// Sends a request. Returns the response, whatever its status, unless it redirects.
    ///
    /// # Errors
    /// [`OutgoingError`] if there is no response, or one that is not acceptable.
    pub async fn send(&self, request: Request<'_>) -> Result<Response, OutgoingError> {
        self.run(&request).await.map_err(|failure| OutgoingError::new(request.url, failure))
    }

    async fn run(&self, request: &Request<'_>) -> Result<Response, Failure> {
        let target = Target::parse(request.url)?;
        let http_request = request.to_http(&target)?;
        let deadline = Deadline(Instant::now() + request.timeout);
        let waiting = async { Ok(self.permits.acquire().await) };
        // Held until the end. The semaphore is never closed.
        let _permit = deadline.limit(Step::Waiting, waiting).await?;
        let addresses = target.addresses(&*self.resolver, &self.allow);
        let addresses = deadline.limit(Step::Resolving, addresses).await?;
        let connecting = connect::connect(addresses, target.port);
        let stream = deadline.limit(Step::Connecting, connecting).await?;
        if target.is_https {
            let handshake = connect::handshake(&self.tls, target.server_name()?, stream);
            let stream = deadline.limit(Step::Handshake, handshake).await?;
            deadline.limit(Step::Response, exchange::exchange(stream, http_request)).await
        } else {
            deadline.limit(Step::Response, exchange::exchange(stream, http_request)).await
        }
    }
}

/// The end of the time of a request.
#[derive(Clone, Copy)]
struct Deadline(Instant);

impl Deadline {
    async fn limit<T>(self, step: Step, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        timeout_at(self.0, work).await.unwrap_or(Err(Failure::TimedOut(step)))
    }
}
