//! Sign-in by name and password.

use uuid::Uuid;

use crate::{
    App, Error, Result,
    config::SecretString,
    domain::{
        Client, audit,
        identity::may_be_password,
        sessions::{self, NewSession, SignIn},
        throttle::{SignInAttempt, SignInIdentifier},
    },
    entity::{audit_event::Kind, user},
};

/// What someone types to sign in.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// A username or an e-mail address.
    pub identifier: String,
    /// The password.
    pub password: SecretString,
}

impl Credentials {
    /// Parses the identifier and drops its text.
    pub(in crate::domain) fn parse(self, app: &App) -> (SignInIdentifier, SecretString) {
        (SignInIdentifier::parse(app, &self.identifier), self.password)
    }
}

/// Signs in, to a session that is opened as `new_session` says. An unknown name costs the same statements and the
/// same hash as a wrong password, and gets the same answer.
///
/// # Errors
/// RATE_LIMITED, whatever the password; INVALID_CREDENTIALS; ACCOUNT_DISABLED and EMAIL_NOT_VERIFIED, only after the right
/// password.
pub async fn login(app: &App, credentials: Credentials, new_session: NewSession, client: &Client) -> Result<SignIn> {
    let (identifier, password) = credentials.parse(app);
    let attempt = SignInAttempt::book(app, &identifier, client).await?;
    // Once more where the account has changed since it was read: it was disabled, deleted or given another password; or
    // it has the same one in a new hash, by another sign-in at this moment.
    for _ in 0..2 {
        let user = match evaluate(app, &identifier, &password).await {
            Ok((Some(user), true)) => match refusal(app, &user) {
                None => user,
                Some(refusal) => {
                    attempt.withdraw(app).await;
                    return Err(refusal);
                }
            },
            Ok((user, _)) => {
                note_failure(app, user.map(|user| user.id), client).await?;
                return Err(Error::InvalidCredentials);
            }
            Err(error) => {
                attempt.withdraw(app).await;
                return Err(error);
            }
        };
        match enter(app, &attempt, user, (&identifier, &password), (&new_session, client)).await {
            Ok(Some(sign_in)) => return Ok(sign_in),
            Ok(None) => {}
            // The password was right: an outage must not lock its owner out.
            Err(error) => {
                attempt.withdraw(app).await;
                return Err(error);
            }
        }
    }
    attempt.withdraw(app).await;
    Err(Error::unavailable(1, "an account changed twice while somebody signed in to it"))
}

/// Opens a session for someone whose password was right; `None` if the account has changed since it was read. A hash of
/// another scheme or cost than is set is replaced: here alone is the password at hand.
async fn enter(
    app: &App,
    attempt: &SignInAttempt,
    mut user: user::Model,
    (identifier, password): (&SignInIdentifier, &SecretString),
    (new_session, client): (&NewSession, &Client),
) -> Result<Option<SignIn>> {
    let new_hash = app.hasher.rehash(password, &user.password_hash).await?;
    let replaced = new_session.replaced(app).await?;
    let now = app.clock.now();
    let transaction = app.write().await?;
    if let Some(replaced) = replaced {
        replaced.end(&transaction, user.id, client, now).await?;
    }
    if !user::note_login(&transaction, &user, new_hash.as_ref(), now).await? {
        transaction.rollback().await?;
        return Ok(None);
    }
    attempt.succeed(app, &transaction, identifier, &user, client).await?;
    user.last_login_at = Some(now);
    // All sessions may have been ended since the user was read; the new one is not among them.
    user.session_epoch = user::session_epoch(&transaction, user.id).await?.unwrap_or(user.session_epoch);
    user.password_hash = new_hash.unwrap_or(user.password_hash);
    let session = sessions::open(app, &transaction, &user, Kind::LoggedIn, (new_session.delivery, client), now).await?;
    transaction.commit().await?;
    sessions::sign_in(app, user, session).map(Some)
}

/// Why somebody with the right password may not sign in.
fn refusal(app: &App, user: &user::Model) -> Option<Error> {
    if !user.is_active {
        Some(Error::AccountDisabled)
    } else if app.settings.require_verified_email && user.email_verified_at.is_none() {
        Some(Error::EmailNotVerified)
    } else {
        None
    }
}

/// The user of that name, and whether the password is right.
pub(in crate::domain) async fn evaluate(
    app: &App,
    identifier: &SignInIdentifier,
    password: &SecretString,
) -> Result<(Option<user::Model>, bool)> {
    let user = match identifier.key() {
        Some(key) => user::find(app.database.read(), key).await?,
        None => None,
    };
    let is_right = may_be_password(password) && {
        let stored = user.as_ref().map(|user| &user.password_hash);
        app.hasher.verify(password, stored).await?
    };
    Ok((user, is_right))
}

/// Tells the audit log, also where there is no such user: it would else be told from a wrong password by its time.
pub(in crate::domain) async fn note_failure(app: &App, user_id: Option<Uuid>, client: &Client) -> Result<()> {
    let transaction = app.write().await?;
    audit::record(&transaction, Kind::LoginFailed, None, user_id, client, app.clock.now()).await?;
    Ok(transaction.commit().await?)
}
