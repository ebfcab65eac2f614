//! Registration: creates an account and signs in.

use uuid::Uuid;

use crate::{
    App, Error, Result,
    database::error::is_unique_violation,
    domain::{
        Context, Event, UnitOfWork,
        sessions::{NewSession, Replaced, SignIn},
        sign_in, throttle,
        users::form::{NewUser, ParsedProfile, parse},
    },
    entity::{
        session::AuthenticationMethods,
        user::{self, Roles},
    },
    error::{ErrorCode, Field, InputError, Problems},
};

pub use super::form::Registration;
pub use crate::entity::user::Model as Account;

/// The result of a registration. It does not implement `Debug`, because it may contain tokens.
pub enum Registered {
    /// The user is signed in.
    SignedIn(Box<SignIn>),
    /// The address must be verified before the user can sign in.
    Unverified(Box<user::Model>),
}

/// Creates an account and signs in, unless the address must be verified first. If several clients register one username
/// at the same time, the unique index accepts one of them. The password is hashed even if the username is taken.
///
/// # Errors
/// REGISTRATION_DISABLED; all problems of the form; if there are none, RATE_LIMITED, then USERNAME_TAKEN and EMAIL_TAKEN.
pub async fn register(context: &Context, form: Registration, new_session: NewSession) -> Result<Registered> {
    if context.settings().registration.require_verified_email {
        return register_only(context, form).await.map(|user| Registered::Unverified(user.into()));
    }
    let replaced = new_session.replaced(context).await?;
    let (mut work, mut user, event) = create(context, form, replaced).await?;
    let entered =
        sign_in::enter_new_account(&mut work, &mut user, &new_session, event, AuthenticationMethods::password())
            .await?;
    work.commit().await?;
    Ok(Registered::SignedIn(entered.issue_tokens(&context.app)?.into()))
}

/// Creates an account without signing in, for APIs whose clients sign in afterwards.
///
/// # Errors
/// Those of [`register`].
pub async fn register_only(context: &Context, form: Registration) -> Result<Account> {
    let (mut work, user, event) = create(context, form, None).await?;
    work.emit(event);
    work.commit().await?;
    Ok(user.into())
}

/// Creates an account by registration. Ends the session that the sign-in replaces, if any.
async fn create(
    context: &Context,
    form: Registration,
    replaced: Option<Replaced>,
) -> Result<(UnitOfWork<'_>, user::Locked, Event)> {
    let new_user = check(context, form).await?;
    let mut work = context.begin().await?;
    if let Some(replaced) = replaced {
        let users = user::lock_all(work.db(), vec![replaced.user_id]).await?;
        replaced.end(&mut work, &users).await?;
    }
    let (work, user) = insert(work, new_user, context.settings().registration.default_roles.clone(), true).await?;
    let event = book_mail(&work, &user).await?;
    Ok((work, user, event))
}

/// Checks that anyone may register, and prepares the form.
async fn check(context: &Context, form: Registration) -> Result<NewUser> {
    check_enabled(context)?;
    prepare(context, form).await
}

/// Checks that anyone may register.
///
/// # Errors
/// REGISTRATION_DISABLED.
pub(in crate::domain) fn check_enabled(context: &Context) -> Result<()> {
    if context.settings().registration.is_enabled { Ok(()) } else { Err(Error::RegistrationDisabled) }
}

/// Parses the form, counts the registration, and hashes the password.
///
/// # Errors
/// All problems of the form; if there are none, USERNAME_TAKEN for a reserved username, RATE_LIMITED, SERVICE_UNAVAILABLE.
pub(in crate::domain) async fn prepare(context: &Context, form: Registration) -> Result<NewUser> {
    let form = parse(form, context.settings())?;
    check_reserved(context, &form.profile.username.key)?;
    throttle::book_registration(context).await?;
    form.hash(context).await
}

/// Books the verification mail, and marks the network as familiar. Returns the event of the registration.
pub(in crate::domain) async fn book_mail(work: &UnitOfWork<'_>, user: &user::Locked) -> Result<Event> {
    throttle::remember_network(work, user).await?;
    let mut mail_round = None;
    if user.email.is_some() && work.app().settings.mail.is_enabled() {
        mail_round = match throttle::MailRequest::new(work.context, Some(user.id)).book(work).await {
            Ok(round) => Some(round),
            // The account is created without the mail, which the user can request later.
            Err(Error::RateLimited { .. }) => None,
            Err(error) => return Err(error),
        };
    }
    Ok(Event::UserRegistered { user: user.to_model().into(), mail_round })
}

/// Checks that a user may choose this username.
///
/// # Errors
/// USERNAME_TAKEN for a reserved username, because its message also applies: choose another username.
pub(in crate::domain) fn check_reserved(context: &Context, username_key: &str) -> Result<(), InputError> {
    if context.settings().registration.reserved_usernames.iter().any(|reserved| reserved == username_key) {
        return Err(InputError::new(ErrorCode::UsernameTaken, Field::Username));
    }
    Ok(())
}

/// Inserts a new account.
///
/// # Errors
/// USERNAME_TAKEN and EMAIL_TAKEN; the unit of work is then rolled back.
pub(in crate::domain) async fn insert(
    work: UnitOfWork<'_>,
    new_user: NewUser,
    roles: Vec<String>,
    is_self_registered: bool,
) -> Result<(UnitOfWork<'_>, user::Locked)> {
    let now = work.now;
    let NewUser { id, profile, password_hash, has_password } = new_user;
    let ParsedProfile { username, email, first_name, last_name } = profile;
    let (email, email_key) = email.map(|email| (email.text, email.key)).unzip();
    let user = user::Model {
        id,
        username: username.text,
        username_key: username.key.clone(),
        email,
        email_key: email_key.clone(),
        password_hash,
        first_name,
        last_name,
        is_active: true,
        roles: Roles(roles),
        created_at: now,
        updated_at: now,
        last_login_at: None,
        email_verified_at: None,
        pending_email: None,
        pending_email_key: None,
        session_epoch: 0,
        pending_email_id: None,
        pending_email_expires_at: None,
        never_verified_since: Some(now),
        is_self_registered,
        has_password,
    };
    match user::insert(work.db(), user).await {
        Ok(user) => Ok((work, user)),
        Err(error) if is_unique_violation(&error) => {
            let app = work.app();
            work.rollback().await?;
            Err(find_conflicts(app, &username.key, email_key.as_deref(), None).await?)
        }
        Err(error) => Err(error.into()),
    }
}

/// Finds out which values are taken. The error of the database contains at most one of them, but the response lists both.
/// `except` is the account that was to be changed.
pub(in crate::domain) async fn find_conflicts(
    app: &App,
    username_key: &str,
    email_key: Option<&str>,
    except: Option<Uuid>,
) -> Result<Error> {
    let problems = find_taken(app, username_key, email_key, except).await?;
    if problems.is_empty() {
        // The conflicting account has been deleted in the meantime.
        return Ok(Error::unavailable(1, "unique violation without a conflicting row"));
    }
    Ok(problems.into())
}

/// Checks that no account has the username or the address. Only an insert decides.
///
/// # Errors
/// USERNAME_TAKEN and EMAIL_TAKEN.
pub(in crate::domain) async fn check_free(app: &App, profile: &ParsedProfile) -> Result<()> {
    let email_key = profile.email.as_ref().map(|email| email.key.as_str());
    let problems = find_taken(app, &profile.username.key, email_key, None).await?;
    if problems.is_empty() { Ok(()) } else { Err(problems.into()) }
}

async fn find_taken(app: &App, username_key: &str, email_key: Option<&str>, except: Option<Uuid>) -> Result<Problems> {
    let rows = user::taken_keys(app.database.read(), username_key, email_key, except).await?;
    let mut problems = Problems::default();
    if rows.iter().any(|(username, _)| username == username_key) {
        problems.push(InputError::new(ErrorCode::UsernameTaken, Field::Username));
    }
    if email_key.is_some() && rows.iter().any(|(_, email)| email.as_deref() == email_key) {
        problems.push(InputError::new(ErrorCode::EmailTaken, Field::Email));
    }
    Ok(problems)
}
