//! The bodies of REST and OAuth responses. The OpenAPI document is generated from these types.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    config::{ExposeSecret, Settings},
    domain::{mfa::Overview, sessions::SignIn, token_introspection::Introspected, users::registration::Account},
};

/// Formats a time with milliseconds.
pub(in crate::http) fn instant(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// New tokens (RFC 6749 §5.1).
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Tokens {
    /// JWT for the header `Authorization: Bearer …`.
    access_token: String,
    /// Always `bearer`.
    #[schema(example = "bearer")]
    token_type: &'static str,
    /// Seconds until the access token expires.
    #[schema(example = 1800)]
    expires_in: i64,
    /// For the next refresh. It can be used once.
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

/// An account that was just created.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct NewUser {
    /// Opaque and permanent.
    id: String,
    /// `null` if the account has none.
    #[schema(required = true)]
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

/// A user.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct User {
    /// Opaque and permanent; `sub` of the access token.
    id: String,
    #[schema(example = "testuser")]
    username: String,
    /// `null` if the account has none.
    #[schema(required = true)]
    email: Option<String>,
    /// The new address, until it is verified with the link in the mail.
    #[schema(required = true)]
    pending_email: Option<String>,
    /// First and last name together.
    #[schema(required = true)]
    full_name: Option<String>,
    #[schema(required = true)]
    first_name: Option<String>,
    #[schema(required = true)]
    last_name: Option<String>,
    is_active: bool,
    /// The opposite of `is_active`.
    disabled: bool,
    /// Names of the user's roles, sorted.
    roles: Vec<String>,
    #[schema(example = "2026-01-31T12:34:56.789Z")]
    created_at: String,
    updated_at: String,
    #[schema(required = true)]
    last_login: Option<String>,
}

impl User {
    /// Creates the response as of `now`.
    pub(in crate::http) fn at(now: DateTime<Utc>, user: Account, settings: &Settings) -> Self {
        Self {
            id: user.id.to_string(),
            full_name: user.full_name(),
            pending_email: user.pending_email_at(now).map(ToOwned::to_owned),
            username: user.username,
            email: user.email,
            first_name: user.first_name,
            last_name: user.last_name,
            is_active: user.is_active,
            disabled: !user.is_active,
            roles: settings.known_roles(&user.roles.0),
            created_at: instant(user.created_at),
            updated_at: instant(user.updated_at),
            last_login: user.last_login_at.map(instant),
        }
    }
}

/// The second factors that are set up.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ExportedFactors {
    /// When the authenticator app was set up. `null` if there is none.
    #[schema(required = true)]
    totp_confirmed_at: Option<String>,
    /// The passkeys.
    passkeys: Vec<ExportedPasskey>,
    /// The number of recovery codes that were not used.
    recovery_codes_left: u64,
    /// The browsers in which the user signs in without the second factor.
    remembered_devices: Vec<ExportedDevice>,
}

impl From<Overview> for ExportedFactors {
    fn from(factors: Overview) -> Self {
        let devices = factors.remembered_devices.into_iter().map(|device| ExportedDevice {
            created_at: instant(device.created_at),
            last_used_at: instant(device.last_used_at),
            expires_at: instant(device.expires_at),
            user_agent: device.user_agent,
        });
        let passkeys = factors.passkeys.into_iter().map(|passkey| ExportedPasskey {
            name: passkey.name,
            is_synced: passkey.is_backed_up,
            created_at: instant(passkey.created_at),
            last_used_at: passkey.last_used_at.map(instant),
        });
        Self {
            passkeys: passkeys.collect(),
            totp_confirmed_at: factors.totp_confirmed_at.map(instant),
            recovery_codes_left: factors.recovery_codes_left,
            remembered_devices: devices.collect(),
        }
    }
}

/// A passkey.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ExportedPasskey {
    /// The name that the user or the server gave it.
    name: String,
    /// Whether it is synchronized between devices.
    is_synced: bool,
    /// When it was added.
    created_at: String,
    /// The latest sign-in or proof of identity. `null` if there was none.
    #[schema(required = true)]
    last_used_at: Option<String>,
}

/// A browser in which the user signs in without the second factor.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ExportedDevice {
    /// The `User-Agent` header of the browser.
    #[schema(required = true)]
    user_agent: Option<String>,
    /// When the user confirmed the second factor there.
    created_at: String,
    /// The time of the last sign-in.
    last_used_at: String,
    /// When the second factor is required again.
    expires_at: String,
}

/// A message to the user.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Message {
    pub(in crate::http) message: String,
}

/// The state of a token (RFC 7662 §2.2). For an inactive token, `active` is the only member.
#[derive(Default, Serialize, ToSchema)]
pub(in crate::http) struct Introspection {
    /// Whether this server currently accepts the token as an access token.
    active: bool,
    /// Always `first-party`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    client_id: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    username: Option<String>,
    /// Always `Bearer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    token_type: Option<&'static str>,
    /// Seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    exp: Option<i64>,
    /// Seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    iat: Option<i64>,
    /// The user's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    aud: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    iss: Option<String>,
    /// The session's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    sid: Option<String>,
    /// The current roles of the user, not those at the time when the token was issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    roles: Option<Vec<String>>,
    /// When the user last proved their identity, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    auth_time: Option<i64>,
    /// `aal2` if the user has confirmed the second factor in this session, otherwise `aal1` (RFC 9470 §6.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    acr: Option<&'static str>,
    /// How the user signed in (RFC 8176).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    amr: Option<Vec<String>>,
}

impl Introspection {
    pub(in crate::http) fn of(introspected: Option<Introspected>, settings: &Settings) -> Self {
        let Some(Introspected { principal, claims }) = introspected else {
            return Self::default();
        };
        Self {
            active: true,
            client_id: Some("first-party"),
            username: Some(principal.user.username),
            token_type: Some("Bearer"),
            exp: Some(claims.expires_at),
            iat: Some(claims.issued_at),
            sub: Some(claims.user_id.to_string()),
            aud: Some(settings.tokens.jwt_audience.clone()),
            iss: Some(settings.server.public_url.clone()),
            sid: Some(claims.session_id.to_string()),
            roles: Some(settings.known_roles(&principal.user.roles.0)),
            auth_time: Some(principal.session.last_authenticated_at().timestamp()),
            acr: Some(principal.session.assurance_level()),
            amr: Some(principal.session.amr.as_slice().to_vec()),
        }
    }
}

/// All invalid fields of a request.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Invalid {
    pub(in crate::http) detail: Vec<Problem>,
}

/// An invalid field.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::http) struct Problem {
    /// The location: `["body", "username"]`.
    #[schema(example = json!(["body", "username"]))]
    loc: Vec<Cow<'static, str>>,
    /// For people, in the language of `Accept-Language` (en, ru).
    msg: Cow<'static, str>,
    /// Pydantic's name of the error.
    #[serde(rename = "type")]
    #[schema(example = "string_too_short")]
    kind: &'static str,
}

impl Problem {
    pub(in crate::http) fn new(
        location: &'static str,
        field: Option<impl Into<Cow<'static, str>>>,
        msg: impl Into<Cow<'static, str>>,
        kind: &'static str,
    ) -> Self {
        let loc = [location.into()].into_iter().chain(field.map(Into::into)).collect();
        Self { loc, msg: msg.into(), kind }
    }
}
