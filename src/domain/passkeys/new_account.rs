//! Registration of an account that has a passkey and no password.
//!
//! The start counts as a registration and checks the form, before an authenticator creates a passkey that would be of no use. The
//! ceremony token contains a hash of the form, so the end needs no count of its own: it accepts no other username and address.

use super::{
    Started,
    assertion::spend,
    refused,
    registration::{self as passkey_registration, Registration},
};
use crate::{
    Result,
    config::SecretString,
    domain::{
        Context, Event,
        sessions::NewSession,
        sign_in, throttle,
        users::{
            form::{self, NewUser, ParsedProfile, ProfileForm},
            registration::{self, Registered},
        },
    },
    entity::{passkey::Model, recovery_code, session::AuthenticationMethods, user},
    security::{
        random,
        recovery_code::RecoveryCode,
        webauthn::{Ceremony, CreationOptions, FormHash, PasskeyUser, VerifiedCeremony},
    },
};

/// The form of a new account.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// Unique, case-insensitive.
    pub username: String,
    /// Unique, if given.
    pub email: Option<String>,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
}

/// A new account with its passkey. It does not implement `Debug`, because it may contain tokens.
pub struct Created {
    /// The user, who is signed in unless the address must be verified first.
    pub registered: Registered,
    /// The passkey.
    pub passkey: Model,
    /// The recovery codes, which are shown this once.
    pub recovery_codes: Vec<SecretString>,
}

impl NewAccount {
    fn parse(&self, context: &Context) -> Result<ParsedProfile> {
        let profile = ProfileForm {
            username: &self.username,
            email: self.email.as_deref(),
            first_name: self.first_name.as_deref(),
            last_name: self.last_name.as_deref(),
        };
        form::parse_profile(profile, context.settings())
    }
}

/// The values that the start has checked.
fn form_hash(profile: &ParsedProfile) -> FormHash {
    FormHash::of(&[&profile.username.key, profile.email.as_ref().map_or("", |email| &email.key)])
}

/// Starts a registration. It is counted, but creates nothing.
///
/// # Errors
/// REGISTRATION_DISABLED; all problems of the form; if there are none, RATE_LIMITED, then USERNAME_TAKEN and EMAIL_TAKEN.
pub async fn start(context: &Context, form: &NewAccount) -> Result<Started> {
    registration::check_enabled(context)?;
    let profile = form.parse(context)?;
    registration::check_reserved(context, &profile.username.key)?;
    throttle::book_registration(context).await?;
    registration::check_free(&context.app, &profile).await?;

    let rp_id = &context.settings().passkeys.rp_id;
    let user_id = random::id(context.now())?;
    let ceremony = Ceremony::CreateAccount { user_id, form: form_hash(&profile) };
    let started = context.app.passkey_ceremonies.start(ceremony, rp_id, context.now())?;
    let username = &profile.username.text;
    let names: Vec<&str> =
        [&profile.first_name, &profile.last_name].into_iter().flatten().map(String::as_str).collect();
    let display_name = if names.is_empty() { username.clone() } else { names.join(" ") };
    let passkey_user = PasskeyUser::new(user_id, username, display_name);
    let name = context.settings().brand.name_or(rp_id);
    let options = CreationOptions::new(rp_id, name, passkey_user, &started.challenge, Vec::new());
    Started::new(started.token, options)
}

/// Creates the account with its passkey and ten recovery codes, and signs in, unless the address must be verified first. If
/// several requests finish one ceremony at the same time, one of them creates the account.
///
/// # Errors
/// REGISTRATION_DISABLED; all problems of the form; TOO_LONG, BAD_USER_INPUT (the name of the passkey); PASSKEY_INVALID, also
/// if the username or the address differs from that of the start; USERNAME_TAKEN and EMAIL_TAKEN if another account was created
/// in the meantime.
pub async fn finish(
    context: &Context,
    form: &NewAccount,
    response: &Registration,
    new_session: NewSession,
) -> Result<Created> {
    registration::check_enabled(context)?;
    let profile = form.parse(context)?;
    let name = response.parse_name()?;
    let rp_id = &context.settings().passkeys.rp_id;
    let ceremonies = &context.app.passkey_ceremonies;
    let token = &response.ceremony_token;
    let verified = ceremonies.verify_new_account(token, form_hash(&profile), rp_id, context.now());
    let (user_id, ceremony) = verified.map_err(refused)?;
    let passkey = response.verify(context, user_id, &ceremony, name)?;
    let new_user = NewUser::without_password(context, user_id, profile)?;
    Box::pin(create(context, new_user, passkey, ceremony, new_session)).await
}

async fn create(
    context: &Context,
    new_user: NewUser,
    passkey: Model,
    ceremony: VerifiedCeremony,
    new_session: NewSession,
) -> Result<Created> {
    let codes = RecoveryCode::generate_all()?;
    let signs_in = !context.settings().registration.require_verified_email;
    let replaced = if signs_in { new_session.replaced(context).await? } else { None };
    let mut work = context.begin().await?;
    if let Some(replaced) = replaced {
        let users = user::lock_all(work.db(), vec![replaced.user_id]).await?;
        replaced.end(&mut work, &users).await?;
    }
    // Before the user is inserted, so that a second request with the same ceremony does not fail with USERNAME_TAKEN.
    let spent = spend(&work, &ceremony).await;
    let (work, ()) = work.or_rollback(spent).await?;
    let roles = context.settings().registration.default_roles.clone();
    let (work, mut user) = registration::insert(work, new_user, roles, true).await?;
    let passkey = Model { created_at: work.now, ..passkey };
    let inserted = passkey_registration::insert(&work, &passkey).await;
    let (mut work, ()) = work.or_rollback(inserted).await?;
    recovery_code::replace(work.db(), user.id, codes.iter().map(RecoveryCode::hash), work.now).await?;
    let event = registration::book_mail(&work, &user).await?;
    let added = Event::PasskeyAdded { user: user.to_model().into(), passkey_id: passkey.id };
    let registered = if signs_in {
        let amr = AuthenticationMethods::passkey(passkey.is_backed_up);
        let entered = sign_in::enter_new_account_with_passkey(&mut work, &mut user, &new_session, event, amr).await?;
        work.emit(added);
        work.commit().await?;
        Registered::SignedIn(entered.issue_tokens(&context.app)?.into())
    } else {
        work.emit(event);
        work.emit(added);
        work.commit().await?;
        Registered::Unverified(Box::new(user.into()))
    };
    Ok(Created { registered, passkey, recovery_codes: codes.iter().map(RecoveryCode::to_text).collect() })
}
