//! What this door takes and gives, field by field: from these the documentation is made.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    accounts::{introspection::Introspected, register::Account, sessions::SignIn},
    config::{ExposeSecret, Settings},
};

/// New tokens (RFC 6749 §5.1).
#[derive(Serialize, ToSchema)]
pub(super) struct Tokens {
    /// JWT for the header `Authorization: Bearer …`.
    access_token: String,
    /// Always `bearer`.
    #[schema(example = "bearer")]
    token_type: &'static str,
    /// Seconds until the access token expires.
    #[schema(example = 1800)]
    expires_in: i64,
    /// For the next refresh, and good for one.
    refresh_token: String,
}

impl From<SignIn> for Tokens {
    fn from(sign_in: SignIn) -> Self {
        Self {
            access_token: sign_in.access_token,
            token_type: "bearer",
            expires_in: sign_in.expires_in,
            refresh_token: sign_in.refresh_token.expose_secret().to_owned(),
        }
    }
}

/// An account that was just made.
#[derive(Serialize, ToSchema)]
pub(super) struct NewUser {
    /// Opaque and permanent.
    id: String,
    /// `null` when the account has none.
    email: Option<String>,
    #[schema(example = "testuser")]
    username: String,
    is_active: bool,
}

impl From<Account> for NewUser {
    fn from(user: Account) -> Self {
        Self { id: user.id.to_string(), email: user.email, username: user.username, is_active: user.is_active }
    }
}

/// Who is signed in.
#[derive(Serialize, ToSchema)]
pub(super) struct User {
    /// Opaque and permanent; `sub` of the access token.
    id: String,
    #[schema(example = "testuser")]
    username: String,
    /// `null` when the account has none.
    email: Option<String>,
    /// First and last name together.
    full_name: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    is_active: bool,
    /// The contrary of `is_active`.
    disabled: bool,
    /// Names of the roles held, sorted.
    roles: Vec<String>,
    #[schema(example = "2026-01-31T12:34:56.789Z")]
    created_at: String,
    updated_at: String,
    last_login: Option<String>,
}

impl From<Account> for User {
    fn from(user: Account) -> Self {
        let instant = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Millis, true);
        Self {
            id: user.id.to_string(),
            full_name: user.full_name(),
            username: user.username,
            email: user.email,
            first_name: user.first_name,
            last_name: user.last_name,
            is_active: user.is_active,
            disabled: !user.is_active,
            roles: user.roles.0,
            created_at: instant(user.created_at),
            updated_at: instant(user.updated_at),
            last_login: user.last_login_at.map(instant),
        }
    }
}

/// A word to the user.
#[derive(Serialize, ToSchema)]
pub(super) struct Message {
    pub(super) message: String,
}

/// What a token is good for (RFC 7662 §2.2). Of one that is good for nothing, `active` is all there is.
#[derive(Default, Serialize, ToSchema)]
#[serde(default)]
pub(super) struct Introspection {
    /// Whether this server would take it as an access token now.
    active: bool,
    #[serde(flatten)]
    #[schema(inline)]
    claims: Option<IntrospectedClaims>,
}

/// What an active token says, and whose it is now.
#[derive(Serialize, ToSchema)]
struct IntrospectedClaims {
    /// Always `first-party`.
    client_id: &'static str,
    username: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// Seconds since 1970.
    exp: i64,
    /// Seconds since 1970.
    iat: i64,
    /// The user's id.
    sub: String,
    aud: String,
    iss: String,
    /// The session's id.
    sid: String,
    /// As they are now, whatever they were when the token was made.
    roles: Vec<String>,
}

impl Introspection {
    pub(super) fn of(introspected: Option<Introspected>, settings: &Settings) -> Self {
        let Some(Introspected { principal, claims }) = introspected else {
            return Self::default();
        };
        let claims = IntrospectedClaims {
            client_id: "first-party",
            username: principal.user.username,
            token_type: "Bearer",
            exp: claims.expires_at,
            iat: claims.issued_at,
            sub: claims.user_id.to_string(),
            aud: settings.jwt_audience.clone(),
            iss: settings.public_url.clone(),
            sid: claims.session_id.to_string(),
            roles: principal.user.roles.0,
        };
        Self { active: true, claims: Some(claims) }
    }
}

/// What is wrong with the fields of a request, all at once.
#[derive(Serialize, ToSchema)]
pub(super) struct Invalid {
    pub(super) detail: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    /// Where: `["body", "username"]`.
    #[schema(example = json!(["body", "username"]))]
    loc: Vec<Cow<'static, str>>,
    /// For people, in the language of `Accept-Language` (en, ru).
    msg: Cow<'static, str>,
    /// Pydantic's name for it.
    #[serde(rename = "type")]
    #[schema(example = "string_too_short")]
    kind: &'static str,
}

impl Problem {
    pub(super) fn new(
        place: &'static str,
        field: Option<impl Into<Cow<'static, str>>>,
        msg: impl Into<Cow<'static, str>>,
        kind: &'static str,
    ) -> Self {
        let loc = [place.into()].into_iter().chain(field.map(Into::into)).collect();
        Self { loc, msg: msg.into(), kind }
    }
}
