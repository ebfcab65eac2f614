//! Sign-in by name and password.

use crate::{
    Error, Result,
    config::SecretString,
    domain::{
        Context, Event,
        identity::{TypedIdentifier, may_be_password},
        sessions::{NewSession, SignIn},
        sign_in::{self, Identified},
        throttle::{SignInAttempt, throttled},
    },
    entity::user,
};

/// What a user enters to sign in.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// A username or an e-mail address.
    pub identifier: String,
    /// The password.
    pub password: SecretString,
}

/// Signs in. An unknown name costs the same statements and the same hash as a wrong password, and gets the same answer.
///
/// # Errors
/// RATE_LIMITED, whatever the password; INVALID_CREDENTIALS; ACCOUNT_DISABLED and EMAIL_NOT_VERIFIED, only after the right
/// password.
pub async fn login(context: &Context, credentials: Credentials, new_session: NewSession) -> Result<SignIn> {
    let Credentials { identifier: typed, password } = credentials;
    let identifier = TypedIdentifier::parse(&typed);
    // It may be large, and the hash takes its time.
    drop(typed);
    throttled(context, &identifier, async |attempt| {
        // Twice, because the account may change between the proof and the sign-in: it is disabled or deleted, gets another
        // password, or gets a new hash of the same password by a concurrent sign-in.
        for _ in 0..2 {
            let proved = identify(context, attempt, &identifier, &password).await?;
            sign_in::check_user(context.settings(), &proved.user)?;
            // Boxed, so that a request that waits for its hash does not hold the space for what comes after.
            if let Some(sign_in) = Box::pin(enter(context, attempt, proved, &new_session)).await? {
                return Ok(sign_in);
            }
        }
        Err(Error::unavailable(1, "the account changed twice during a sign-in"))
    })
    .await
}

/// Finds the user, and verifies the password.
///
/// # Errors
/// INVALID_CREDENTIALS, which is recorded in the audit log, also if there is no such user: the time would tell otherwise.
/// SERVICE_UNAVAILABLE if too many passwords wait to be hashed.
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
    let is_right = may_be_password(password) && app.hasher.verify(password, stored).await?;
    match user {
        Some(user) if is_right => {
            // A hash of another scheme or cost is replaced: only here is the password at hand.
            let new_hash = app.hasher.rehash(password, &user.password_hash).await?;
            Ok(Identified { user, new_hash })
        }
        user => {
            attempt.fail();
            let mut work = context.begin().await?;
            work.emit(Event::LoginFailed { user_id: user.map(|user| user.id) });
            work.commit().await?;
            Err(Error::InvalidCredentials)
        }
    }
}

/// Opens a session for a user whose password was right; `None` if the account has changed since it was read.
async fn enter(
    context: &Context,
    attempt: &SignInAttempt,
    Identified { user, new_hash }: Identified,
    new_session: &NewSession,
) -> Result<Option<SignIn>> {
    let replaced = new_session.replaced(context).await?;
    let mut work = context.begin().await?;
    let ids = replaced.iter().map(|replaced| replaced.user_id).chain([user.id]).collect();
    let mut users = user::lock_all(work.db(), ids).await?;
    if let Some(replaced) = replaced {
        replaced.end(&mut work, &users).await?;
    }
    let is_unchanged =
        |now: &user::Locked| now.id == user.id && now.is_active && now.password_hash == user.password_hash;
    let Some(user) = users.iter_mut().find(|user| is_unchanged(user)) else {
        work.rollback().await?;
        return Ok(None);
    };
    if let Some(new_hash) = new_hash {
        user.update(work.db(), |user| user.password_hash = new_hash).await?;
    }
    attempt.succeed(&work, user).await?;
    let event = Event::LoggedIn { user_id: user.id };
    let entered = sign_in::enter(&mut work, user, new_session, event).await?;
    work.commit().await?;
    entered.issue_tokens(&context.app).map(Some)
}
