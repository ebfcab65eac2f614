//! The end of a flow: exchanges the code, and finds out who the user is.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use url::Url;

use crate::{
    config::ProviderKind,
    outgoing::{Outgoing, Request, Response},
    providers::{Provider, ProviderError, cache::Next},
    security::oidc::{
        Callback, ClientAuthentication, ExpectedToken, Flow, Identity, KeySet, OidcError, ProviderMetadata,
        TokenRequest, TokenResponse, github, metadata_url, verify_id_token,
    },
};

/// Time limit of a request for a document. Less than that of a sign-in, so that a provider that hangs is remembered as failing.
const DOCUMENT_TIMEOUT: Duration = Duration::from_secs(3);

impl Provider {
    /// Finds out who has come back from the provider with a code.
    ///
    /// # Errors
    /// [`ProviderError`].
    pub async fn identify(
        &self,
        outgoing: &Outgoing,
        callback: &Callback,
        code: &SecretString,
        flow: &Flow,
        now: DateTime<Utc>,
    ) -> Result<Identity, ProviderError> {
        let identifying = async {
            match &self.settings.kind {
                ProviderKind::OpenId { issuer } => {
                    self.identify_openid(outgoing, issuer, callback, code, flow, now).await
                }
                ProviderKind::GitHub { address } => self.identify_github(outgoing, address, code, flow).await,
            }
        };
        // Boxed, so that other requests stay small.
        self.in_time(Box::pin(identifying)).await
    }

    async fn identify_openid(
        &self,
        outgoing: &Outgoing,
        issuer: &str,
        callback: &Callback,
        code: &SecretString,
        flow: &Flow,
        now: DateTime<Utc>,
    ) -> Result<Identity, ProviderError> {
        let metadata = self.metadata(outgoing, issuer, now).await?;
        callback.check_issuer(&metadata)?;
        let authentication = metadata.client_authentication;
        let tokens = self.exchange(outgoing, &metadata.token_endpoint, authentication, code, flow).await?;
        let id_token = tokens.id_token()?;
        let nonce = flow.nonce();
        let expected = ExpectedToken {
            issuer: &metadata.issuer,
            client_id: &self.settings.client_id,
            algorithms: &metadata.algorithms,
            nonce: &nonce,
            access_token: &tokens.access_token,
            now,
        };
        let keys = self.keys(outgoing, &metadata.jwks_uri, now, false).await?;
        let verified = match verify_id_token(id_token, &keys, expected) {
            Err(OidcError::UnknownKey) => {
                // The provider may have replaced its keys.
                let newer = self.keys(outgoing, &metadata.jwks_uri, now, true).await?;
                verify_id_token(id_token, &newer, expected)
            }
            verified => verified,
        };
        let mut identity = verified?;
        if let Some(endpoint) = metadata.userinfo_endpoint.as_ref().filter(|_| identity.email.is_none()) {
            let response = outgoing.send(Request::get(endpoint).bearer(&tokens.access_token)).await?;
            identity.add_user_info(&success(&response)?.body)?;
        }
        Ok(identity)
    }

    async fn identify_github(
        &self,
        outgoing: &Outgoing,
        address: &str,
        code: &SecretString,
        flow: &Flow,
    ) -> Result<Identity, ProviderError> {
        let endpoints = github::Endpoints::at(address).ok_or(ProviderError::Address)?;
        let tokens = self.exchange(outgoing, &endpoints.token, ClientAuthentication::Post, code, flow).await?;
        let get = async |url| {
            let request = Request::get(url).accept(github::API_MEDIA_TYPE).bearer(&tokens.access_token);
            success(&outgoing.send(request).await?).cloned()
        };
        let (user, emails) = (get(&endpoints.user).await?, get(&endpoints.emails).await?);
        Ok(github::identity(address, &user.body, &emails.body)?)
    }

    async fn exchange(
        &self,
        outgoing: &Outgoing,
        endpoint: &Url,
        client_authentication: ClientAuthentication,
        code: &SecretString,
        flow: &Flow,
    ) -> Result<TokenResponse, ProviderError> {
        let request = TokenRequest {
            client_authentication,
            client_id: &self.settings.client_id,
            client_secret: &self.settings.client_secret,
            code,
            redirect_uri: &self.redirect_uri,
            code_verifier: &flow.code_verifier(),
        };
        let (form, authorization) = (request.form(), request.authorization());
        let response = outgoing.send(Request::post(endpoint, form).authorization(authorization)).await?;
        Ok(TokenResponse::parse(response.status, &response.body)?)
    }

    /// The metadata. Requested if it is unknown or old.
    pub(super) async fn metadata(
        &self,
        outgoing: &Outgoing,
        issuer: &str,
        now: DateTime<Utc>,
    ) -> Result<Arc<ProviderMetadata>, ProviderError> {
        let mut cache = self.metadata.lock().await;
        match cache.next(now, false) {
            Next::Use(metadata) => return Ok(metadata),
            Next::Fail => return Err(ProviderError::Unavailable),
            Next::Request => {}
        }
        let requested = async {
            let url = Url::parse(&metadata_url(issuer)).map_err(|_| ProviderError::Address)?;
            let response = outgoing.send(Request::get(&url).timeout(DOCUMENT_TIMEOUT)).await?;
            let metadata = ProviderMetadata::parse(&success(&response)?.body, issuer)?;
            Ok((metadata, response))
        };
        match requested.await {
            Ok((metadata, response)) => Ok(cache.store(metadata, &response, now)),
            Err(error) => self.fall_back(cache.fail(now), error),
        }
    }

    /// The keys. Requested if they are unknown or old, or if a key `is_missing` and they were not requested within a minute.
    async fn keys(
        &self,
        outgoing: &Outgoing,
        url: &Url,
        now: DateTime<Utc>,
        is_missing: bool,
    ) -> Result<Arc<KeySet>, ProviderError> {
        let mut cache = self.keys.lock().await;
        match cache.next(now, is_missing) {
            Next::Use(keys) => return Ok(keys),
            Next::Fail => return Err(ProviderError::Unavailable),
            Next::Request => {}
        }
        let requested = async {
            let request = Request::get(url).accept("application/jwk-set+json, application/json");
            let response = outgoing.send(request.timeout(DOCUMENT_TIMEOUT)).await?;
            let keys = KeySet::parse(&success(&response)?.body)?;
            Ok((keys, response))
        };
        match requested.await {
            Ok((keys, response)) => Ok(cache.store(keys, &response, now)),
            Err(error) => self.fall_back(cache.fail(now), error),
        }
    }

    /// Uses an old document while the provider is down.
    fn fall_back<T>(&self, old: Option<Arc<T>>, error: ProviderError) -> Result<Arc<T>, ProviderError> {
        match old {
            Some(old) => {
                tracing::warn!(provider = self.settings.id, %error, "using an old document of a provider");
                Ok(old)
            }
            None => Err(error),
        }
    }
}

fn success(response: &Response) -> Result<&Response, ProviderError> {
    if response.is_success() { Ok(response) } else { Err(ProviderError::Status(response.status)) }
}
