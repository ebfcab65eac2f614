//! Sign-in with a passkey, without a username.

use super::{Acceptance, Assertion, ParsedAssertion, Started};
use crate::{
    Error, Result,
    domain::{
        Context, Event,
        sessions::{NewSession, SignIn},
        sign_in::{self, FirstFactor},
    },
    entity::{session::AuthenticationMethods, user},
    security::webauthn::Ceremony,
};

/// Starts a sign-in, for a button or for conditional UI. Writes nothing. The options allow any passkey: a list would tell who
/// exists.
///
/// # Errors
/// Internal if there are no random bytes.
pub fn start(context: &Context) -> Result<Started> {
    Started::request(context, Ceremony::Login, Vec::new())
}

/// Signs in with a passkey, which is two factors.
///
/// # Errors
/// PASSKEY_INVALID, also if the ceremony was used before or has expired; only after a valid response: ACCOUNT_DISABLED,
/// EMAIL_NOT_VERIFIED.
pub async fn finish(context: &Context, assertion: &Assertion, new_session: NewSession) -> Result<SignIn> {
    let result = verify(context, assertion, new_session).await;
    sign_in::count(context, FirstFactor::Passkey.name(), &result);
    result
}

async fn verify(context: &Context, assertion: &Assertion, new_session: NewSession) -> Result<SignIn> {
    let assertion = assertion.parse()?;
    let user_id = assertion.identify(context).await?;
    let user = user::find_by_id(context.app.database.read(), user_id).await?.ok_or(Error::PasskeyInvalid)?;
    sign_in::check_user(context.settings(), &user)?;
    // Boxed, so that the requests that are refused above stay small.
    Box::pin(enter(context, &assertion, &user, new_session)).await
}

async fn enter(
    context: &Context,
    assertion: &ParsedAssertion,
    identified: &user::Model,
    new_session: NewSession,
) -> Result<SignIn> {
    let replaced = new_session.replaced(context).await?;
    let work = context.begin().await?;
    let ids = replaced.iter().map(|replaced| replaced.user_id).chain([identified.id]).collect();
    let mut users = user::lock_all(work.db(), ids).await?;
    let accepted = match users.iter().find(|user| user.id == identified.id) {
        Some(user) => assertion.accept(&work, user, Ceremony::Login).await,
        None => Err(Error::PasskeyInvalid),
    };
    let (mut work, acceptance) = work.or_rollback(accepted).await?;
    let is_backed_up = match acceptance {
        Acceptance::Accepted { is_backed_up } => is_backed_up,
        Acceptance::Refused => {
            work.rollback().await?;
            return Err(Error::PasskeyInvalid);
        }
        Acceptance::CounterWentBack { passkey_id } => {
            work.emit(Event::PasskeyFailed { user_id: identified.id, passkey_id });
            work.commit().await?;
            return Err(Error::PasskeyInvalid);
        }
    };
    let user = users.iter().find(|user| user.id == identified.id);
    let user = user.ok_or_else(|| Error::internal("a locked user is missing"))?;
    let admission = sign_in::admit_with_two_factors(&work, user, AuthenticationMethods::passkey(is_backed_up));
    let (mut work, admission) = work.or_rollback(admission).await?;
    if let Some(replaced) = replaced {
        replaced.end(&mut work, &users).await?;
    }
    let user = users.iter_mut().find(|user| user.id == identified.id);
    let user = user.ok_or_else(|| Error::internal("a locked user is missing"))?;
    let entered = sign_in::enter(&mut work, user, &new_session, admission).await?;
    work.commit().await?;
    entered.issue_tokens(&context.app)
}
