//! Accounts that have never verified an address: replacing one that was mistyped, and deleting those nobody comes back to.

use uuid::Uuid;

use crate::{
    App, Error, Result,
    database::error::is_unique_violation,
    domain::{
        Client, audit,
        identity::Email,
        notifications::{self, About, NewMail},
        sign_in::password::{self, Credentials},
        throttle::{self, MailRequest, SignInAttempt},
        users::deletion,
    },
    entity::{audit_event::Kind, link, mail::Purpose, user},
    error::{ErrorCode, InputError},
};

/// Accounts that are looked for at a time.
const BATCH: u64 = 200;

/// Replaces the address of an account that has never verified one, for whoever knows its password, and sends the
/// verification mail there. Ends the links of the account. Nobody is signed in by it. Whatever is wrong with name or
/// password costs and answers the same as at a login, and is counted with logins.
///
/// # Errors
/// MAIL_DISABLED, INVALID_EMAIL, TOO_LONG, whoever asks; RATE_LIMITED, INVALID_CREDENTIALS. Only after the right password:
/// ACCOUNT_DISABLED, EMAIL_ALREADY_VERIFIED, EMAIL_TAKEN.
pub async fn replace_email(app: &App, credentials: Credentials, new_email: &str, client: &Client) -> Result<()> {
    notifications::require(app)?;
    let to = Email::parse_field(new_email, "newEmail")?;
    let (identifier, password) = credentials.parse(app);
    let attempt = SignInAttempt::book(app, &identifier, client).await?;
    let user = match password::evaluate(app, &identifier, &password).await {
        Ok((Some(user), true)) => user,
        Ok((user, _)) => {
            password::note_failure(app, user.map(|user| user.id), client).await?;
            return Err(Error::InvalidCredentials);
        }
        Err(error) => {
            attempt.withdraw(app).await;
            return Err(error);
        }
    };
    attempt.withdraw(app).await;
    replace(app, &user, &to, client).await
}

/// The same for somebody whose password was right.
async fn replace(app: &App, user: &user::Model, to: &Email, client: &Client) -> Result<()> {
    if !user.is_active {
        return Err(Error::AccountDisabled);
    }
    if user.email_verified_at.is_some() || user.never_verified_since.is_none() {
        return Err(Error::EmailAlreadyVerified);
    }
    // Like a registration, it tells whether an address is taken.
    throttle::book_registration(app, client).await?;
    let request = MailRequest::checked(app, client, Some(user.id)).await?;
    let now = app.clock.now();
    let transaction = app.write().await?;
    match user::replace_unverified_email(&transaction, user, (&to.text, &to.key), now).await {
        Ok(true) => {}
        Ok(false) => return Err(Error::unavailable(1, "an account changed while somebody replaced its address")),
        Err(error) if is_unique_violation(&error) => {
            transaction.rollback().await?;
            return Err(InputError::new(ErrorCode::EmailTaken, "newEmail").into());
        }
        Err(error) => return Err(error.into()),
    }
    link::kill(&transaction, user.id, None).await?;
    audit::record(&transaction, Kind::EmailReplaced, Some(user.id), user.id, client, now).await?;
    let round = request.book(&transaction, now).await?;
    let mail = NewMail { purpose: Purpose::VerifyEmail, to, about: Some(About::own(user)), client, round };
    notifications::write(app, &transaction, mail, now).await?;
    transaction.commit().await?;
    app.outbox.ring();
    Ok(())
}

/// Deletes the accounts that registered themselves and did not verify an address within `UNVERIFIED_ACCOUNT_DAYS`, each in
/// a transaction of its own. Administrators, disabled accounts, and those that an administrator or an import made stay; so
/// does an account without an address, unless addresses are required. Returns how many. Any number of instances may do so.
///
/// # Errors
/// SERVICE_UNAVAILABLE, when the database is out of reach; what was deleted before stays deleted.
pub async fn purge(app: &App) -> Result<u64> {
    let Some(lifetime) = app.settings.unverified_account_lifetime else { return Ok(0) };
    let abandoned = user::Unverified { since: app.clock.now() - lifetime, without_email: app.settings.require_email };
    let mut swept = 0;
    loop {
        let mut deleted = 0;
        for id in abandoned.find(app.database.read(), BATCH).await? {
            deleted += u64::from(delete(app, id, abandoned).await?);
        }
        if deleted == 0 {
            return Ok(swept);
        }
        swept += deleted;
    }
}

/// Deletes one of them. False if it was verified, or deleted, since it was found.
async fn delete(app: &App, user_id: Uuid, abandoned: user::Unverified) -> Result<bool> {
    let transaction = app.write().await?;
    let Some(user) = user::lock(&transaction, vec![user_id]).await?.pop() else { return Ok(false) };
    if !abandoned.has(&transaction, user_id).await? {
        transaction.rollback().await?;
        return Ok(false);
    }
    deletion::erase(app, &transaction, &user, (None, &Client::default())).await?;
    transaction.commit().await?;
    Ok(true)
}
