//! `serverInfo`.

use async_graphql::{Context, Object, SimpleObject};

use crate::{
    App,
    domain::identity::{PASSWORD_LENGTH, USERNAME_LENGTH, username_pattern},
    graphql::{context::ContextExt, schema::identities::IdentityProvider},
};

#[derive(Debug, Default)]
pub(in crate::graphql) struct ServerInfoQuery;

#[Object]
impl ServerInfoQuery {
    /// What login and registration forms need to know. Public and cacheable.
    #[graphql(cache_control(max_age = 300))]
    async fn server_info(&self, ctx: &Context<'_>) -> ServerInfo {
        ServerInfo::of(ctx.app())
    }
}

/// Settings of the server that forms need.
#[derive(Debug, SimpleObject)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent setting")]
pub struct ServerInfo {
    /// Whether anyone may register.
    registration_enabled: bool,
    /// Whether an account must have an e-mail address.
    email_required: bool,
    /// Whether the e-mail address must be verified before the user can sign in.
    email_verification_required: bool,
    /// Whether this server can send mails. Verification, password reset and change of address need them.
    mail_enabled: bool,
    /// Whether browsers can use passkeys. False if `PUBLIC_URL` has an IP address.
    passkeys_enabled: bool,
    /// The providers that users can sign in with.
    identity_providers: Vec<IdentityProvider>,
    /// Whether users can sign in by mail, with `requestEmailSignIn`.
    email_sign_in_enabled: bool,
    /// The rules for passwords.
    password_policy: PasswordPolicy,
    /// The rules for usernames.
    username_policy: UsernamePolicy,
    /// Lifetime of an access token in seconds, by default 1800 (30 minutes).
    access_token_lifetime: i64,
    /// Lifetime of a session that is not refreshed, in seconds, by default 604800 (7 days).
    refresh_token_lifetime: i64,
    /// A warning for developers if the server is in development mode, otherwise null.
    hint: Option<&'static str>,
}

/// The hint of a server with `DEVELOPMENT=true`.
const DEVELOPMENT_HINT: &str = "This server is in development mode (DEVELOPMENT=true): connections are not encrypted, and \
                                errors have hints for developers. Do not use it for real accounts.";

/// The length of passwords. Common passwords, and the user's own name or address, may be refused too
/// (PASSWORD_TOO_COMMON).
#[derive(Debug, SimpleObject)]
pub struct PasswordPolicy {
    /// In characters (Unicode code points).
    min_length: usize,
    /// In characters (Unicode code points), at least 64.
    max_length: usize,
}

/// The rules for usernames.
#[derive(Debug, SimpleObject)]
pub struct UsernamePolicy {
    /// In characters.
    min_length: usize,
    /// In characters.
    max_length: usize,
    /// A regular expression for the HTML `pattern` attribute, by default `[A-Za-z0-9_][A-Za-z0-9_\-]*`.
    pattern: String,
}

impl ServerInfo {
    fn of(app: &App) -> Self {
        Self {
            registration_enabled: app.settings.registration.is_enabled,
            email_required: app.settings.registration.require_email,
            email_verification_required: app.settings.registration.require_verified_email,
            mail_enabled: app.settings.mail.is_enabled(),
            passkeys_enabled: app.settings.passkeys.is_usable(),
            identity_providers: IdentityProvider::all(app),
            email_sign_in_enabled: app.settings.mail.sign_in,
            password_policy: PasswordPolicy {
                min_length: *PASSWORD_LENGTH.start(),
                max_length: *PASSWORD_LENGTH.end(),
            },
            username_policy: UsernamePolicy {
                min_length: *USERNAME_LENGTH.start(),
                max_length: *USERNAME_LENGTH.end(),
                pattern: username_pattern(&app.settings.registration.username_extra_characters),
            },
            access_token_lifetime: app.access_tokens.lifetime().num_seconds(),
            refresh_token_lifetime: app.settings.tokens.refresh_lifetime.num_seconds(),
            hint: app.settings.server.is_development.then_some(DEVELOPMENT_HINT),
        }
    }
}
