//! Sign-in with a username or an e-mail address, and a password.

use crate::{
    Error, Result,
    config::SecretString,
    domain::{
        Context, Event,
        identity::{TypedIdentifier, may_be_password},
        sessions::{NewSession, SignIn},
        sign_in::{self, FirstFactor, Identified},
        throttle::{SignInAttempt, throttled},
    },
    entity::{session::AuthenticationMethods, user},
};

/// The credentials of a sign-in.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// A username or an e-mail address.
    pub identifier: String,
    /// The password.
    pub password: SecretString,
}

/// Signs in. An unknown identifier and an incorrect password have the same response and the same cost: the same statements
/// and one hash.
///
/// # Errors
/// RATE_LIMITED, even with the correct password; INVALID_CREDENTIALS; only after the correct password: ACCOUNT_DISABLED and
/// EMAIL_NOT_VERIFIED, and MFA_REQUIRED if the user has a second factor; see [`challenge`](sign_in::challenge).
pub async fn login(context: &Context, credentials: Credentials, new_session: NewSession) -> Result<SignIn> {
    let Credentials { identifier: typed, password } = credentials;
    let identifier = TypedIdentifier::parse(&typed);
    // The text may be large, and hashing takes long.
    drop(typed);
    let result = throttled(context, &identifier, async |attempt| {
        // Retries once, because the account may change after the password was verified: it is disabled or deleted, the
        // password is changed, or a concurrent sign-in replaces the hash.
        for _ in 0..2 {
            let identity = identify(context, attempt, &identifier, &password).await?;
            sign_in::check_user(context.settings(), &identity.user)?;
            // Boxed, so that requests that wait for their hash do not reserve memory for what follows.
            if let Some(sign_in) = Box::pin(enter(context, attempt, identity, &new_session)).await? {
                return Ok(sign_in);
            }
        }
        Err(Error::unavailable(1, "the account changed twice during a sign-in"))
    })
    .await;
    sign_in::count(context, FirstFactor::Password.name(), &result);
    result
}

/// Finds the user, and verifies the password. Records a failure in the audit log, even if the user does not exist, because
/// the response time would otherwise reveal that. A user without a password gets a link to set one by mail.
///
/// # Errors
/// INVALID_CREDENTIALS; SERVICE_UNAVAILABLE if too many passwords wait to be hashed.
pub(in crate::domain) async fn identify(
    context: &Context,
    attempt: &SignInAttempt,
    identifier: &TypedIdentifier,
    password: &SecretString,
) -> Result<Identified> {
    let app = &context.app;
    let user = match identifier.key() {
        Some(key) => user::find(app.database.read(), key).await?,
        None => None,
    };
    let stored = user.as_ref().map(|user| &user.password_hash);
    let is_correct = may_be_password(password) && app.hasher.verify(password, stored).await?;
    match user {
        Some(user) if is_correct => {
            // Replaces a hash of another scheme or cost. This is possible only here, where the password is known.
            let new_hash = app.hasher.rehash(password, &user.password_hash).await?;
            Ok(Identified { user, new_hash })
        }
        user => {
            attempt.fail();
            let mut work = context.begin().await?;
            work.emit(Event::PasswordRefused { user: user.map(Box::new) });
            work.commit().await?;
            Err(Error::InvalidCredentials)
        }
    }
}

/// Opens a session for a user whose password was correct. Returns `None` if the account has changed since it was read.
async fn enter(
    context: &Context,
    attempt: &SignInAttempt,
    Identified { user, new_hash }: Identified,
    new_session: &NewSession,
) -> Result<Option<SignIn>> {
    let replaced = new_session.replaced(context).await?;
    let work = context.begin().await?;
    let ids = replaced.iter().map(|replaced| replaced.user_id).chain([user.id]).collect();
    let mut users = user::lock_all(work.db(), ids).await?;
    let is_unchanged =
        |locked: &user::Locked| locked.id == user.id && locked.is_active && locked.password_hash == user.password_hash;
    let Some(user) = users.iter_mut().find(|user| is_unchanged(user)) else {
        work.rollback().await?;
        return Ok(None);
    };
    if let Some(new_hash) = new_hash {
        user.update(work.db(), |user| user.password_hash = new_hash).await?;
    }
    attempt.succeed(&work, user).await?;
    let user_id = user.id;
    let gate = sign_in::admit(&work, user, AuthenticationMethods::password(), new_session).await?;
    sign_in::finish(work, users, user_id, gate, (new_session, replaced)).await.map(Some)
}
