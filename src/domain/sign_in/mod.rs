//! Sign-in: methods that identify a user, and the gate that all of them use.
//!
//! A method returns `Identified`. The gate, `admit`, decides whether the user may sign in, and whether a second factor is
//! needed. Only `enter` opens sessions, for what the gate has admitted. `throttle::throttled` counts the attempts of a method.

pub mod challenge;
pub mod email;
pub(in crate::domain) mod last_method;
pub mod one_request;
pub mod password;
pub(in crate::domain) mod proof;
pub mod reauthentication;

pub use proof::FRESH_FOR;
use uuid::Uuid;

use crate::{
    Error, Result,
    config::Settings,
    domain::{
        Context, Event, Principal, UnitOfWork,
        mfa::{self, remembered},
        sessions::{self, Authentication, DeviceToken, NewSession, Replaced, SignIn},
    },
    entity::{session::AuthenticationMethods, user},
    error::{MfaChallenge, MfaMethod},
    security::password::PasswordHash,
};

/// Counts the outcome of a sign-in method in the metrics.
pub(in crate::domain) fn count<T>(context: &Context, method: &'static str, result: &Result<T>) {
    context.app.metrics.count_sign_in(method, result.as_ref().err().map(Error::code));
}

/// A user who has proved their identity.
#[derive(Debug)]
pub(in crate::domain) struct Identified {
    /// The user, as read for the proof.
    pub user: user::Model,
    /// A new hash of the same password, to replace the stored one.
    pub new_hash: Option<PasswordHash>,
}

/// Checks that an identified user may have a session.
///
/// # Errors
/// ACCOUNT_DISABLED, EMAIL_NOT_VERIFIED.
pub(in crate::domain) fn check_user(settings: &Settings, user: &user::Model) -> Result<()> {
    if !user.is_active {
        Err(Error::AccountDisabled)
    } else if settings.registration.require_verified_email && user.email_verified_at.is_none() {
        Err(Error::EmailNotVerified)
    } else {
        Ok(())
    }
}

/// A user and the session that the gate has opened. [`Entered::issue_tokens`] completes the sign-in after the commit.
#[derive(Debug)]
pub(in crate::domain) struct Entered {
    principal: Principal,
    device_token: Option<DeviceToken>,
}

/// Permission to open a session. Only the gate and the answer to its challenge create one.
#[derive(Debug)]
pub(in crate::domain) struct Admission {
    /// The first factor, for the audit log.
    method: FirstFactor,
    authentication: Authentication,
    /// The second factor, for the audit log.
    second_factor: Option<SecondFactor>,
    /// The new token of the remembered device.
    device_token: Option<DeviceToken>,
}

/// How a user has identified themselves.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FirstFactor {
    /// With a password.
    Password,
    /// With a passkey, which is two factors.
    Passkey,
    /// With another provider.
    Provider,
    /// With a link or a code in a mail.
    Email,
}

impl FirstFactor {
    /// The factor that a sign-in with these methods began with, except for a passkey.
    fn of(amr: &AuthenticationMethods) -> Self {
        if amr.is_provider() {
            Self::Provider
        } else if amr.is_mail() {
            Self::Email
        } else {
            Self::Password
        }
    }

    /// The name in the audit log.
    pub(in crate::domain) const fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Passkey => "passkey",
            Self::Provider => "provider",
            Self::Email => "email",
        }
    }
}

/// How the second factor of a user was satisfied.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SecondFactor {
    /// By this method.
    Method(MfaMethod),
    /// Earlier, in a browser that is remembered.
    RememberedDevice,
}

/// The decision of the gate.
pub(in crate::domain) enum Gate {
    /// The user may have a session.
    Open(Admission),
    /// The user must confirm a second factor first. The challenge is valid once the unit of work is committed.
    Challenge(MfaChallenge),
}

/// The gate, for a user who has proved the first factor. In a remembered device, the second factor is not needed; the session has
/// one factor only.
///
/// # Errors
/// Those of [`check_user`].
pub(in crate::domain) async fn admit(
    work: &UnitOfWork<'_>,
    user: &user::Locked,
    amr: AuthenticationMethods,
    new_session: &NewSession,
) -> Result<Gate> {
    check_user(&work.app().settings, user)?;
    let methods = mfa::methods(work, user.id).await?;
    let method = FirstFactor::of(&amr);
    let authentication = Authentication { amr, second_factor_at: None };
    if methods.is_empty() {
        return Ok(Gate::Open(Admission { method, authentication, second_factor: None, device_token: None }));
    }
    if let Some(token) = &new_session.cookies.remembered_device
        && let Some(token) = remembered::recognize(work, user, token).await?
    {
        let second_factor = Some(SecondFactor::RememberedDevice);
        return Ok(Gate::Open(Admission { method, authentication, second_factor, device_token: Some(token) }));
    }
    Ok(Gate::Challenge(challenge::create(work, user, authentication.amr, new_session, methods).await?))
}

/// The gate, for a user who has proved two factors at once, with a passkey.
///
/// # Errors
/// Those of [`check_user`].
pub(in crate::domain) fn admit_with_two_factors(
    work: &UnitOfWork<'_>,
    user: &user::Locked,
    amr: AuthenticationMethods,
) -> Result<Admission> {
    check_user(&work.app().settings, user)?;
    let authentication = Authentication { amr, second_factor_at: Some(work.now) };
    Ok(Admission { method: FirstFactor::Passkey, authentication, second_factor: None, device_token: None })
}

/// Opens a session for the user of an account that was just created with a password or a provider.
///
/// # Errors
/// Those of [`check_user`].
pub(in crate::domain) async fn enter_new_account(
    work: &mut UnitOfWork<'_>,
    user: &mut user::Locked,
    new_session: &NewSession,
    event: Event,
    amr: AuthenticationMethods,
) -> Result<Entered> {
    match admit(work, user, amr, new_session).await? {
        Gate::Open(admission) => open(work, user, new_session, admission, event).await,
        Gate::Challenge(_) => Err(Error::internal("a new account has a second factor")),
    }
}

/// Opens a session for the user of an account that was just created with a passkey.
///
/// # Errors
/// Those of [`check_user`].
pub(in crate::domain) async fn enter_new_account_with_passkey(
    work: &mut UnitOfWork<'_>,
    user: &mut user::Locked,
    new_session: &NewSession,
    event: Event,
    amr: AuthenticationMethods,
) -> Result<Entered> {
    let admission = admit_with_two_factors(work, user, amr)?;
    open(work, user, new_session, admission, event).await
}

/// Finishes a sign-in as the gate has decided: opens the session, and ends the session that it replaces. `users` are locked. Also
/// commits if a second factor is needed.
///
/// # Errors
/// MFA_REQUIRED; SERVICE_UNAVAILABLE if the database is unreachable.
pub(in crate::domain) async fn finish(
    mut work: UnitOfWork<'_>,
    mut users: Vec<user::Locked>,
    user_id: Uuid,
    gate: Gate,
    (new_session, replaced): (&NewSession, Option<Replaced>),
) -> Result<SignIn> {
    let app = work.app();
    let admission = match gate {
        Gate::Open(admission) => admission,
        Gate::Challenge(challenge) => {
            work.commit().await?;
            return Err(Error::MfaRequired(challenge.into()));
        }
    };
    if let Some(replaced) = replaced {
        replaced.end(&mut work, &users).await?;
    }
    let user = users.iter_mut().find(|user| user.id == user_id);
    let user = user.ok_or_else(|| Error::internal("a locked user is missing"))?;
    let entered = enter(&mut work, user, new_session, admission).await?;
    work.commit().await?;
    entered.issue_tokens(app)
}

/// Opens a session for a user who has signed in.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub(in crate::domain) async fn enter(
    work: &mut UnitOfWork<'_>,
    user: &mut user::Locked,
    new_session: &NewSession,
    admission: Admission,
) -> Result<Entered> {
    let event = Event::LoggedIn { user_id: user.id, method: admission.method, second_factor: admission.second_factor };
    open(work, user, new_session, admission, event).await
}

async fn open(
    work: &mut UnitOfWork<'_>,
    user: &mut user::Locked,
    new_session: &NewSession,
    Admission { authentication, device_token, .. }: Admission,
    event: Event,
) -> Result<Entered> {
    let now = work.now;
    user.update(work.db(), |user| user.last_login_at = Some(now)).await?;
    let session = sessions::open(work, user, new_session.delivery, authentication).await?;
    work.emit(event);
    let must_enroll = mfa::must_enroll_in(work, user).await?;
    Ok(Entered { principal: Principal { user: user.to_model(), session, must_enroll }, device_token })
}

impl Entered {
    /// Issues the tokens of the session, which has been committed.
    pub(in crate::domain) fn issue_tokens(self, app: &crate::App) -> Result<SignIn> {
        let sign_in = sessions::issue_tokens(app, self.principal)?;
        Ok(SignIn { device_token: self.device_token, ..sign_in })
    }
}
