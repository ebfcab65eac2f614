//! Checking a second factor.

use crate::{
    Error, Result,
    config::SecretString,
    domain::UnitOfWork,
    entity::{recovery_code, totp_factor, user::Locked},
    error::MfaMethod,
    security::{
        recovery_code::RecoveryCode,
        totp::{TotpCode, TotpSecret},
    },
};

/// A second factor as a user entered it.
#[derive(Clone, Debug)]
pub enum Factor {
    /// A code of an authenticator app.
    Totp(SecretString),
    /// A recovery code.
    RecoveryCode(SecretString),
}

/// A second factor that has the form of a code.
#[derive(Debug)]
pub(in crate::domain) enum ParsedFactor {
    Totp(TotpCode),
    RecoveryCode(RecoveryCode),
}

impl Factor {
    /// A code of either kind. A text of six digits is a code of an authenticator app, any other is a recovery code.
    #[must_use]
    pub fn of_text(text: SecretString) -> Self {
        if TotpCode::parse(&text).is_some() { Self::Totp(text) } else { Self::RecoveryCode(text) }
    }

    /// Parses the code. A text that is no code needs no check, and is not counted as an attempt.
    ///
    /// # Errors
    /// MFA_CODE_INVALID.
    pub(in crate::domain) fn parse(&self) -> Result<ParsedFactor> {
        let parsed = match self {
            Self::Totp(text) => TotpCode::parse(text).map(ParsedFactor::Totp),
            Self::RecoveryCode(text) => RecoveryCode::parse(text).map(ParsedFactor::RecoveryCode),
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
        }
    }

    /// Uses the code. Returns false if it is incorrect or was used before.
    ///
    /// # Errors
    /// Internal if the key of a TOTP secret is unknown.
    pub(in crate::domain) async fn is_accepted(&self, work: &UnitOfWork<'_>, user: &Locked) -> Result<bool> {
        match self {
            Self::Totp(code) => {
                let factor = totp_factor::find(work.db(), user.id).await?;
                let Some(factor) = factor.filter(totp_factor::Model::is_confirmed) else { return Ok(false) };
                match secret_of(work, &factor)?.matching_step(code, work.now, factor.last_step) {
                    Some(step) => Ok(totp_factor::advance(work.db(), &factor, step).await?),
                    None => Ok(false),
                }
            }
            Self::RecoveryCode(code) => Ok(recovery_code::take(work.db(), user.id, code.hash()).await?),
        }
    }
}

/// Opens the secret of a factor.
pub(super) fn secret_of(work: &UnitOfWork<'_>, factor: &totp_factor::Model) -> Result<TotpSecret> {
    let secret = work.app().totp_sealer.open(factor.user_id, &factor.sealed());
    secret.and_then(|bytes| TotpSecret::from_bytes(&bytes)).ok_or_else(|| {
        Error::internal("the key of a TOTP secret is unknown: set SECRET_KEY_PREVIOUS to the secret that sealed it")
    })
}
