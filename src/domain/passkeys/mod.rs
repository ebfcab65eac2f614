//! Passkeys: how they are added, used and removed.
//!
//! [`crate::security::webauthn`] verifies what clients send. This module owns the rules: a passkey belongs to one user, each
//! ceremony succeeds once, and a user cannot delete the last way to sign in. An authenticator verifies its user, so a passkey is
//! two factors: sign-ins with it need no challenge. It is also a second factor after a password.

mod assertion;
mod login;
mod management;
mod names;
mod new_account;
mod registration;
mod verification;

use std::collections::HashMap;

pub use assertion::Assertion;
pub(in crate::domain) use assertion::{Acceptance, ParsedAssertion};
pub use login::{finish as finish_login, start as start_login};
pub(in crate::domain) use management::remove_unproven;
pub use management::{Deleted, delete, rename};
pub use new_account::{Created, NewAccount, finish as finish_new_account, start as start_new_account};
pub use registration::{Added, Registration, finish as finish_registration, start as start_registration};
use serde::Serialize;
use uuid::Uuid;
pub use verification::{start as start_verification, start_for_challenge};

use crate::{
    Error, Result,
    domain::{
        Context, Principal, UnitOfWork,
        users::administration::{Administrator, may_read},
    },
    entity::passkey::{self, Model},
    security::webauthn::{Ceremony, CredentialDescriptor, RequestOptions, VerificationError},
};

pub use crate::entity::passkey::MAX_PASSKEYS;

/// A ceremony that was started.
#[derive(Debug)]
pub struct Started {
    /// The client returns it with the response of the authenticator.
    pub ceremony_token: String,
    /// The options for the client: a `PublicKeyCredentialCreationOptionsJSON` or a `PublicKeyCredentialRequestOptionsJSON`.
    pub options: serde_json::Value,
}

impl Started {
    fn new(ceremony_token: String, options: impl Serialize) -> Result<Self> {
        Ok(Self { ceremony_token, options: serde_json::to_value(options).map_err(Error::internal)? })
    }

    /// Starts a ceremony that uses a passkey. If `allowed` is empty, any passkey can be used.
    fn request(context: &Context, ceremony: Ceremony, allowed: Vec<CredentialDescriptor>) -> Result<Self> {
        let rp_id = &context.settings().passkeys.rp_id;
        let started = context.app.passkey_ceremonies.start(ceremony, rp_id, context.now())?;
        Self::new(started.token, RequestOptions::new(rp_id, &started.challenge, allowed))
    }
}

/// Logs why a response was refused. Clients are not told: a correct client causes none of the reasons.
fn refused(reason: VerificationError) -> Error {
    tracing::debug!(%reason, "a passkey was refused");
    Error::PasskeyInvalid
}

fn descriptors(passkeys: Vec<Model>) -> Vec<CredentialDescriptor> {
    let descriptor = |passkey: Model| {
        let transports = passkey.known_transports();
        CredentialDescriptor::new(passkey.credential_id, transports)
    };
    passkeys.into_iter().map(descriptor).collect()
}

/// The passkeys of a user after a change, for the authenticators of the user: the argument of
/// `PublicKeyCredential.signalAllAcceptedCredentials` (WebAuthn §5.1.10).
#[derive(Debug)]
pub struct AcceptedCredentials {
    /// The RP id.
    pub rp_id: String,
    /// The user.
    pub user_id: Uuid,
    /// The ids of all credentials of the user.
    pub credential_ids: Vec<Vec<u8>>,
}

impl AcceptedCredentials {
    /// Reads the passkeys of a locked user.
    async fn of(work: &UnitOfWork<'_>, user_id: Uuid) -> Result<Self> {
        let passkeys = passkey::list(work.db(), user_id).await?;
        let credential_ids = passkeys.into_iter().map(|passkey| passkey.credential_id).collect();
        Ok(Self { rp_id: work.app().settings.passkeys.rp_id.clone(), user_id, credential_ids })
    }
}

/// Lists the passkeys of a user, oldest first, at most [`MAX_PASSKEYS`].
///
/// # Errors
/// NOT_FOUND for another user, except for administrators.
pub async fn list(context: &Context, principal: &Principal, user_id: Uuid) -> Result<Vec<Model>> {
    if !may_read(context, principal, user_id) {
        return Err(Error::NotFound);
    }
    Ok(passkey::list(context.app.database.read(), user_id).await?)
}

/// Lists the passkeys of each of these users, oldest first, by the id of the user.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub async fn list_many(context: &Context, _: &Administrator, user_ids: &[Uuid]) -> Result<HashMap<Uuid, Vec<Model>>> {
    let mut lists = HashMap::<Uuid, Vec<Model>>::new();
    for passkey in passkey::list_of_many(context.app.database.read(), user_ids).await? {
        lists.entry(passkey.user_id).or_default().push(passkey);
    }
    Ok(lists)
}

/// Finds a passkey of the signed-in user, or of any user for administrators.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub async fn find(context: &Context, principal: &Principal, id: Uuid) -> Result<Option<Model>> {
    let found = passkey::find_by_id(context.app.database.read(), id).await?;
    Ok(found.filter(|passkey| may_read(context, principal, passkey.user_id)))
}
