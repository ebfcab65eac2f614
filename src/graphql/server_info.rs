//! `serverInfo`.

use async_graphql::{Context, Object, SimpleObject};

use super::context::ContextExt;
use crate::{
    App,
    accounts::input::{PASSWORD_LENGTH, USERNAME_LENGTH},
};

#[derive(Debug, Default)]
pub(super) struct ServerInfoQuery;

#[Object]
impl ServerInfoQuery {
    /// What a login or registration form needs to know. Public, cacheable.
    #[graphql(cache_control(max_age = 300))]
    async fn server_info(&self, ctx: &Context<'_>) -> ServerInfo {
        ServerInfo::of(ctx.app())
    }
}

/// What the server asks of its users.
#[derive(Debug, SimpleObject)]
#[expect(clippy::struct_excessive_bools, reason = "each answers a question of its own")]
pub struct ServerInfo {
    /// Whether anyone may register.
    registration_enabled: bool,
    /// Whether an account must have an e-mail address.
    email_required: bool,
    /// Whether an address must be verified before its account can sign in.
    email_verification_required: bool,
    /// Whether this server can send mail: verification, reset and change of address need it.
    mail_enabled: bool,
    /// What a password must be.
    password_policy: PasswordPolicy,
    /// What a username must be.
    username_policy: UsernamePolicy,
    /// Seconds an access token lives. 1800 unless configured.
    access_token_lifetime: i64,
    /// Seconds a session lives without being refreshed. 604800 (7 days) unless configured.
    refresh_token_lifetime: i64,
}

/// What a password must be. Common ones, and the user's own name or address, may be refused all the same:
/// PASSWORD_TOO_COMMON.
#[derive(Debug, SimpleObject)]
pub struct PasswordPolicy {
    /// In characters (Unicode code points).
    min_length: usize,
    /// In characters (Unicode code points). At least 64 is always allowed, whatever the script.
    max_length: usize,
}

/// What a username must be.
#[derive(Debug, SimpleObject)]
pub struct UsernamePolicy {
    /// In characters.
    min_length: usize,
    /// In characters.
    max_length: usize,
    /// A regular expression for the HTML `pattern` attribute: `[A-Za-z0-9_][A-Za-z0-9_\-]*`.
    pattern: &'static str,
}

impl ServerInfo {
    fn of(app: &App) -> Self {
        Self {
            registration_enabled: app.settings.registration_enabled,
            email_required: app.settings.require_email,
            email_verification_required: app.settings.require_verified_email,
            mail_enabled: app.settings.mail.is_enabled(),
            password_policy: PasswordPolicy {
                min_length: *PASSWORD_LENGTH.start(),
                max_length: *PASSWORD_LENGTH.end(),
            },
            username_policy: UsernamePolicy {
                min_length: *USERNAME_LENGTH.start(),
                max_length: *USERNAME_LENGTH.end(),
                pattern: r"[A-Za-z0-9_][A-Za-z0-9_\-]*",
            },
            access_token_lifetime: app.access_tokens.lifetime().num_seconds(),
            refresh_token_lifetime: app.settings.refresh_token_lifetime.num_seconds(),
        }
    }
}
