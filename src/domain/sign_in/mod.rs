//! Sign-in: methods that identify a user, and the gate that all of them use.
//!
//! A method returns `Identified`. The gate, `enter`, decides whether the user may sign in, and is the only place that opens
//! sessions. `throttle::throttled` counts the attempts of a method.

pub mod password;
pub(in crate::domain) mod proof;
pub mod reauthentication;

use crate::{
    Error, Result,
    config::Settings,
    domain::{
        Event, UnitOfWork,
        sessions::{self, NewSession, SignIn},
    },
    entity::{session, user},
    security::password::PasswordHash,
};

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
    user: user::Model,
    session: session::Model,
}

/// The gate: opens a session for an identified user who may sign in.
///
/// # Errors
/// Those of [`check_user`].
pub(in crate::domain) async fn enter(
    work: &mut UnitOfWork<'_>,
    user: &mut user::Locked,
    new_session: &NewSession,
    event: Event,
) -> Result<Entered> {
    check_user(&work.app().settings, user)?;
    let now = work.now;
    user.update(work.db(), |user| user.last_login_at = Some(now)).await?;
    let session = sessions::open(work, user, new_session.delivery).await?;
    work.emit(event);
    Ok(Entered { user: user.to_model(), session })
}

impl Entered {
    /// Issues the tokens of the session, which has been committed.
    pub(in crate::domain) fn issue_tokens(self, app: &crate::App) -> Result<SignIn> {
        sessions::issue_tokens(app, self.user, self.session)
    }
}
