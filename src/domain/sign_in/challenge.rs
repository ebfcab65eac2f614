//! The second step of a sign-in: a challenge, and its answer.

use chrono::TimeDelta;

use crate::{
    Error, Result,
    config::SecretString,
    domain::{
        Context, Event, UnitOfWork,
        mfa::{Factor, ParsedFactor, Verdict, remembered},
        sessions::{Authentication, Cookies, NewSession, SignIn},
        sign_in::{self, Admission, FirstFactor, SecondFactor},
        throttle::PlainAttempt,
    },
    entity::{
        mfa_challenge,
        session::{AuthenticationMethods, Delivery},
        user,
    },
    error::{MfaChallenge, MfaMethod},
    security::{link_token, link_token::TokenHash, random, webauthn::Ceremony},
};

/// How long a challenge can be answered.
const LIFETIME: TimeDelta = TimeDelta::minutes(5);

/// The answer to a challenge.
#[derive(Debug)]
pub struct Answer {
    /// The token of the challenge.
    pub token: SecretString,
    /// The second factor.
    pub factor: Factor,
    /// Whether later sign-ins in this browser need no second factor. Has no effect unless refresh tokens are delivered in a
    /// cookie.
    pub remember_device: bool,
    /// The cookies of the request.
    pub cookies: Cookies,
}

/// Creates a challenge for a user who has proved the first factor. A browser must also send the token of a cookie, which other
/// sites and scripts cannot read. It is bound to neither an address nor a user agent, which may change. The challenges of
/// several tabs share one cookie.
pub(super) async fn create(
    work: &UnitOfWork<'_>,
    user: &user::Locked,
    amr: AuthenticationMethods,
    new_session: &NewSession,
    methods: Vec<MfaMethod>,
) -> Result<MfaChallenge> {
    let (token, token_hash) = link_token::generate()?;
    let delivery = new_session.delivery;
    let client_token = match (delivery, &new_session.cookies.mfa_client) {
        (Delivery::Cookie, Some(token)) => Some(token.clone()),
        (Delivery::Cookie, None) => Some(link_token::generate()?.0),
        (Delivery::Body, _) => None,
    };
    let challenge = mfa_challenge::Model {
        id: random::id(work.now)?,
        token_hash,
        user_id: user.id,
        epoch: user.session_epoch,
        amr,
        delivery,
        client_hash: client_token.as_ref().map(TokenHash::of),
        created_at: work.now,
        expires_at: work.now + LIFETIME,
        attempts: 0,
    };
    mfa_challenge::insert(work.db(), challenge).await?;
    Ok(MfaChallenge { token, client_token, methods, expires_in: LIFETIME.num_seconds() })
}

/// Deletes a challenge whose token no client has. If that fails, the purge deletes it after it has expired.
pub(super) async fn discard(context: &Context, token: &SecretString) {
    let discarded = async {
        let work = context.begin().await?;
        mfa_challenge::delete(work.db(), &TokenHash::of(token)).await?;
        work.commit().await
    };
    if let Err(error) = discarded.await {
        tracing::warn!(cause = error.cause(), "failed to delete a challenge; it stays until it expires");
    }
}

/// Finds an open challenge by its token.
///
/// # Errors
/// MFA_CHALLENGE_EXPIRED if the token is unknown, was used, has expired, or belongs to another browser.
pub(in crate::domain) async fn find(
    context: &Context,
    token: &SecretString,
    cookies: &Cookies,
) -> Result<mfa_challenge::Model> {
    let found = mfa_challenge::find(context.app.database.read(), &TokenHash::of(token), context.now()).await?;
    let challenge = found.ok_or(Error::MfaChallengeExpired)?;
    if challenge.client_hash.is_some() && challenge.client_hash != cookies.mfa_client.as_ref().map(TokenHash::of) {
        return Err(Error::MfaChallengeExpired);
    }
    Ok(challenge)
}

/// Finishes a sign-in with a second factor. An incorrect code counts for the challenge and for the user; a correct password
/// does not clear that counter.
///
/// # Errors
/// MFA_CHALLENGE_EXPIRED if the token is unknown, was used, has expired, or belongs to another browser; MFA_CODE_INVALID,
/// PASSKEY_INVALID; RATE_LIMITED; ACCOUNT_DISABLED, EMAIL_NOT_VERIFIED.
pub async fn verify(context: &Context, answer: Answer) -> Result<SignIn> {
    let result = check_answer(context, answer).await;
    sign_in::count(context, "second_factor", &result);
    result
}

async fn check_answer(context: &Context, answer: Answer) -> Result<SignIn> {
    let Answer { token, factor, remember_device, cookies } = answer;
    let challenge = find(context, &token, &cookies).await?;
    let factor = factor.parse()?;
    let new_session = NewSession::new(challenge.delivery, cookies);
    let remember_device = remember_device && challenge.delivery == Delivery::Cookie;
    let attempt = PlainAttempt::book_second_factor(context, challenge.user_id).await?;
    // Boxed, so that the requests that are refused above stay small.
    let verified = verify_booked(context, &challenge, &factor, (&new_session, remember_device), &attempt);
    let verified = Box::pin(verified).await;
    if !matches!(verified, Ok(_) | Err(Error::MfaCodeInvalid | Error::PasskeyInvalid)) {
        attempt.withdraw(context).await;
    }
    verified
}

async fn verify_booked(
    context: &Context,
    challenge: &mfa_challenge::Model,
    factor: &ParsedFactor,
    (new_session, remember_device): (&NewSession, bool),
    attempt: &PlainAttempt,
) -> Result<SignIn> {
    let replaced = new_session.replaced(context).await?;
    let work = context.begin().await?;
    let ids = replaced.iter().map(|replaced| replaced.user_id).chain([challenge.user_id]).collect();
    let mut users = user::lock_all(work.db(), ids).await?;
    let user = users.iter().find(|user| user.id == challenge.user_id);
    let checked = check(&work, challenge, user, factor).await;
    let (mut work, verdict) = work.or_rollback(checked).await?;
    let amr = match verdict {
        Verdict::Accepted(second) => second.added_to(challenge.amr.clone()),
        Verdict::Refused(refusal) => {
            // The attempt stays counted.
            work.emit(refusal.event(challenge.user_id));
            work.commit().await?;
            return Err(refusal.into());
        }
    };
    attempt.withdraw_in(&work).await?;
    if let Some(replaced) = replaced {
        replaced.end(&mut work, &users).await?;
    }
    let user = users.iter_mut().find(|user| user.id == challenge.user_id);
    let user = user.ok_or_else(|| Error::internal("a locked user is missing"))?;
    let device_token = if remember_device {
        Some(remembered::remember(&mut work, user, new_session.cookies.remembered_device.as_ref()).await?)
    } else {
        None
    };
    let admission = Admission {
        method: FirstFactor::of(&challenge.amr),
        authentication: Authentication { amr, second_factor_at: Some(work.now) },
        second_factor: Some(SecondFactor::Method(factor.method())),
        device_token,
    };
    if factor.method() == MfaMethod::RecoveryCode {
        work.emit(Event::RecoveryCodeUsed { user: user.to_model().into() });
    }
    let entered = sign_in::enter(&mut work, user, new_session, admission).await?;
    work.commit().await?;
    entered.issue_tokens(&context.app)
}

/// Counts the attempt, and then checks the factor. A factor that is accepted uses up the challenge.
async fn check(
    work: &UnitOfWork<'_>,
    challenge: &mfa_challenge::Model,
    user: Option<&user::Locked>,
    factor: &ParsedFactor,
) -> Result<Verdict> {
    let user = user.filter(|user| user.session_epoch == challenge.epoch).ok_or(Error::MfaChallengeExpired)?;
    sign_in::check_user(&work.app().settings, user)?;
    if !mfa_challenge::book_attempt(work.db(), challenge.id, work.now).await? {
        return Err(Error::MfaChallengeExpired);
    }
    let ceremony = Ceremony::SecondFactor { user_id: user.id, challenge_id: challenge.id };
    let verdict = factor.check(work, user, ceremony).await?;
    if let Verdict::Accepted(_) = verdict
        && !mfa_challenge::take(work.db(), challenge.id, work.now).await?
    {
        return Err(Error::MfaChallengeExpired);
    }
    Ok(verdict)
}
