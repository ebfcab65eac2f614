//! [`App`]: everything that a use case may touch.

use sea_orm::DatabaseTransaction;

use crate::{
    Result,
    clock::Clock,
    config::Settings,
    database::Database,
    security::{access_token::AccessTokens, hasher::Hasher, keys::Keys},
};

/// What a use case may touch: the database, the time, the hasher, the tokens, the settings.
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
    /// What the operator decided.
    pub settings: Settings,
}

impl App {
    /// Puts the parts together: reads or makes the secret, derives the keys, starts the hasher's threads.
    ///
    /// # Errors
    /// Internal: its cause is for whoever starts the server.
    pub fn new(settings: Settings, database: Database, clock: Clock) -> Result<Self> {
        let keys = Keys::load(&settings.secret_key)?;
        let access_tokens = AccessTokens::new(
            &keys,
            settings.public_url.clone(),
            settings.jwt_audience.clone(),
            settings.access_token_lifetime,
        )?;
        let hasher = Hasher::start(settings.hash_concurrency, settings.bcrypt_cost)?;
        Ok(Self { database, clock, hasher, access_tokens, settings })
    }

    /// Begins a transaction that writes: see [`Database::write`].
    ///
    /// # Errors
    /// SERVICE_UNAVAILABLE when no connection is to be had.
    pub async fn write(&self) -> Result<DatabaseTransaction> {
        self.database.write().await
    }
}
