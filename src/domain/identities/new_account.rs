//! An account that is created by the first sign-in with a provider.

use super::{
    LinkReason,
    login::{insert, take, trusted_email},
    username,
};
use crate::{
    Error, Result,
    domain::{
        Context, Event,
        identity::{Email, parse_name},
        sessions::{NewSession, Replaced, SignIn},
        sign_in, throttle,
        users::{
            form::{NewUser, ParsedProfile},
            registration,
        },
    },
    entity::{
        provider_login::Model,
        session::AuthenticationMethods,
        user::{self, Identifier},
    },
    error::{ErrorCode, Field, InputError},
    security::random,
};

/// Checks that anyone may register, and counts the registration.
///
/// # Errors
/// REGISTRATION_DISABLED, RATE_LIMITED.
pub(super) async fn check(context: &Context) -> Result<()> {
    registration::check_enabled(context)?;
    throttle::book_registration(context).await
}

/// Creates an account with the identity, and signs in. An address that the provider has verified is verified. Another one is taken
/// over if no account has it, and must be verified by mail. Returns `None` if another request has taken the username, the address or
/// the identity.
///
/// # Errors
/// CODE_INVALID; IDENTITY_UNLINKED or REQUIRED if accounts need an address and there is none; EMAIL_NOT_VERIFIED if it must be verified
/// first. The account exists then.
pub(super) async fn create(
    context: &Context,
    login: &Model,
    replaced: Option<Replaced>,
    new_session: &NewSession,
    is_taken: bool,
) -> Result<Option<SignIn>> {
    let trusted = trusted_email(login);
    let is_verified = trusted.is_some();
    let profile = profile(context, login, trusted, is_taken).await?;
    let new_user = NewUser::without_password(context, random::id(context.now())?, profile)?;
    let mut work = context.begin().await?;
    if let Some(replaced) = replaced {
        // The lock precedes the code, as in every unit of work.
        let users = user::lock_all(work.db(), vec![replaced.user_id]).await?;
        replaced.end(&mut work, &users).await?;
    }
    let taken = take(&work, login).await;
    let (work, ()) = work.or_rollback(taken).await?;
    let roles = context.settings().registration.default_roles.clone();
    let (mut work, mut user) = match registration::insert(work, new_user, roles, true).await {
        Ok(inserted) => inserted,
        // Rolled back.
        Err(Error::Input(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let now = work.now;
    let event = if is_verified {
        user.update(work.db(), |user| user.set_email_verified(now)).await?;
        throttle::remember_network(&work, &user).await?;
        Event::UserRegistered { user: user.to_model().into(), mail_round: None }
    } else {
        registration::book_mail(&work, &user).await?
    };
    let inserted = insert(&mut work, login, &user, LinkReason::Registration).await;
    let (mut work, is_inserted) = work.or_rollback(inserted).await?;
    if !is_inserted {
        work.rollback().await?;
        return Ok(None);
    }
    if let Err(error) = sign_in::check_user(context.settings(), &user) {
        work.emit(event);
        work.commit().await?;
        return Err(error);
    }
    let amr = AuthenticationMethods::provider();
    let entered = sign_in::enter_new_account(&mut work, &mut user, new_session, event, amr).await?;
    work.commit().await?;
    entered.issue_tokens(&context.app).map(Some)
}

/// What is taken over from the provider. Values that are not allowed here are left out.
async fn profile(context: &Context, login: &Model, trusted: Option<Email>, is_taken: bool) -> Result<ParsedProfile> {
    let db = context.app.database.read();
    let extra = &context.settings().registration.username_extra_characters;
    let mut username = username::make(login, extra, is_taken)?;
    let is_reserved = registration::check_reserved(context, &username.key).is_err();
    if !is_taken && (is_reserved || user::find_id(db, Identifier::Username(&username.key)).await?.is_some()) {
        username = username::make(login, extra, true)?;
    }
    let email = match trusted {
        Some(email) => Some(email),
        None => unverified_email(context, login).await?,
    };
    let full = login.full_name.as_deref().filter(|_| login.first_name.is_none() && login.last_name.is_none());
    let (first, last) = full.map_or((None, None), |full| match full.split_once(' ') {
        Some((first, last)) => (Some(first), Some(last)),
        None => (Some(full), None),
    });
    let name = |name: Option<&str>, field| parse_name(name, field).ok().flatten();
    Ok(ParsedProfile {
        username,
        email,
        first_name: name(login.first_name.as_deref().or(first), Field::FirstName),
        last_name: name(login.last_name.as_deref().or(last), Field::LastName),
    })
}

/// An address that is not trusted, if no account has it.
async fn unverified_email(context: &Context, login: &Model) -> Result<Option<Email>> {
    let is_required = context.settings().registration.require_email;
    let Some(email) = login.email.as_deref().and_then(|email| Email::parse(email).ok()) else {
        return if is_required { Err(InputError::new(ErrorCode::Required, Field::Email).into()) } else { Ok(None) };
    };
    let is_free = user::find_id(context.app.database.read(), Identifier::Email(&email.key)).await?.is_none();
    match (is_free, is_required) {
        (true, _) => Ok(Some(email)),
        (false, true) => Err(Error::IdentityUnlinked),
        (false, false) => Ok(None),
    }
}
