//! Sign-in by name and password.

use sea_orm::EntityTrait;

use super::{
    Client,
    input::{TypedIdentifier, may_be_password},
    sessions::{self, SignIn},
};
use crate::{
    App, Error, Result,
    config::SecretString,
    entity::{audit_event::Kind, session::Delivery, user},
};

/// What someone types to sign in.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// A username or an e-mail address.
    pub identifier: String,
    /// The password.
    pub password: SecretString,
}

/// Signs in, to a session whose refresh token travels by `delivery`. An unknown name costs the same query and the same hash as a wrong password, and gets the same answer.
///
/// # Errors
/// INVALID_CREDENTIALS; ACCOUNT_DISABLED, only after the right password.
pub async fn login(app: &App, credentials: Credentials, delivery: Delivery, client: &Client) -> Result<SignIn> {
    let user = match TypedIdentifier::parse(&credentials.identifier) {
        Some(identifier) => user::find(app.database.read(), identifier.key()).await?,
        None => None,
    };
    let is_right = may_be_password(&credentials.password) && {
        let stored = user.as_ref().map(|user| &user.password_hash);
        app.hasher.verify(&credentials.password, stored).await?
    };
    let Some(mut user) = user.filter(|_| is_right) else {
        return Err(Error::InvalidCredentials);
    };
    if !user.is_active {
        return Err(Error::AccountDisabled);
    }

    let now = app.clock.now();
    let transaction = app.write().await?;
    if !user::note_login(&transaction, &user, now).await? {
        // Disabled, deleted, or given another password since it was read.
        let current = user::Entity::find_by_id(user.id).one(&transaction).await?;
        return Err(match current {
            Some(current) if !current.is_active => Error::AccountDisabled,
            _ => Error::InvalidCredentials,
        });
    }
    user.last_login_at = Some(now);
    let session = sessions::open(app, &transaction, &user, Kind::LoggedIn, (delivery, client), now).await?;
    transaction.commit().await?;
    sessions::sign_in(app, user, session)
}
