//! Adding passkeys to an account, and creating accounts with a passkey.

use async_graphql::{Context, InputObject, Object, SimpleObject};

use crate::{
    Result,
    config::{ExposeSecret, SecretString},
    domain::passkeys::{self, NewAccount, Registration},
    graphql::{
        Nullable,
        context::ContextExt,
        schema::{
            passkeys::{AcceptedCredentials, Passkey, PasskeyOptionsPayload},
            registration::RegisterPayload,
            scalars::Json,
            sessions::TokenDelivery,
            users::User,
        },
    },
};

#[derive(Debug, Default)]
pub(in crate::graphql) struct PasskeyRegistrationMutation;

#[Object]
impl PasskeyRegistrationMutation {
    /// Start to add a passkey to the account of the signed-in user; `finishPasskeyRegistration` adds it, within 15 minutes. The last
    /// sign-in or `reauthenticate` must be less than 10 minutes ago, with the second factor if there is one. With `input`, start to
    /// create an account without a password; `registerWithPasskey` creates it. Public in this case.
    /// Codes: PASSKEY_LIMIT_REACHED, REAUTHENTICATION_REQUIRED, UNAUTHENTICATED (without `input`); REQUIRED, TOO_LONG,
    /// INVALID_USERNAME, INVALID_EMAIL, USERNAME_TAKEN, EMAIL_TAKEN, REGISTRATION_DISABLED, RATE_LIMITED (with `input`);
    /// SERVICE_UNAVAILABLE.
    async fn start_passkey_registration(
        &self,
        ctx: &Context<'_>,
        input: Option<StartPasskeyRegistrationInput>,
    ) -> Nullable<PasskeyOptionsPayload> {
        Some(Box::pin(start_registration(ctx, input)).await)
    }

    /// Add the passkey that the browser created. It can be used to sign in, and as the second factor after the password, which
    /// every sign-in with the password needs from now on. The current session counts as signed in with it. The user is notified
    /// by mail.
    /// Codes: PASSKEY_INVALID, PASSKEY_LIMIT_REACHED, TOO_LONG, BAD_USER_INPUT, REAUTHENTICATION_REQUIRED, UNAUTHENTICATED,
    /// SERVICE_UNAVAILABLE.
    async fn finish_passkey_registration(
        &self,
        ctx: &Context<'_>,
        input: FinishPasskeyRegistrationInput,
    ) -> Nullable<FinishPasskeyRegistrationPayload> {
        Some(Box::pin(finish_registration(ctx, input)).await)
    }

    /// Create an account that has the passkey that the browser created, and no password, and sign in. If
    /// `serverInfo.emailVerificationRequired`, the user is not signed in: they use the link in the mail, then the passkey.
    /// Codes: PASSKEY_INVALID (also if `username` or `email` is not that of `startPasskeyRegistration`), REQUIRED, TOO_LONG,
    /// INVALID_USERNAME, INVALID_EMAIL, USERNAME_TAKEN, EMAIL_TAKEN, BAD_USER_INPUT, REGISTRATION_DISABLED, SERVICE_UNAVAILABLE.
    async fn register_with_passkey(
        &self,
        ctx: &Context<'_>,
        input: RegisterWithPasskeyInput,
    ) -> Nullable<RegisterWithPasskeyPayload> {
        Some(Box::pin(register(ctx, input)).await)
    }
}

async fn start_registration(
    ctx: &Context<'_>,
    input: Option<StartPasskeyRegistrationInput>,
) -> Result<PasskeyOptionsPayload> {
    let started = match input {
        Some(input) => passkeys::start_new_account(ctx.domain(), &input.into()).await?,
        None => passkeys::start_registration(ctx.domain(), ctx.enrolling_principal().await?).await?,
    };
    Ok(started.into())
}

async fn finish_registration(
    ctx: &Context<'_>,
    input: FinishPasskeyRegistrationInput,
) -> Result<FinishPasskeyRegistrationPayload> {
    let FinishPasskeyRegistrationInput { ceremony_token, credential, name } = input;
    let registration = Registration { ceremony_token, credential: credential.0, name };
    let added = passkeys::finish_registration(ctx.domain(), ctx.enrolling_principal().await?, &registration).await?;
    Ok(FinishPasskeyRegistrationPayload {
        user: added.user.into(),
        passkey: added.passkey.into(),
        recovery_codes: added.recovery_codes.map(|codes| exposed(&codes)),
        accepted_credentials: added.accepted_credentials.into(),
    })
}

async fn register(ctx: &Context<'_>, input: RegisterWithPasskeyInput) -> Result<RegisterWithPasskeyPayload> {
    let new_session = input.token_delivery.open(ctx);
    let RegisterWithPasskeyInput {
        ceremony_token,
        credential,
        username,
        email,
        first_name,
        last_name,
        passkey_name,
        ..
    } = input;
    let form = NewAccount { username, email, first_name, last_name };
    let registration = Registration { ceremony_token, credential: credential.0, name: passkey_name };
    let created = passkeys::finish_new_account(ctx.domain(), &form, &registration, new_session).await?;
    let RegisterPayload { access_token, token_type, expires_in, refresh_token, user } =
        RegisterPayload::of(ctx, created.registered);
    Ok(RegisterWithPasskeyPayload {
        access_token,
        token_type,
        expires_in,
        refresh_token,
        user,
        passkey: created.passkey.into(),
        recovery_codes: exposed(&created.recovery_codes),
    })
}

fn exposed(codes: &[SecretString]) -> Vec<String> {
    codes.iter().map(|code| code.expose_secret().to_owned()).collect()
}

/// A new user, who will have a passkey and no password.
#[derive(InputObject)]
pub struct StartPasskeyRegistrationInput {
    /// 1 to 64 letters (A-Z), digits, `_` and `-`, not starting with `-`. Unique and case-insensitive.
    username: String,
    /// Required if `serverInfo.emailRequired`.
    email: Option<String>,
    /// Given name, at most 100 characters.
    first_name: Option<String>,
    /// Family name, at most 100 characters.
    last_name: Option<String>,
}

impl From<StartPasskeyRegistrationInput> for NewAccount {
    fn from(input: StartPasskeyRegistrationInput) -> Self {
        let StartPasskeyRegistrationInput { username, email, first_name, last_name } = input;
        Self { username, email, first_name, last_name }
    }
}

/// The passkey that the browser created.
#[derive(InputObject)]
pub struct FinishPasskeyRegistrationInput {
    /// That of `startPasskeyRegistration`.
    ceremony_token: String,
    /// The result of `credential.toJSON()`.
    credential: Json,
    /// A name for the user, at most 100 characters. By default that of the password manager, if it is known, or of the device.
    name: Option<String>,
}

/// The result of `finishPasskeyRegistration`.
#[derive(SimpleObject)]
pub struct FinishPasskeyRegistrationPayload {
    /// The user, with the passkey.
    user: User,
    /// The passkey.
    passkey: Passkey,
    /// With the first second factor: ten codes, each of which replaces it once. They are shown only now.
    recovery_codes: Option<Vec<String>>,
    /// All passkeys of the user.
    accepted_credentials: AcceptedCredentials,
}

/// A new user, and the passkey that the browser created.
#[derive(InputObject)]
pub struct RegisterWithPasskeyInput {
    /// That of `startPasskeyRegistration`.
    ceremony_token: String,
    /// The result of `credential.toJSON()`.
    credential: Json,
    /// That of `startPasskeyRegistration`.
    username: String,
    /// That of `startPasskeyRegistration`.
    email: Option<String>,
    /// Given name, at most 100 characters.
    first_name: Option<String>,
    /// Family name, at most 100 characters.
    last_name: Option<String>,
    /// A name for the passkey, at most 100 characters. By default that of the password manager, if it is known, or of the device.
    passkey_name: Option<String>,
    /// How refresh tokens are delivered, for the lifetime of the session.
    #[graphql(default)]
    token_delivery: TokenDelivery,
}

/// The new user and the tokens of the session. The tokens are null if the e-mail address must be verified before the
/// first sign-in.
#[derive(SimpleObject)]
pub struct RegisterWithPasskeyPayload {
    /// JWT for the header `Authorization: Bearer …`.
    access_token: Option<String>,
    /// Always `Bearer`.
    token_type: Option<&'static str>,
    /// Seconds until the access token expires.
    expires_in: Option<i64>,
    /// Only with `tokenDelivery: BODY`. With the default, COOKIE, the token is in an HttpOnly cookie instead.
    refresh_token: Option<String>,
    /// The new user. They are signed in if there is an access token. Without one, fields that only the user may read, such as
    /// `mfaMethods`, fail with UNAUTHENTICATED.
    user: User,
    /// The passkey.
    passkey: Passkey,
    /// Ten codes, each of which replaces the passkey once, as the second factor after a password. They are shown only now. A user who
    /// loses the passkey chooses a password by `requestPasswordReset`, and then signs in with it and a code.
    recovery_codes: Vec<String>,
}
