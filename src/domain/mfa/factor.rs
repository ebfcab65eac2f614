//! Checking a second factor.

use uuid::Uuid;

use crate::{
    Error, Result,
    config::SecretString,
    domain::{
        Event, UnitOfWork,
        passkeys::{Acceptance, Assertion, ParsedAssertion},
    },
    entity::{recovery_code, session::AuthenticationMethods, totp_factor, user::Locked},
    error::MfaMethod,
    security::{
        recovery_code::RecoveryCode,
        totp::{TotpCode, TotpSecret},
        webauthn::Ceremony,
    },
};

/// A second factor as a user entered it.
#[derive(Clone, Debug)]
pub enum Factor {
    /// A code of an authenticator app.
    Totp(SecretString),
    /// A recovery code.
    RecoveryCode(SecretString),
    /// A passkey.
    Passkey(Assertion),
}

/// A second factor that has the right form.
#[derive(Debug)]
pub(in crate::domain) enum ParsedFactor {
    Totp(TotpCode),
    RecoveryCode(RecoveryCode),
    Passkey(Box<ParsedAssertion>),
}

/// The result of a check.
#[derive(Clone, Copy, Debug)]
pub(in crate::domain) enum Verdict {
    Accepted(AcceptedFactor),
    Refused(Refusal),
}

/// A second factor that was used.
#[derive(Clone, Copy, Debug)]
pub(in crate::domain) enum AcceptedFactor {
    Code,
    Passkey { is_backed_up: bool },
}

/// Why a second factor was refused.
#[derive(Clone, Copy, Debug)]
pub(in crate::domain) enum Refusal {
    Code,
    Passkey,
    /// The counter of this passkey went back.
    Counter(Uuid),
}

impl AcceptedFactor {
    /// The methods of a session, followed by the factor.
    pub(in crate::domain) fn added_to(self, methods: AuthenticationMethods) -> AuthenticationMethods {
        match self {
            Self::Code => methods.with_one_time_password(),
            Self::Passkey { is_backed_up } => methods.with_passkey(is_backed_up),
        }
    }
}

impl Refusal {
    /// The event that records it.
    pub(in crate::domain) fn event(self, user_id: Uuid) -> Event {
        match self {
            Self::Code | Self::Passkey => Event::MfaFailed { user_id },
            Self::Counter(passkey_id) => Event::PasskeyFailed { user_id, passkey_id },
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Code => Self::MfaCodeInvalid,
            Refusal::Passkey | Refusal::Counter(_) => Self::PasskeyInvalid,
        }
    }
}

impl Factor {
    /// A code of either kind. A text of six digits is a code of an authenticator app, any other is a recovery code.
    #[must_use]
    pub fn of_text(text: SecretString) -> Self {
        if TotpCode::parse(&text).is_some() { Self::Totp(text) } else { Self::RecoveryCode(text) }
    }

    /// Parses the factor. A text that is no code needs no check, and is not counted as an attempt.
    ///
    /// # Errors
    /// MFA_CODE_INVALID, PASSKEY_INVALID.
    pub(in crate::domain) fn parse(&self) -> Result<ParsedFactor> {
        let parsed = match self {
            Self::Totp(text) => TotpCode::parse(text).map(ParsedFactor::Totp),
            Self::RecoveryCode(text) => RecoveryCode::parse(text).map(ParsedFactor::RecoveryCode),
            Self::Passkey(assertion) => return Ok(ParsedFactor::Passkey(assertion.parse()?.into())),
        };
        parsed.ok_or(Error::MfaCodeInvalid)
    }
}

impl ParsedFactor {
    /// The method of the factor.
    pub(in crate::domain) fn method(&self) -> MfaMethod {
        match self {
            Self::Totp(_) => MfaMethod::Totp,
            Self::RecoveryCode(_) => MfaMethod::RecoveryCode,
            Self::Passkey(_) => MfaMethod::Passkey,
        }
    }

    /// Uses the factor, unless it is incorrect or was used before. A passkey must be used for this ceremony.
    ///
    /// # Errors
    /// Internal if the key of a TOTP secret is unknown. PASSKEY_INVALID if the ceremony was used before; the unit of work must
    /// be rolled back then.
    pub(in crate::domain) async fn check(
        &self,
        work: &UnitOfWork<'_>,
        user: &Locked,
        ceremony: Ceremony,
    ) -> Result<Verdict> {
        let is_accepted = match self {
            Self::Totp(code) => uses_totp(work, user, code).await?,
            Self::RecoveryCode(code) => recovery_code::take(work.db(), user.id, code.hash()).await?,
            Self::Passkey(assertion) => {
                return Ok(match assertion.accept(work, user, ceremony).await? {
                    Acceptance::Accepted { is_backed_up } => {
                        Verdict::Accepted(AcceptedFactor::Passkey { is_backed_up })
                    }
                    Acceptance::Refused => Verdict::Refused(Refusal::Passkey),
                    Acceptance::CounterWentBack { passkey_id } => Verdict::Refused(Refusal::Counter(passkey_id)),
                });
            }
        };
        Ok(if is_accepted { Verdict::Accepted(AcceptedFactor::Code) } else { Verdict::Refused(Refusal::Code) })
    }
}

async fn uses_totp(work: &UnitOfWork<'_>, user: &Locked, code: &TotpCode) -> Result<bool> {
    let factor = totp_factor::find(work.db(), user.id).await?;
    let Some(factor) = factor.filter(totp_factor::Model::is_confirmed) else { return Ok(false) };
    match secret_of(work, &factor)?.matching_step(code, work.now, factor.last_step) {
        Some(step) => Ok(totp_factor::advance(work.db(), &factor, step).await?),
        None => Ok(false),
    }
}

/// Opens the secret of a factor.
pub(super) fn secret_of(work: &UnitOfWork<'_>, factor: &totp_factor::Model) -> Result<TotpSecret> {
    let secret = work.app().totp_sealer.open(factor.user_id, &factor.sealed());
    secret.and_then(|bytes| TotpSecret::from_bytes(&bytes)).ok_or_else(|| {
        Error::internal("the key of a TOTP secret is unknown: set SECRET_KEY_PREVIOUS to the secret that sealed it")
    })
}
