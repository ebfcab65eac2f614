//! Setting up and removing an authenticator app, and new recovery codes.

use chrono::TimeDelta;
use url::Url;

use crate::{
    Error, Result,
    config::{SecretString, Settings},
    domain::{
        Context, Event, Principal, UnitOfWork, mfa, mfa::factor::secret_of, sessions, sign_in::proof,
        throttle::PlainAttempt,
    },
    entity::{recovery_code, second_factor, session, totp_factor, user},
    security::{
        qr_code,
        recovery_code::RecoveryCode,
        totp::{TotpCode, TotpSecret},
    },
};

/// How long an enrollment can be confirmed.
const LIFETIME: TimeDelta = TimeDelta::minutes(10);

/// What the user enters into the authenticator app.
#[derive(Debug)]
pub struct Enrollment {
    /// The secret in Base32.
    pub secret: SecretString,
    /// The same secret as URI, for the QR code.
    pub otpauth_uri: SecretString,
}

impl Enrollment {
    /// Renders the QR code as SVG.
    ///
    /// # Errors
    /// Internal if the URI is too long.
    pub fn qr_code(&self) -> Result<SecretString> {
        qr_code::to_svg(&self.otpauth_uri)
    }
}

/// The name of this service in authenticator apps: the brand, or the host of PUBLIC_URL.
fn issuer(settings: &Settings) -> String {
    let url = Url::parse(&settings.server.public_url).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or("Hallpass");
    settings.brand.name_or(host).to_owned()
}

/// Starts the enrollment of an authenticator app. Replaces an enrollment that was not confirmed. Sign-ins require a code only
/// after [`confirm`].
///
/// # Errors
/// REAUTHENTICATION_REQUIRED, MFA_ALREADY_ENABLED. UNAUTHENTICATED if the session has ended in the meantime.
pub async fn start(context: &Context, principal: &Principal) -> Result<Enrollment> {
    proof::check_fresh(context, principal).await?;
    let secret = TotpSecret::generate()?;
    let sealed = context.app.totp_sealer.seal(principal.user.id, secret.as_bytes())?;
    let (work, user) = context.begin_as(principal).await?;
    let checked = check_not_enabled(&work, &user).await;
    let (work, ()) = work.or_rollback(checked).await?;
    let enrollment = totp_factor::Model {
        user_id: user.id,
        sealed_secret: sealed.bytes,
        key_id: sealed.key_id,
        created_at: work.now,
        confirmed_at: None,
        expires_at: Some(work.now + LIFETIME),
        last_step: None,
    };
    totp_factor::start(work.db(), enrollment).await?;
    work.commit().await?;
    let otpauth_uri = secret.otpauth_uri(&issuer(context.settings()), &user.username);
    Ok(Enrollment { secret: secret.to_base32(), otpauth_uri })
}

async fn check_not_enabled(work: &UnitOfWork<'_>, user: &user::Locked) -> Result<()> {
    let is_enabled = totp_factor::is_confirmed(work.db(), user.id).await?;
    if is_enabled { Err(Error::MfaAlreadyEnabled) } else { Ok(()) }
}

/// Confirms the enrollment with the first code of the app. From now on, sign-ins require a code; this one is used. The session
/// counts as signed in with it. If a role of the user requires a second factor, all other sessions end: they were opened with
/// one factor, and would gain the roles. Returns the user and the recovery codes, which are shown this once.
///
/// # Errors
/// MFA_CODE_INVALID; MFA_NOT_ENABLED if there is no enrollment or it has expired; MFA_ALREADY_ENABLED; RATE_LIMITED.
/// UNAUTHENTICATED if the session has ended in the meantime.
pub async fn confirm(
    context: &Context,
    principal: &Principal,
    code: &SecretString,
) -> Result<(user::Model, Vec<SecretString>)> {
    let code = TotpCode::parse(code).ok_or(Error::MfaCodeInvalid)?;
    let attempt = PlainAttempt::book_second_factor(context, principal.user.id).await?;
    let confirmed = confirm_booked(context, principal, &code, &attempt).await;
    if !matches!(confirmed, Ok(_) | Err(Error::MfaCodeInvalid)) {
        attempt.withdraw(context).await;
    }
    confirmed
}

async fn confirm_booked(
    context: &Context,
    principal: &Principal,
    code: &TotpCode,
    attempt: &PlainAttempt,
) -> Result<(user::Model, Vec<SecretString>)> {
    let codes = RecoveryCode::generate_all()?;
    let (work, mut user) = context.begin_as(principal).await?;
    let checked = check_code(&work, &user, code).await;
    let (mut work, ()) = work.or_rollback(checked).await?;
    attempt.withdraw_in(&work).await?;
    replace_codes(&work, &user, &codes).await?;
    let amr = principal.session.amr.clone().with_one_time_password();
    session::set_second_factor(work.db(), principal.session.id, amr, work.now).await?;
    mfa::invalidate_proofs(&work, user.id).await?;
    if mfa::is_required(context.settings(), &user)
        && sessions::end_all(&work, &mut user, Some(principal.session.id)).await? > 0
    {
        work.emit(Event::SessionRevoked { user_id: user.id });
    }
    work.emit(Event::MfaEnabled { user: user.to_model().into() });
    work.commit().await?;
    Ok((user.into(), codes.iter().map(RecoveryCode::to_text).collect()))
}

async fn check_code(work: &UnitOfWork<'_>, user: &user::Locked, code: &TotpCode) -> Result<()> {
    let enrollment = totp_factor::find(work.db(), user.id).await?.ok_or(Error::MfaNotEnabled)?;
    if enrollment.is_confirmed() {
        return Err(Error::MfaAlreadyEnabled);
    }
    let step = secret_of(work, &enrollment)?.matching_step(code, work.now, None).ok_or(Error::MfaCodeInvalid)?;
    // False if it has expired. No other request can have changed it, because the user is locked.
    let is_confirmed = totp_factor::confirm(work.db(), &enrollment, step, work.now).await?;
    if is_confirmed { Ok(()) } else { Err(Error::MfaNotEnabled) }
}

/// Replaces the recovery codes. Returns the user and the new codes, which are shown this once.
///
/// # Errors
/// MFA_NOT_ENABLED, REAUTHENTICATION_REQUIRED. UNAUTHENTICATED if the session has ended in the meantime.
pub async fn regenerate_recovery_codes(
    context: &Context,
    principal: &Principal,
) -> Result<(user::Model, Vec<SecretString>)> {
    check_enabled_and_fresh(context, principal).await?;
    let codes = RecoveryCode::generate_all()?;
    let (work, user) = context.begin_as(principal).await?;
    let checked = check_enabled(&work, &user).await;
    let (mut work, ()) = work.or_rollback(checked).await?;
    replace_codes(&work, &user, &codes).await?;
    work.emit(Event::RecoveryCodesRegenerated { user_id: user.id });
    work.commit().await?;
    Ok((user.into(), codes.iter().map(RecoveryCode::to_text).collect()))
}

async fn replace_codes(work: &UnitOfWork<'_>, user: &user::Locked, codes: &[RecoveryCode]) -> Result<()> {
    Ok(recovery_code::replace(work.db(), user.id, codes.iter().map(RecoveryCode::hash), work.now).await?)
}

/// Removes the authenticator app. Unless the user has a passkey, the recovery codes are removed too, and all sessions lose the
/// second factor.
///
/// # Errors
/// MFA_NOT_ENABLED, REAUTHENTICATION_REQUIRED. UNAUTHENTICATED if the session has ended in the meantime.
pub async fn disable(context: &Context, principal: &Principal) -> Result<user::Model> {
    check_enabled_and_fresh(context, principal).await?;
    let (work, user) = context.begin_as(principal).await?;
    let removed = mfa::remove_app(&work, &user).await;
    let (mut work, ()) = work.or_rollback(removed).await?;
    work.emit(Event::MfaDisabled { user: user.to_model().into() });
    work.commit().await?;
    Ok(user.into())
}

async fn check_enabled(work: &UnitOfWork<'_>, user: &user::Locked) -> Result<()> {
    let is_enabled = second_factor::exists(work.db(), user.id).await?;
    if is_enabled { Ok(()) } else { Err(Error::MfaNotEnabled) }
}

async fn check_enabled_and_fresh(context: &Context, principal: &Principal) -> Result<()> {
    if !mfa::is_enabled(&context.app, principal).await? {
        return Err(Error::MfaNotEnabled);
    }
    proof::check_fresh_second_factor(context, principal)
}
