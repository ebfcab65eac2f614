//! Registration: make an account and sign in with it.

use sea_orm::{ActiveModelTrait, ActiveValue::Set};

use crate::{
    App, Error, Result,
    config::{SecretString, Settings},
    database::{Transaction, error::is_unique_violation},
    domain::{
        Client, audit,
        identity::{Email, Owner, Password, Username, parse_name},
        notifications,
        sessions::{self, NewSession, SignIn},
        throttle,
    },
    entity::{
        audit_event::Kind,
        user::{self, Roles},
    },
    error::{ErrorCode, Field, InputError, Problems},
    security::random,
};

pub use crate::entity::user::Model as Account;

/// What someone fills in to get an account.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Unique without regard to case.
    pub username: String,
    /// 8 to 128 code points.
    pub password: SecretString,
    /// Unique where it is given.
    pub email: Option<String>,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
}

/// The same, parsed.
pub(in crate::domain) struct NewUser {
    username: Username,
    password: Password,
    email: Option<Email>,
    first_name: Option<String>,
    last_name: Option<String>,
}

/// What a registration has led to. It may hold tokens, so there is no way to print it.
pub enum Registered {
    /// The account is signed in.
    SignedIn(Box<SignIn>),
    /// It is there; before it can sign in, its address must be verified.
    Unverified(Box<user::Model>),
}

/// Makes an account and signs in, to a session that is opened as `new_session` says; where addresses must be verified first,
/// it does not sign in. Of several who want the same name at the same time the unique index takes one; a
/// taken name costs the same hash as a fresh one.
///
/// # Errors
/// REGISTRATION_DISABLED; all problems of the form at once; when there are none, RATE_LIMITED, then USERNAME_TAKEN and
/// EMAIL_TAKEN.
pub async fn register(app: &App, form: Registration, new_session: NewSession, client: &Client) -> Result<Registered> {
    let signs_in = !app.settings.registration.require_verified_email;
    let replaced = if signs_in { new_session.replaced(app).await? } else { None };
    let (transaction, user) = enrol(app, form, signs_in, client).await?;
    let (now, event) = (user.created_at, Kind::Registered);
    if !signs_in {
        audit::record(&transaction, event, Some(user.id), user.id, client, now).await?;
        transaction.commit().await?;
        app.outbox.ring();
        return Ok(Registered::Unverified(user.into()));
    }
    if let Some(replaced) = replaced {
        replaced.end(&transaction, user.id, client, now).await?;
    }
    let session = sessions::open(app, &transaction, &user, event, (new_session.delivery, client), now).await?;
    transaction.commit().await?;
    app.outbox.ring();
    Ok(Registered::SignedIn(sessions::sign_in(app, user, session)?.into()))
}

/// The same without signing in, for doors where one signs in after that: no session is left behind that nobody has a token
/// of.
///
/// # Errors
/// Those of [`register`].
pub async fn register_only(app: &App, form: Registration, client: &Client) -> Result<Account> {
    let (transaction, user) = enrol(app, form, false, client).await?;
    audit::record(&transaction, Kind::Registered, Some(user.id), user.id, client, user.created_at).await?;
    transaction.commit().await?;
    app.outbox.ring();
    Ok(user)
}

async fn enrol(app: &App, form: Registration, signs_in: bool, client: &Client) -> Result<(Transaction, user::Model)> {
    if !app.settings.registration.is_enabled {
        return Err(Error::RegistrationDisabled);
    }
    let new_user = parse(form, &app.settings)?;
    check_reserved(app, &new_user.username.key)?;
    throttle::book_registration(app, client).await?;
    let (transaction, user) =
        create(app, new_user, app.settings.registration.default_roles.clone(), (signs_in, true)).await?;
    throttle::settle(app, &transaction, &user, client).await?;
    if user.email.is_some() && app.settings.mail.is_enabled() {
        match throttle::MailRequest::new(app, client, Some(user.id)).book(&transaction, user.created_at).await {
            Ok(round) => notifications::verify(app, &transaction, &user, client, round).await?,
            // The account is good without the mail, which its owner can ask for later.
            Err(Error::RateLimited { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok((transaction, user))
}

/// Checks a username that somebody chooses for themselves.
///
/// # Errors
/// USERNAME_TAKEN for a reserved one: its words say what to do, which is to choose another. The list is no secret.
pub(in crate::domain) fn check_reserved(app: &App, username_key: &str) -> Result<(), InputError> {
    if app.settings.registration.reserved_usernames.iter().any(|reserved| reserved == username_key) {
        return Err(InputError::new(ErrorCode::UsernameTaken, Field::Username));
    }
    Ok(())
}

/// Writes a new account, in a transaction that the caller goes on with.
///
/// # Errors
/// USERNAME_TAKEN and EMAIL_TAKEN.
pub(in crate::domain) async fn create(
    app: &App,
    new_user: NewUser,
    roles: Vec<String>,
    (signs_in, is_self_registered): (bool, bool),
) -> Result<(Transaction, user::Model)> {
    let password_hash = app.hasher.hash(new_user.password.secret()).await?;
    let now = app.clock.now();
    let (email, email_key) = new_user.email.map(|email| (email.text, email.key)).unzip();
    let user = user::ActiveModel {
        id: Set(random::id(now)?),
        username: Set(new_user.username.text),
        username_key: Set(new_user.username.key.clone()),
        email: Set(email),
        email_key: Set(email_key.clone()),
        password_hash: Set(password_hash),
        first_name: Set(new_user.first_name),
        last_name: Set(new_user.last_name),
        is_active: Set(true),
        roles: Set(Roles(roles)),
        created_at: Set(now),
        updated_at: Set(now),
        last_login_at: Set(signs_in.then_some(now)),
        email_verified_at: Set(None),
        pending_email: Set(None),
        pending_email_key: Set(None),
        session_epoch: Set(0),
        pending_email_id: Set(None),
        pending_email_expires_at: Set(None),
        never_verified_since: Set(Some(now)),
        is_self_registered: Set(is_self_registered),
    };

    let transaction = app.write().await?;
    match user.insert(&transaction).await {
        Ok(user) => Ok((transaction, user)),
        Err(error) if is_unique_violation(&error) => {
            transaction.rollback().await?;
            Err(taken(app, &new_user.username.key, email_key.as_deref()).await?)
        }
        Err(error) => Err(error.into()),
    }
}

pub(in crate::domain) fn parse(form: Registration, settings: &Settings) -> Result<NewUser> {
    let mut problems = Problems::default();
    let username = problems.collect(Username::parse(&form.username));
    let owner = Owner {
        username: form.username.trim(),
        email: form.email.as_deref().map(str::trim),
        first_name: form.first_name.as_deref(),
        last_name: form.last_name.as_deref(),
    };
    let password = problems.collect(Password::parse(form.password, Field::Password, &owner, settings));
    let email = problems.collect(match form.email.as_deref().filter(|email| !email.trim().is_empty()) {
        Some(email) => Email::parse(email).map(Some),
        None if settings.registration.require_email => Err(InputError::new(ErrorCode::Required, Field::Email)),
        None => Ok(None),
    });
    let first_name = problems.collect(parse_name(form.first_name.as_deref(), Field::FirstName));
    let last_name = problems.collect(parse_name(form.last_name.as_deref(), Field::LastName));
    // All of them, or none: each field that is missing here has left its problem there.
    let new_user = || {
        Some(NewUser {
            username: username?,
            password: password?,
            email: email?,
            first_name: first_name?,
            last_name: last_name?,
        })
    };
    new_user().ok_or_else(|| problems.into())
}

/// Which names the unique indexes refused. The databases name one of them at most, people want to hear of both.
async fn taken(app: &App, username_key: &str, email_key: Option<&str>) -> Result<Error> {
    let rows = user::taken_keys(app.database.read(), username_key, email_key).await?;
    let mut problems = Problems::default();
    if rows.iter().any(|(username, _)| username == username_key) {
        problems.push(InputError::new(ErrorCode::UsernameTaken, Field::Username));
    }
    if email_key.is_some() && rows.iter().any(|(_, email)| email.as_deref() == email_key) {
        problems.push(InputError::new(ErrorCode::EmailTaken, Field::Email));
    }
    if problems.is_empty() {
        // The account that was in the way has been deleted since.
        return Ok(Error::unavailable(1, "a name was taken a moment ago and is free again"));
    }
    Ok(problems.into())
}
