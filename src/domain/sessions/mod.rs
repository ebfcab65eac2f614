//! Sessions: one for each sign-in, continued by refreshing, ended by sign-out, revocation or expiry.
//!
//! A refresh token contains a session id and a generation. The row of the session contains the current generation. Each
//! refresh moves the session to the next generation.

mod confirm;
mod device;
mod end;
mod list;
mod refresh;
mod replace;

use chrono::{DateTime, Utc};

pub(in crate::domain) use confirm::confirm_later;
pub use device::device;
pub use end::{Logout, logout, revoke, revoke_others};
pub(in crate::domain) use end::{end_all, end_reused};
pub use list::{find, list, list_many};
pub(in crate::domain) use refresh::rotate_locked;
pub use refresh::{refresh, user_of};
pub(in crate::domain) use replace::Replaced;
pub use replace::{Cookies, NewSession};

pub use crate::entity::session::{Delivery, Model as Session};

use crate::{
    App, Result,
    config::SecretString,
    domain::{Principal, UnitOfWork, principal::log_user},
    entity::{
        session::{self, AuthenticationMethods, BurntGenerations},
        user,
    },
    security::{access_token::Subject, random, refresh_token::RefreshClaims},
};

/// Maximum number of live sessions of a user. A further sign-in ends the oldest one.
pub const MAX_SESSIONS: u64 = 100;

/// Maximum number of excess sessions that one sign-in ends. There is more than one only if older versions, which had no
/// limit, opened them.
const MAX_EXCESS: u64 = 1000;

/// The result of a sign-in or a refresh. It does not implement `Debug`, because it contains tokens.
pub struct SignIn {
    /// The user and the session.
    pub principal: Principal,
    /// The access token for later requests.
    pub access_token: String,
    /// Lifetime of the access token in seconds.
    pub expires_in: i64,
    /// The token for the next refresh. It must be sent only by the session's delivery.
    pub refresh_token: SecretString,
    /// The token with which the browser skips the second factor, if it has changed. It must be sent only in a cookie.
    pub device_token: Option<DeviceToken>,
}

/// The token of a remembered device.
#[derive(Clone, Debug)]
pub struct DeviceToken {
    /// The token.
    pub token: SecretString,
    /// When the second factor is required again.
    pub expires_at: DateTime<Utc>,
}

/// How the user of a new session has signed in.
#[derive(Clone, Debug)]
pub(in crate::domain) struct Authentication {
    pub amr: AuthenticationMethods,
    /// When the user confirmed the second factor, if the account has one.
    pub second_factor_at: Option<DateTime<Utc>>,
}

/// A refresh token as it was sent.
#[derive(Clone, Debug)]
pub struct PresentedToken {
    /// The token.
    pub token: SecretString,
    /// The way it was sent.
    pub delivery: Delivery,
}

/// Opens a session for a user who has just signed in. Ends the oldest session of a user with [`MAX_SESSIONS`]. Only the gate
/// in [`crate::domain::sign_in`] calls it.
pub(in crate::domain) async fn open(
    work: &UnitOfWork<'_>,
    user: &user::Locked,
    delivery: Delivery,
    authentication: Authentication,
) -> Result<session::Model> {
    let excess = session::older(work.db(), user, MAX_SESSIONS - 1, MAX_EXCESS, work.now).await?;
    if !excess.is_empty() {
        session::revoke(work.db(), user, excess, work.now).await?;
    }
    let client = &work.context.client;
    let session = session::Model {
        id: random::id(work.now)?,
        user_id: user.id,
        generation: 0,
        user_agent: client.user_agent.clone(),
        ip_address: client.ip_address.map(|address| address.to_string()),
        created_at: work.now,
        last_used_at: work.now,
        expires_at: expiry(work.app(), work.now, work.now),
        revoked_at: None,
        rotated_at: None,
        confirmed_generation: 0,
        repeated_at: None,
        delivery,
        epoch: user.session_epoch,
        predecessor: None,
        burnt: BurntGenerations::default(),
        authenticated_at: None,
        amr: authentication.amr,
        second_factor_at: authentication.second_factor_at,
    };
    session::insert(work.db(), &session).await?;
    Ok(session)
}

/// When a session that is used now expires: after the lifetime of its refresh token, but not beyond its maximum age.
fn expiry(app: &App, created_at: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
    let settings = &app.settings;
    (now + settings.tokens.refresh_lifetime).min(created_at + settings.tokens.session_max_lifetime)
}

/// Issues the tokens of a session that has been committed. The access token of a user who must set up a second factor first has
/// no roles and no custom claims, because other services do not see that the session is restricted.
pub(in crate::domain) fn issue_tokens(app: &App, principal: Principal) -> Result<SignIn> {
    let Principal { user, session, must_enroll } = &principal;
    log_user(user);
    let roles = if *must_enroll { Vec::new() } else { app.settings.known_roles(&user.roles.0) };
    let subject = Subject {
        user_id: user.id,
        session_id: session.id,
        generation: session.generation,
        is_restricted: *must_enroll,
        roles: &roles,
        username: &user.username,
        verified_email: user.verified_email(),
        first_name: user.first_name.as_deref(),
        last_name: user.last_name.as_deref(),
        authenticated_at: session.last_authenticated_at(),
        methods: session.amr.as_slice(),
        assurance_level: session.assurance_level(),
    };
    let access_token = app.access_tokens.sign(subject, app.clock.now())?;
    let expires_in = app.access_tokens.lifetime().num_seconds();
    // Derived from the row only, so that issuing the token of a generation again returns the same token.
    let refresh_token = app.refresh_tokens.sign(RefreshClaims {
        session_id: session.id,
        generation: session.generation,
        issued_at: session.rotated_at.unwrap_or(session.created_at),
        expires_at: session.expires_at,
    })?;
    Ok(SignIn { principal, access_token, expires_in, refresh_token: refresh_token.into(), device_token: None })
}
