//! `register`.

use async_graphql::{Context, InputObject, Object, SimpleObject};

use crate::{
    domain::users::registration::{Registered, Registration, register},
    graphql::{
        Nullable,
        context::ContextExt,
        schema::{
            sessions::{AuthPayload, TOKEN_TYPE, TokenDelivery},
            users::User,
        },
    },
};

#[derive(Debug, Default)]
pub(in crate::graphql) struct RegisterMutation;

#[Object]
impl RegisterMutation {
    /// Create an account and sign in. If `serverInfo.emailVerificationRequired`, the user is not signed in: they use
    /// the link in the mail, then `login`.
    /// Codes: REQUIRED, TOO_LONG, INVALID_USERNAME, INVALID_EMAIL, USERNAME_TAKEN, EMAIL_TAKEN, PASSWORD_TOO_SHORT,
    /// PASSWORD_TOO_LONG, PASSWORD_TOO_COMMON, REGISTRATION_DISABLED, RATE_LIMITED, SERVICE_UNAVAILABLE.
    async fn register(&self, ctx: &Context<'_>, input: RegisterInput) -> Nullable<RegisterPayload> {
        let new_session = input.token_delivery.open(ctx);
        let registered = register(ctx.domain(), input.into(), new_session).await;
        Some(registered.map(|registered| RegisterPayload::of(ctx, registered)))
    }
}

/// A new user.
#[derive(InputObject)]
pub struct RegisterInput {
    /// 1 to 64 letters (A-Z), digits, `_` and `-`, not starting with `-`. Unique and case-insensitive.
    username: String,
    /// 8 to 128 characters of any kind. Common passwords, and the user's own name or address, are refused.
    #[graphql(secret)]
    password: String,
    /// Required if `serverInfo.emailRequired`.
    email: Option<String>,
    /// Given name, at most 100 characters.
    first_name: Option<String>,
    /// Family name, at most 100 characters.
    last_name: Option<String>,
    /// How refresh tokens are delivered, for the lifetime of the session.
    #[graphql(default)]
    token_delivery: TokenDelivery,
}

impl From<RegisterInput> for Registration {
    fn from(input: RegisterInput) -> Self {
        Self {
            username: input.username,
            password: input.password.into(),
            email: input.email,
            first_name: input.first_name,
            last_name: input.last_name,
        }
    }
}

/// The new user and the tokens of the session. The tokens are null if the e-mail address must be verified before the
/// first login.
#[derive(SimpleObject)]
pub struct RegisterPayload {
    /// JWT for the header `Authorization: Bearer …`.
    pub(super) access_token: Option<String>,
    /// Always `Bearer`.
    pub(super) token_type: Option<&'static str>,
    /// Seconds until the access token expires.
    pub(super) expires_in: Option<i64>,
    /// Only with `tokenDelivery: BODY`. With the default, COOKIE, the token is in an HttpOnly cookie instead.
    pub(super) refresh_token: Option<String>,
    /// The new user. They are signed in if there is an access token.
    pub(super) user: User,
}

impl RegisterPayload {
    pub(super) fn of(ctx: &Context<'_>, registered: Registered) -> Self {
        match registered {
            Registered::SignedIn(sign_in) => AuthPayload::of(ctx, *sign_in).into(),
            Registered::Unverified(user) => User::from(*user).into(),
        }
    }
}

impl From<AuthPayload> for RegisterPayload {
    fn from(payload: AuthPayload) -> Self {
        Self {
            access_token: Some(payload.access_token),
            token_type: Some(payload.token_type),
            expires_in: Some(payload.expires_in),
            refresh_token: payload.refresh_token,
            user: payload.user,
        }
    }
}

impl From<User> for RegisterPayload {
    fn from(user: User) -> Self {
        Self { access_token: None, token_type: Some(TOKEN_TYPE), expires_in: None, refresh_token: None, user }
    }
}
