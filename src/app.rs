//! [`App`]: everything that a use case may touch.

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
    mail::{Mailer, Outbox},
    security::{
        access_token::AccessTokens, hasher::Hasher, keys::Keys, pseudonym::Pseudonyms, refresh_token::RefreshTokens,
    },
};

/// Generations confirmed at a time, so that these never crowd out a request that writes.
const MAX_CONFIRMING: usize = 2;

tokio::task_local! {
    static HAS_WRITTEN: Arc<AtomicBool>;
}

/// Does `work`, and sets `has_written` when it begins its first transaction.
pub fn watch_writes<F: Future>(has_written: Arc<AtomicBool>, work: F) -> impl Future<Output = F::Output> {
    HAS_WRITTEN.scope(has_written, work)
}

/// What a use case may touch: the database, the time, the hasher, the tokens, the mails, the settings.
#[derive(Debug)]
pub struct App {
    /// Where everything is kept that must outlive a request.
    pub database: Database,
    /// The time.
    pub clock: Clock,
    /// Hashes and checks passwords.
    pub hasher: Hasher,
    /// Signs and checks access tokens.
    pub access_tokens: AccessTokens,
    /// Signs and checks refresh tokens.
    pub refresh_tokens: RefreshTokens,
    /// Names for those whose attempts are counted.
    pub pseudonyms: Pseudonyms,
    /// What mails leave by.
    pub mailer: Mailer,
    /// Whom to tell that mails wait.
    pub outbox: Outbox,
    /// What the operator decided.
    pub settings: Settings,
    keys: Keys,
    /// Places for work beside the requests; see [`crate::domain::sessions`].
    pub(crate) confirming: Arc<Semaphore>,
}

impl App {
    /// Puts the parts together: reads or makes the secret, derives the keys, starts the hasher's threads.
    ///
    /// # Errors
    /// Internal: its cause is for whoever starts the server.
    pub fn new(settings: Settings, database: Database, clock: Clock) -> Result<Self> {
        let keys = Keys::load(&settings.tokens.secret_key, settings.tokens.secret_key_previous.as_ref())?;
        let access_tokens = AccessTokens::new(&keys, &settings, clock.now())?;
        let refresh_tokens = RefreshTokens::new(&keys)?;
        let pseudonyms = Pseudonyms::new(&keys)?;
        let hasher = Hasher::start(settings.passwords.hash_concurrency, settings.passwords.bcrypt_cost)?;
        let mailer = Mailer::new(&settings)?;
        Ok(Self {
            database,
            clock,
            hasher,
            access_tokens,
            refresh_tokens,
            pseudonyms,
            mailer,
            outbox: Outbox::default(),
            settings,
            keys,
            confirming: Arc::new(Semaphore::new(MAX_CONFIRMING)),
        })
    }

    /// Reads the keys of the access tokens again. Returns how many there are.
    ///
    /// # Errors
    /// Internal, with a cause for the operator: then nothing has changed.
    pub fn reload_keys(&self) -> Result<usize> {
        self.access_tokens.reload(&self.keys, &self.settings, self.clock.now())
    }

    /// Begins a transaction that writes: see [`Database::write`].
    ///
    /// # Errors
    /// SERVICE_UNAVAILABLE when no connection is to be had.
    pub async fn write(&self) -> Result<Transaction> {
        let transaction = self.database.write().await?;
        // Nobody watches outside of a request.
        let _ = HAS_WRITTEN.try_with(|has_written| has_written.store(true, Ordering::Relaxed));
        Ok(transaction)
    }
}
