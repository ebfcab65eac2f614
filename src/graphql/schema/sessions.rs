//! Sessions: the payload of a sign-in, `refreshToken`, `logout`, `revokeSession`, `revokeOtherSessions`.

use std::future::{Ready, ready};

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};

use crate::{
    Error, Result,
    config::ExposeSecret,
    domain::{
        Principal,
        sessions::{self, DeviceToken, Logout, NewSession, PresentedToken, SignIn},
    },
    entity::session::{self, Delivery},
    graphql::{
        Nullable,
        context::{ContextExt, Cookie},
        schema::{scalars::DateTime, users::User},
    },
};

/// The only token type of RFC 6750.
pub(in crate::graphql) const TOKEN_TYPE: &str = "Bearer";

#[derive(Debug, Default)]
pub(in crate::graphql) struct SessionMutation;

#[Object]
impl SessionMutation {
    /// Exchange the refresh token for a new access token and a new refresh token. Without `input`, the HttpOnly cookie
    /// is used. The `Authorization` header is ignored, so an expired access token does no harm.
    /// Codes: SESSION_NOT_FOUND, SESSION_EXPIRED, SESSION_REVOKED, ACCOUNT_DISABLED, EMAIL_NOT_VERIFIED,
    /// SERVICE_UNAVAILABLE. Never UNAUTHENTICATED.
    async fn refresh_token(&self, ctx: &Context<'_>, input: Option<RefreshTokenInput>) -> Nullable<AuthPayload> {
        // The input takes precedence over the cookie.
        let presented = input.map(|input| in_body(input.refresh_token)).or_else(|| in_cookie(ctx));
        let sign_in = sessions::refresh(ctx.domain(), presented).await;
        Some(sign_in.map(|sign_in| AuthPayload::of(ctx, sign_in)))
    }

    /// End the sessions of the access token, the cookie and `refreshToken`, also if the tokens have expired, and clear
    /// the cookie. `everywhere` ends all sessions of the user; it needs a valid access token or a current refresh
    /// token. Without any token, nothing happens.
    /// Codes: UNAUTHENTICATED (only with `everywhere`), SERVICE_UNAVAILABLE.
    async fn logout(&self, ctx: &Context<'_>, input: Option<LogoutInput>) -> Nullable<LogoutPayload> {
        let LogoutInput { everywhere, refresh_token } = input.unwrap_or_default();
        let tokens = refresh_token.map(in_body).into_iter().chain(in_cookie(ctx)).collect();
        let logout = Logout { viewer: ctx.domain().viewer, tokens, everywhere };
        Some(sessions::logout(ctx.domain(), logout).await.map(|revoked_sessions| {
            ctx.clear_cookie(Cookie::RefreshToken);
            LogoutPayload { revoked_sessions }
        }))
    }

    /// End one session of the signed-in user. If it is the current one, the cookie is cleared.
    /// Codes: NOT_FOUND, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
    async fn revoke_session(&self, ctx: &Context<'_>, input: RevokeSessionInput) -> Nullable<RevokeSessionPayload> {
        Some(revoke(ctx, input.session_id).await)
    }

    /// End all other sessions of the signed-in user.
    /// Codes: UNAUTHENTICATED, SERVICE_UNAVAILABLE.
    async fn revoke_other_sessions(&self, ctx: &Context<'_>) -> Nullable<RevokeOtherSessionsPayload> {
        Some(revoke_others(ctx).await)
    }
}

fn in_body(token: String) -> PresentedToken {
    PresentedToken { token: token.into(), delivery: Delivery::Body }
}

fn in_cookie(ctx: &Context<'_>) -> Option<PresentedToken> {
    let token = ctx.request().cookies.refresh_token.clone()?;
    Some(PresentedToken { token, delivery: Delivery::Cookie })
}

async fn revoke(ctx: &Context<'_>, session_id: ID) -> Result<RevokeSessionPayload> {
    let principal = ctx.principal().await?;
    let id = session_id.parse().map_err(|_| Error::NotFound)?;
    sessions::revoke(ctx.domain(), principal, id).await?;
    if id == principal.session.id {
        ctx.clear_cookie_of(principal);
    }
    Ok(RevokeSessionPayload { revoked_session_id: session_id, user: principal.user.clone().into() })
}

async fn revoke_others(ctx: &Context<'_>) -> Result<RevokeOtherSessionsPayload> {
    let principal = ctx.principal().await?;
    let revoked_sessions = sessions::revoke_others(ctx.domain(), principal).await?;
    Ok(RevokeOtherSessionsPayload { revoked_sessions, user: principal.user.clone().into() })
}

/// How refresh tokens are delivered.
#[derive(Clone, Copy, Debug, Default, Enum, PartialEq, Eq)]
#[graphql(remote = "Delivery")]
pub enum TokenDelivery {
    /// In an HttpOnly, SameSite cookie that scripts cannot read. For browsers.
    #[default]
    Cookie,
    /// In `refreshToken` of the payload. For apps and scripts that can store it safely.
    Body,
}

impl TokenDelivery {
    /// The parameters for the session of a sign-in. A new cookie replaces the cookie of the request.
    pub(in crate::graphql) fn open(self, ctx: &Context<'_>) -> NewSession {
        NewSession::new(self.into(), ctx.request().cookies.clone())
    }
}

/// The tokens of a session, and its user.
#[derive(SimpleObject)]
pub struct AuthPayload {
    /// JWT for the header `Authorization: Bearer …`.
    pub(in crate::graphql) access_token: String,
    /// Always `Bearer`.
    pub(in crate::graphql) token_type: &'static str,
    /// Seconds until the access token expires.
    pub(in crate::graphql) expires_in: i64,
    /// Only for sessions opened with `tokenDelivery: BODY`. With the default, COOKIE, the token is in an HttpOnly
    /// cookie instead.
    pub(in crate::graphql) refresh_token: Option<String>,
    /// The signed-in user.
    pub(in crate::graphql) user: User,
}

impl AuthPayload {
    /// Creates the payload. The refresh token is delivered as the session requires. Sets the viewer to the signed-in
    /// user.
    pub(in crate::graphql) fn of(ctx: &Context<'_>, sign_in: SignIn) -> Self {
        let SignIn { principal, access_token, expires_in, refresh_token: token, device_token } = sign_in;
        let expires_at = principal.session.expires_at;
        let refresh_token = match principal.session.delivery {
            Delivery::Body => Some(token.expose_secret().to_owned()),
            Delivery::Cookie => {
                ctx.set_cookie(Cookie::RefreshToken, token, expires_at);
                None
            }
        };
        if let Some(DeviceToken { token, expires_at }) = device_token {
            ctx.set_cookie(Cookie::RememberedDevice, token, expires_at);
        }
        let user = principal.user.clone().into();
        ctx.sign_in_as(principal);
        Self { access_token, token_type: TOKEN_TYPE, expires_in, refresh_token, user }
    }
}

/// See the type's description below.
#[derive(Debug)]
pub struct Session {
    session: session::Model,
    is_current: bool,
}

impl Session {
    pub(in crate::graphql) fn new(session: session::Model, principal: &Principal) -> Self {
        Self { is_current: session.id == principal.session.id, session }
    }

    /// `Node.id`.
    pub(super) fn node_id(&self, _: &Context<'_>) -> Ready<Result<ID>> {
        ready(Ok(self.session.id.into()))
    }
}

/// A sign-in in one browser, app or script.
#[Object]
impl Session {
    /// Opaque. Also the claim `sid` of its access tokens.
    fn id(&self) -> ID {
        self.session.id.into()
    }

    /// Whether it is the session of this request.
    fn is_current(&self) -> bool {
        self.is_current
    }

    /// A description of the user agent for users, such as `Firefox on Linux`.
    fn device(&self) -> String {
        sessions::device(self.session.user_agent.as_deref())
    }

    /// The `User-Agent` header of the sign-in, as the client chose it.
    fn user_agent(&self) -> Option<&str> {
        self.session.user_agent.as_deref()
    }

    /// The IP address of the client at sign-in.
    fn ip_address(&self) -> Option<&str> {
        self.session.ip_address.as_deref()
    }

    /// How the user signed in, as in RFC 8176: `pwd` (password), `otp` (authenticator app or recovery code), `hwk`
    /// and `user` (passkey; `swk` if it is synchronized), `mca` (link or code in a mail), `mfa` (more than one factor); `fed` (another
    /// provider), which RFC 8176 lacks. Also the claim `amr` of its access tokens. In a remembered device, the second factor is missing.
    async fn authentication_methods(&self) -> &[String] {
        self.session.amr.as_slice()
    }

    /// The time of the sign-in.
    fn created_at(&self) -> DateTime {
        DateTime(self.session.created_at)
    }

    /// When the user last proved their identity: at the sign-in, or later with `reauthenticate`.
    fn authenticated_at(&self) -> DateTime {
        DateTime(self.session.last_authenticated_at())
    }

    /// The time of the last refresh.
    fn last_used_at(&self) -> DateTime {
        DateTime(self.session.last_used_at)
    }

    /// When it ends if it is not refreshed again.
    fn expires_at(&self) -> DateTime {
        DateTime(self.session.expires_at)
    }
}

/// A refresh token that is not in the cookie.
#[derive(InputObject)]
pub struct RefreshTokenInput {
    /// For sessions opened with `tokenDelivery: BODY`.
    #[graphql(secret)]
    refresh_token: String,
}

/// Sessions to end, besides those of the access token and the cookie.
#[derive(Default, InputObject)]
pub struct LogoutInput {
    /// Whether all sessions of the user end.
    #[graphql(default)]
    everywhere: bool,
    /// For sessions with `tokenDelivery: BODY`, if the access token has expired.
    #[graphql(secret)]
    refresh_token: Option<String>,
}

/// The result of `logout`.
#[derive(SimpleObject)]
pub struct LogoutPayload {
    /// Number of sessions that were ended.
    revoked_sessions: u64,
}

/// The session to end.
#[derive(InputObject)]
pub struct RevokeSessionInput {
    /// `Session.id`.
    session_id: ID,
}

/// The result of `revokeSession`.
#[derive(SimpleObject)]
pub struct RevokeSessionPayload {
    /// The id to evict from the client's cache.
    revoked_session_id: ID,
    /// The signed-in user, whose `sessions` no longer include this one.
    user: User,
}

/// The result of `revokeOtherSessions`.
#[derive(SimpleObject)]
pub struct RevokeOtherSessionsPayload {
    /// Number of sessions that were ended.
    revoked_sessions: u64,
    /// The signed-in user, whose `sessions` are now only the current one.
    user: User,
}
