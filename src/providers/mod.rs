//! The providers that users can sign in with: what is known about each, and the requests to them.
//!
//! Nothing is requested before the first user asks for a provider. A provider that is down fails its own sign-ins only: it has its
//! own cache and its own limit of concurrent requests, and a request that failed is not repeated for a while.
//!
//! [`crate::security::oidc`] verifies everything that is received here.

mod cache;
mod error;
mod exchange;

use std::time::Duration;

use chrono::{DateTime, Utc};
pub use error::ProviderError;
use secrecy::ExposeSecret;
use tokio::sync::{Mutex, Semaphore};
use url::Url;

use crate::{
    config::{ProviderKind, ProviderSettings},
    outgoing::Outgoing,
    providers::cache::Cache,
    security::oidc::{AuthorizationRequest, Flow, KeySet, ProviderMetadata, github},
};

/// Time limit of everything that one sign-in requests from a provider. Less than the limit of a request to this server.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Maximum number of concurrent sign-ins that wait for one provider.
const MAX_CONCURRENT: usize = 4;

/// All providers.
#[derive(Debug)]
pub struct Providers(Vec<Provider>);

impl Providers {
    /// Prepares the providers. Requests nothing.
    #[must_use]
    pub fn new(settings: &[ProviderSettings], public_url: &str) -> Self {
        Self(settings.iter().map(|settings| Provider::new(settings.clone(), public_url)).collect())
    }

    /// Finds a provider.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Provider> {
        self.0.iter().find(|provider| provider.settings.id == id)
    }
}

/// A provider.
#[derive(Debug)]
pub struct Provider {
    /// The settings.
    pub settings: ProviderSettings,
    redirect_uri: String,
    metadata: Mutex<Cache<ProviderMetadata>>,
    keys: Mutex<Cache<KeySet>>,
    permits: Semaphore,
}

impl Provider {
    fn new(settings: ProviderSettings, public_url: &str) -> Self {
        Self {
            redirect_uri: settings.callback_url(public_url),
            settings,
            metadata: Mutex::default(),
            keys: Mutex::default(),
            permits: Semaphore::new(MAX_CONCURRENT),
        }
    }

    /// The address at the provider to which a browser is redirected. Requests the metadata if it is not known yet.
    ///
    /// # Errors
    /// [`ProviderError`] if the metadata is needed and cannot be had.
    pub async fn authorization_url(
        &self,
        outgoing: &Outgoing,
        flow: &Flow,
        now: DateTime<Utc>,
    ) -> Result<Url, ProviderError> {
        match &self.settings.kind {
            ProviderKind::OpenId { issuer } => {
                let metadata = self.in_time(Box::pin(self.metadata(outgoing, issuer, now))).await?;
                Ok(self.authorization_request(&metadata.authorization_endpoint, flow, true))
            }
            ProviderKind::GitHub { address } => {
                let endpoints = github::Endpoints::at(address).ok_or(ProviderError::Address)?;
                Ok(self.authorization_request(&endpoints.authorization, flow, false))
            }
        }
    }

    fn authorization_request(&self, endpoint: &Url, flow: &Flow, has_nonce: bool) -> Url {
        let nonce = has_nonce.then(|| flow.nonce());
        AuthorizationRequest {
            endpoint,
            client_id: &self.settings.client_id,
            redirect_uri: &self.redirect_uri,
            scopes: &self.settings.scopes,
            state: &flow.state(),
            nonce: nonce.as_ref().map(ExposeSecret::expose_secret),
            code_challenge: &flow.code_challenge(),
        }
        .url()
    }

    /// Limits the time of requests, and how many sign-ins wait for this provider.
    async fn in_time<T>(&self, work: impl Future<Output = Result<T, ProviderError>>) -> Result<T, ProviderError> {
        let limited = async {
            // The semaphore is never closed.
            let _permit = self.permits.acquire().await;
            work.await
        };
        tokio::time::timeout(TIMEOUT, limited).await.unwrap_or(Err(ProviderError::TimedOut))
    }
}
