//! Accounts that have never verified an address: replacing a mistyped one, and deleting abandoned accounts.

use uuid::Uuid;

use crate::{
    Error, Result,
    database::error::is_unique_violation,
    domain::{
        Context, Event,
        identity::{Email, TypedIdentifier},
        notifications::{self, links},
        sign_in::password::{self, Credentials},
        throttle::{self, MailRequest},
        users::deletion,
    },
    entity::user,
    error::{ErrorCode, Field, InputError},
};

/// Accounts read by one query.
const BATCH: u64 = 200;

/// Replaces the address of an account that has never verified one and sends a verification mail to the new address. The
/// password is required. Invalidates the links of the account, and does not sign in. An incorrect username or password
/// has the same cost and result as at login, and counts as a sign-in attempt.
///
/// # Errors
/// MAIL_DISABLED, INVALID_EMAIL, TOO_LONG, RATE_LIMITED, INVALID_CREDENTIALS. Only after the correct password:
/// ACCOUNT_DISABLED, EMAIL_ALREADY_VERIFIED, EMAIL_TAKEN.
pub async fn replace_email(context: &Context, credentials: Credentials, new_email: &str) -> Result<()> {
    notifications::require(&context.app)?;
    let to = Email::parse_field(new_email, Field::NewEmail)?;
    let Credentials { identifier, password } = credentials;
    let identifier = TypedIdentifier::parse(&identifier);
    let identity = throttle::throttled(context, &identifier, async |attempt| {
        password::identify(context, attempt, &identifier, &password).await
    });
    replace(context, &identity.await?.user, to).await
}

/// Replaces the address of a user whose password was verified.
async fn replace(context: &Context, identified: &user::Model, to: Email) -> Result<()> {
    let is_verified = |user: &user::Model| user.email_verified_at.is_some() || user.never_verified_since.is_none();
    if !identified.is_active {
        return Err(Error::AccountDisabled);
    }
    if is_verified(identified) {
        return Err(Error::EmailAlreadyVerified);
    }
    // Like a registration, this reveals whether an address is taken.
    throttle::book_registration(context).await?;
    let request = MailRequest::checked(context, Some(identified.id)).await?;
    let mut work = context.begin().await?;
    let user = user::lock(work.db(), identified.id).await?;
    let is_same =
        |user: &user::Locked| user.is_active && !is_verified(user) && user.password_hash == identified.password_hash;
    let Some(mut user) = user.filter(is_same) else {
        work.rollback().await?;
        return Err(Error::unavailable(1, "the account changed while its address was replaced"));
    };
    let now = work.now;
    let replaced = user.update(work.db(), |user| {
        user.clear_pending_email();
        user.email = Some(to.text);
        user.email_key = Some(to.key);
        user.never_verified_since = Some(now);
        user.updated_at = now;
    });
    match replaced.await {
        Ok(_) => {}
        Err(error) if is_unique_violation(&error) => {
            work.rollback().await?;
            return Err(InputError::new(ErrorCode::EmailTaken, Field::NewEmail).into());
        }
        Err(error) => return Err(error.into()),
    }
    links::end_all(&work, user.id).await?;
    let mail_round = request.book(&work).await?;
    work.emit(Event::EmailReplaced { user: user.to_model().into(), mail_round });
    work.commit().await
}

/// Deletes self-registered accounts that did not verify an address within `UNVERIFIED_ACCOUNT_DAYS`, one transaction
/// per account. Keeps administrators, disabled accounts, and accounts created by an administrator or an import. Also
/// keeps accounts without an address unless addresses are required. Returns the number of deleted accounts. Any number
/// of instances may do so concurrently.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable. Accounts that were deleted before stay deleted.
pub async fn purge(context: &Context) -> Result<u64> {
    let settings = context.settings();
    let Some(lifetime) = settings.registration.unverified_account_lifetime else { return Ok(0) };
    let abandoned =
        user::Unverified { since: context.now() - lifetime, without_email: settings.registration.require_email };
    let mut purged = 0;
    loop {
        let mut deleted = 0;
        for id in abandoned.find(context.app.database.read(), BATCH).await? {
            deleted += u64::from(delete(context, id, abandoned).await?);
        }
        if deleted == 0 {
            return Ok(purged);
        }
        purged += deleted;
    }
}

/// Deletes an abandoned account. Returns false if it was verified or deleted since it was found.
async fn delete(context: &Context, user_id: Uuid, abandoned: user::Unverified) -> Result<bool> {
    let mut work = context.begin().await?;
    let user = user::lock(work.db(), user_id).await?;
    let is_abandoned = abandoned.contains(work.db(), user_id).await?;
    let Some(user) = user.filter(|_| is_abandoned) else {
        work.rollback().await?;
        return Ok(false);
    };
    deletion::erase(&mut work, user, None).await?;
    work.commit().await?;
    Ok(true)
}
