//! Adding a passkey to the account of the signed-in user.

use uuid::Uuid;

use super::{AcceptedCredentials, MAX_PASSKEYS, Started, assertion::spend, descriptors, names::default_name, refused};
use crate::{
    Error, Result,
    config::SecretString,
    database::error::is_unique_violation,
    domain::{Context, Event, Principal, UnitOfWork, identity::parse_name, mfa, sessions, sign_in::proof},
    entity::{
        passkey::{self, Model},
        recovery_code, second_factor, session, user,
    },
    error::{Field, InputError},
    security::{
        link_token::TokenHash,
        random,
        recovery_code::RecoveryCode,
        webauthn::{
            Ceremony, CreationOptions, PasskeyUser, RegisteredCredential, RegistrationResponse, RelyingParty,
            VerifiedCeremony, verify_registration,
        },
    },
};

/// The result of a registration ceremony, as a client sent it.
#[derive(Debug)]
pub struct Registration {
    /// The token of the ceremony.
    pub ceremony_token: String,
    /// A `RegistrationResponseJSON`.
    pub credential: serde_json::Value,
    /// The name of the passkey. `None` for a default.
    pub name: Option<String>,
}

impl Registration {
    /// Parses the name.
    ///
    /// # Errors
    /// TOO_LONG, BAD_USER_INPUT.
    pub(super) fn parse_name(&self) -> Result<Option<String>, InputError> {
        parse_name(self.name.as_deref(), Field::Name)
    }

    /// Verifies the response for the challenge of a ceremony. Returns the passkey, to be inserted.
    ///
    /// # Errors
    /// PASSKEY_INVALID.
    pub(super) fn verify(
        &self,
        context: &Context,
        user_id: Uuid,
        ceremony: &VerifiedCeremony,
        name: Option<String>,
    ) -> Result<Model> {
        let settings = &context.settings().passkeys;
        let response = RegistrationResponse::parse(&self.credential).map_err(refused)?;
        let origins = settings.origins();
        let relying_party = RelyingParty { id: &settings.rp_id, origins: &origins };
        let credential = verify_registration(&response, &ceremony.challenge, relying_party).map_err(refused)?;
        let name = name.unwrap_or_else(|| default_name(credential.aaguid, context.client.user_agent.as_deref()));
        Ok(Model {
            id: random::id(context.now())?,
            user_id,
            credential_hash: TokenHash::of_credential_id(&credential.id),
            transports: transports(&credential),
            credential_id: credential.id,
            public_key: credential.public_key,
            counter: credential.counter.into(),
            is_backup_eligible: credential.is_backup_eligible,
            is_backed_up: credential.is_backed_up,
            aaguid: credential.aaguid,
            name,
            created_at: context.now(),
            last_used_at: None,
        })
    }
}

/// A passkey that was added.
#[derive(Debug)]
pub struct Added {
    /// The user.
    pub user: user::Model,
    /// The passkey.
    pub passkey: Model,
    /// With the first second factor: the recovery codes, which are shown this once.
    pub recovery_codes: Option<Vec<SecretString>>,
    /// All passkeys of the user.
    pub accepted_credentials: AcceptedCredentials,
}

/// Starts to add a passkey. Writes nothing.
///
/// # Errors
/// REAUTHENTICATION_REQUIRED, PASSKEY_LIMIT_REACHED.
pub async fn start(context: &Context, principal: &Principal) -> Result<Started> {
    proof::check_fresh(context, principal).await?;
    let user = &principal.user;
    let passkeys = passkey::list(context.app.database.read(), user.id).await?;
    if is_full(u64::try_from(passkeys.len()).unwrap_or(u64::MAX)) {
        return Err(Error::PasskeyLimitReached);
    }
    let rp_id = &context.settings().passkeys.rp_id;
    let ceremony = ceremony_of(principal);
    let started = context.app.passkey_ceremonies.start(ceremony, rp_id, context.now())?;
    let display_name = user.full_name().unwrap_or_else(|| user.username.clone());
    let passkey_user = PasskeyUser::new(user.id, &user.username, display_name);
    let name = context.settings().brand.name_or(rp_id);
    let options = CreationOptions::new(rp_id, name, passkey_user, &started.challenge, descriptors(passkeys));
    Started::new(started.token, options)
}

fn ceremony_of(principal: &Principal) -> Ceremony {
    Ceremony::Register { user_id: principal.user.id, session_id: principal.session.id }
}

fn is_full(count: u64) -> bool {
    count >= MAX_PASSKEYS
}

/// Adds a passkey. The session counts as signed in with it. If it is the first second factor and a role of the user requires one,
/// all other sessions end, as with an authenticator app.
///
/// # Errors
/// PASSKEY_INVALID, also if the ceremony was used before or has expired, or if the credential is registered already;
/// PASSKEY_LIMIT_REACHED; TOO_LONG, BAD_USER_INPUT (the name); REAUTHENTICATION_REQUIRED if a second factor was set up since the
/// start and this session has not confirmed it. UNAUTHENTICATED if the session has ended in the meantime.
pub async fn finish(context: &Context, principal: &Principal, registration: &Registration) -> Result<Added> {
    let name = registration.parse_name()?;
    let rp_id = &context.settings().passkeys.rp_id;
    let token = &registration.ceremony_token;
    let ceremony = context.app.passkey_ceremonies.verify(token, ceremony_of(principal), rp_id, context.now());
    let ceremony = ceremony.map_err(refused)?;
    let passkey = registration.verify(context, principal.user.id, &ceremony, name)?;
    Box::pin(add(context, principal, passkey, ceremony)).await
}

fn transports(credential: &RegisteredCredential) -> String {
    let names: Vec<&str> = credential.transports.iter().map(|transport| transport.as_str()).collect();
    names.join(" ")
}

async fn add(context: &Context, principal: &Principal, passkey: Model, ceremony: VerifiedCeremony) -> Result<Added> {
    let codes = RecoveryCode::generate_all()?;
    let (work, mut user) = context.begin_as(principal).await?;
    let inserted = add_in(&work, principal, &passkey, &ceremony).await;
    let (mut work, is_first) = work.or_rollback(inserted).await?;
    if is_first {
        recovery_code::replace(work.db(), user.id, codes.iter().map(RecoveryCode::hash), work.now).await?;
    }
    let amr = principal.session.amr.clone().with_passkey(passkey.is_backed_up);
    session::set_second_factor(work.db(), principal.session.id, amr, work.now).await?;
    mfa::invalidate_proofs(&work, user.id).await?;
    if is_first
        && mfa::is_required(context.settings(), &user)
        && sessions::end_all(&work, &mut user, Some(principal.session.id)).await? > 0
    {
        work.emit(Event::SessionRevoked { user_id: user.id });
    }
    let accepted_credentials = AcceptedCredentials::of(&work, user.id).await?;
    work.emit(Event::PasskeyAdded { user: user.to_model().into(), passkey_id: passkey.id });
    work.commit().await?;
    let recovery_codes = is_first.then(|| codes.iter().map(RecoveryCode::to_text).collect());
    Ok(Added { user: user.into(), passkey, recovery_codes, accepted_credentials })
}

/// Uses up the ceremony, and inserts a passkey of the locked user. Returns whether it is the first second factor.
async fn add_in(
    work: &UnitOfWork<'_>,
    principal: &Principal,
    passkey: &Model,
    ceremony: &VerifiedCeremony,
) -> Result<bool> {
    let user_id = passkey.user_id;
    let is_first = !second_factor::exists(work.db(), user_id).await?;
    if !is_first && principal.session.second_factor_at.is_none() {
        return Err(Error::ReauthenticationRequired { needs_second_factor: true });
    }
    if is_full(passkey::count(work.db(), user_id).await?) {
        return Err(Error::PasskeyLimitReached);
    }
    spend(work, ceremony).await?;
    insert(work, passkey).await?;
    Ok(is_first)
}

/// Inserts a passkey.
///
/// # Errors
/// PASSKEY_INVALID if the credential is registered already; the unit of work must be rolled back then.
pub(super) async fn insert(work: &UnitOfWork<'_>, passkey: &Model) -> Result<()> {
    match passkey::insert(work.db(), passkey.clone()).await {
        Ok(()) => Ok(()),
        Err(error) if is_unique_violation(&error) => {
            tracing::debug!("a passkey was refused: its credential is registered already");
            Err(Error::PasskeyInvalid)
        }
        Err(error) => Err(error.into()),
    }
}
