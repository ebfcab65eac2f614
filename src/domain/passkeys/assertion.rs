//! The use of a passkey: the response to request options.

use uuid::Uuid;

use super::refused;
use crate::{
    Error, Result,
    config::Settings,
    database::error::is_unique_violation,
    domain::{Context, UnitOfWork},
    entity::{
        passkey::{self, Model},
        spent_challenge,
        user::Locked,
    },
    security::{
        link_token::TokenHash,
        webauthn::{
            AuthenticationResponse, Ceremony, RelyingParty, StoredCredential, UserHandlePolicy, VerificationError,
            VerifiedAuthentication, VerifiedCeremony, verify_authentication,
        },
    },
};

/// A response as a client sent it.
#[derive(Clone, Debug)]
pub struct Assertion {
    /// The token of the ceremony.
    pub ceremony_token: String,
    /// An `AuthenticationResponseJSON`.
    pub credential: serde_json::Value,
}

/// A response that has the right form. Nothing else has been verified.
#[derive(Debug)]
pub(in crate::domain) struct ParsedAssertion {
    ceremony_token: String,
    response: AuthenticationResponse,
}

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::domain) enum Acceptance {
    /// The passkey was used.
    Accepted {
        /// Whether it is backed up, so that its key is not bound to hardware.
        is_backed_up: bool,
    },
    /// The response is not valid.
    Refused,
    /// The response is valid, but its counter went back: the authenticator may have been cloned.
    CounterWentBack {
        /// The passkey.
        passkey_id: Uuid,
    },
}

impl Assertion {
    /// Parses the response.
    ///
    /// # Errors
    /// PASSKEY_INVALID.
    pub(in crate::domain) fn parse(&self) -> Result<ParsedAssertion> {
        let response = AuthenticationResponse::parse(&self.credential).map_err(refused)?;
        Ok(ParsedAssertion { ceremony_token: self.ceremony_token.clone(), response })
    }
}

impl ParsedAssertion {
    fn credential_hash(&self) -> TokenHash {
        TokenHash::of_credential_id(&self.response.credential_id)
    }

    fn ceremony(&self, context: &Context, expected: Ceremony) -> Result<VerifiedCeremony, VerificationError> {
        let rp_id = &context.settings().passkeys.rp_id;
        context.app.passkey_ceremonies.verify(&self.ceremony_token, expected, rp_id, context.now())
    }

    fn verify(
        &self,
        settings: &Settings,
        ceremony: &VerifiedCeremony,
        passkey: &Model,
        user_handle: UserHandlePolicy,
    ) -> Result<VerifiedAuthentication, VerificationError> {
        let stored = StoredCredential {
            id: &passkey.credential_id,
            public_key: &passkey.public_key,
            counter: u32::try_from(passkey.counter).unwrap_or(u32::MAX),
            is_backup_eligible: passkey.is_backup_eligible,
            user_id: passkey.user_id,
        };
        let origins = settings.passkeys.origins();
        let relying_party = RelyingParty { id: &settings.passkeys.rp_id, origins: &origins };
        verify_authentication(&self.response, &ceremony.challenge, relying_party, &stored, user_handle)
    }

    /// Finds the user of a sign-in. Verifies the response except for its counter, so that requests without a passkey neither
    /// lock nor write anything; [`ParsedAssertion::accept`] verifies it again.
    ///
    /// # Errors
    /// PASSKEY_INVALID.
    pub(super) async fn identify(&self, context: &Context) -> Result<Uuid> {
        let ceremony = self.ceremony(context, Ceremony::Login).map_err(refused)?;
        let passkey = passkey::find(context.app.database.read(), &self.credential_hash()).await?;
        let passkey = passkey.ok_or_else(|| refused(VerificationError::CredentialId))?;
        match self.verify(context.settings(), &ceremony, &passkey, UserHandlePolicy::Required) {
            Ok(_) | Err(VerificationError::Counter { .. }) => Ok(passkey.user_id),
            Err(reason) => Err(refused(reason)),
        }
    }

    /// Checks the response for a ceremony of a locked user, and uses up the ceremony. Of several requests with one ceremony
    /// token, one is accepted.
    ///
    /// # Errors
    /// PASSKEY_INVALID if the ceremony was used before; the unit of work must be rolled back then.
    pub(in crate::domain) async fn accept(
        &self,
        work: &UnitOfWork<'_>,
        user: &Locked,
        ceremony: Ceremony,
    ) -> Result<Acceptance> {
        let user_handle = match ceremony {
            Ceremony::Login => UserHandlePolicy::Required,
            _ => UserHandlePolicy::Optional,
        };
        let refuse = |reason| {
            let _ = refused(reason);
            Ok(Acceptance::Refused)
        };
        let ceremony = match self.ceremony(work.context, ceremony) {
            Ok(ceremony) => ceremony,
            Err(reason) => return refuse(reason),
        };
        let passkey = passkey::find(work.db(), &self.credential_hash()).await?;
        // The list of allowed credentials has those of the user.
        let Some(passkey) = passkey.filter(|passkey| passkey.user_id == user.id) else {
            return refuse(VerificationError::CredentialId);
        };
        let verified = match self.verify(&work.app().settings, &ceremony, &passkey, user_handle) {
            Ok(verified) => verified,
            Err(reason @ VerificationError::Counter { .. }) => {
                let _ = refused(reason);
                return Ok(Acceptance::CounterWentBack { passkey_id: passkey.id });
            }
            Err(reason) => return refuse(reason),
        };
        spend(work, &ceremony).await?;
        let counters = (passkey.counter, i64::from(verified.counter));
        // False if a request on another instance has used or deleted it, which the lock of the user rules out.
        if !passkey::record_use(work.db(), passkey.id, counters, verified.is_backed_up, work.now).await? {
            return Err(Error::PasskeyInvalid);
        }
        Ok(Acceptance::Accepted { is_backed_up: verified.is_backed_up })
    }
}

/// Uses up a ceremony.
///
/// # Errors
/// PASSKEY_INVALID if it was used before; the unit of work must be rolled back then.
pub(super) async fn spend(work: &UnitOfWork<'_>, ceremony: &VerifiedCeremony) -> Result<()> {
    match spent_challenge::spend(work.db(), Uuid::from_bytes(ceremony.nonce), ceremony.expires_at).await {
        Ok(()) => Ok(()),
        Err(error) if is_unique_violation(&error) => {
            tracing::debug!("a passkey was refused: its ceremony was used before");
            Err(Error::PasskeyInvalid)
        }
        Err(error) => Err(error.into()),
    }
}
