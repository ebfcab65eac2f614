//! [`App`]: the shared state of the application.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::Semaphore;

use crate::{
    Result,
    clock::Clock,
    config::Settings,
    database::{Database, Transaction},
    live_events::LiveEvents,
    mail::{Mailer, Outbox},
    metrics::Metrics,
    outgoing::Outgoing,
    providers::Providers,
    security::{
        access_token::AccessTokens, cursor::Cursors, forward_auth_token::ForwardAuthTokens, hasher::Hasher, keys::Keys,
        mail_code::MailCodes, oidc::FlowSealer, pseudonym::Pseudonyms, refresh_token::RefreshTokens, sealed::Sealer,
        webauthn::CeremonyTokens,
    },
    traces::Traces,
};

/// Maximum number of concurrent generation confirmations, so that they do not delay requests that write.
const MAX_CONCURRENT_CONFIRMATIONS: usize = 2;

tokio::task_local! {
    static HAS_WRITTEN: Arc<AtomicBool>;
}

/// Runs `work`, and sets `has_written` when it begins its first transaction.
pub fn watch_writes<F: Future>(has_written: Arc<AtomicBool>, work: F) -> impl Future<Output = F::Output> {
    HAS_WRITTEN.scope(has_written, work)
}

/// The shared state: database, clock, hasher, tokens, mail and settings.
#[derive(Debug)]
pub struct App {
    /// Persistent storage.
    pub database: Database,
    /// The clock.
    pub clock: Clock,
    /// Hashes and verifies passwords.
    pub hasher: Hasher,
    /// Signs and verifies access tokens.
    pub access_tokens: AccessTokens,
    /// Signs and verifies refresh tokens.
    pub refresh_tokens: RefreshTokens,
    /// Signs and verifies forward-auth tokens.
    pub forward_auth_tokens: ForwardAuthTokens,
    /// Encrypts the cursors of lists.
    pub cursors: Cursors,
    /// Seals the secrets of authenticator apps.
    pub totp_sealer: Sealer,
    /// Creates and verifies the tokens of passkey ceremonies.
    pub passkey_ceremonies: CeremonyTokens,
    /// Seals sign-in flows with providers.
    pub flow_sealer: FlowSealer,
    /// Hashes the codes in mails.
    pub mail_codes: MailCodes,
    /// Creates the pseudonyms of the throttle counters.
    pub pseudonyms: Pseudonyms,
    /// Sends mails.
    pub mailer: Mailer,
    /// Wakes the mail delivery worker.
    pub outbox: Outbox,
    /// Hands new events of the audit log to open streams.
    pub live_events: Arc<LiveEvents>,
    /// Sends requests to other servers.
    pub outgoing: Outgoing,
    /// The providers that users can sign in with.
    pub providers: Providers,
    /// What the server counts.
    pub metrics: Metrics,
    /// The spans of requests. Only a server starts them.
    pub traces: Traces,
    /// The configuration.
    pub settings: Settings,
    keys: Keys,
    /// Permits for confirmations in the background; see [`crate::domain::sessions`].
    pub(crate) confirming: Arc<Semaphore>,
}

impl App {
    /// Builds the application: loads or creates the secret, derives the keys, and starts the hashing threads.
    ///
    /// # Errors
    /// Internal, with a cause for the operator.
    pub fn new(settings: Settings, database: Database, clock: Clock) -> Result<Self> {
        let keys = Keys::load(&settings.tokens.secret_key, settings.tokens.secret_key_previous.as_ref())?;
        let access_tokens = AccessTokens::new(&keys, &settings, clock.now())?;
        let refresh_tokens = RefreshTokens::new(&keys)?;
        let forward_auth_tokens = ForwardAuthTokens::new(&keys)?;
        let cursors = Cursors::new(&keys)?;
        let totp_sealer = Sealer::for_totp(&keys)?;
        let passkey_ceremonies = CeremonyTokens::new(&keys)?;
        let flow_sealer = FlowSealer::new(&keys)?;
        let mail_codes = MailCodes::new(&keys)?;
        let pseudonyms = Pseudonyms::new(&keys)?;
        let hasher = Hasher::start(&settings.passwords)?;
        let metrics = Metrics::new(hasher.metrics(), database.wait_metrics());
        let mailer = Mailer::new(&settings)?;
        let outgoing = Outgoing::new(&settings.outgoing, clock.clone())?;
        let providers = Providers::new(&settings.providers, &settings.server.public_url);
        Ok(Self {
            database,
            clock,
            hasher,
            access_tokens,
            refresh_tokens,
            forward_auth_tokens,
            cursors,
            totp_sealer,
            passkey_ceremonies,
            flow_sealer,
            mail_codes,
            pseudonyms,
            mailer,
            outbox: Outbox::default(),
            live_events: Arc::default(),
            outgoing,
            providers,
            metrics,
            traces: Traces::default(),
            settings,
            keys,
            confirming: Arc::new(Semaphore::new(MAX_CONCURRENT_CONFIRMATIONS)),
        })
    }

    /// Reloads the keys of the access tokens and returns how many there are.
    ///
    /// # Errors
    /// Internal, with a cause for the operator. The previous keys stay in use.
    pub fn reload_keys(&self) -> Result<usize> {
        self.access_tokens.reload(&self.keys, &self.settings, self.clock.now())
    }

    /// Begins a write transaction; see [`Database::write`].
    ///
    /// # Errors
    /// SERVICE_UNAVAILABLE if no connection is available in time.
    pub async fn write(&self) -> Result<Transaction> {
        let transaction = self.database.write().await?;
        // Outside a request, `watch_writes` is not active.
        let _ = HAS_WRITTEN.try_with(|has_written| has_written.store(true, Ordering::Relaxed));
        Ok(transaction)
    }
}
