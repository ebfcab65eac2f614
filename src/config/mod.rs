//! The settings: what they are, what they default to, and what is wrong with them.
//!
//! [`Settings::from_vars`] is given the variables (`main.rs` alone reads the environment), checks each, and reports
//! all mistakes together. A secret is a [`SecretString`], so that no `{:?}` can print it.

mod database;
mod database_url;
mod graphql;
mod jwt;
mod logging;
mod mail;
mod oauth;
mod passwords;
mod proxies;
mod registration;
mod roles;
mod secret_key;
mod server;
mod throttle;
mod tokens;
mod unknown;
mod usernames;
mod vars;

use std::{net::SocketAddr, path::PathBuf, thread::available_parallelism};

use chrono::TimeDelta;
pub use database::DatabaseSettings;
pub use database_url::DatabaseUrl;
pub use graphql::GraphqlSettings;
pub use logging::{LogFormat, LoggingSettings};
pub use mail::{MailSettings, Smtp, SmtpSecurity};
pub use oauth::{OauthClient, OauthSettings};
pub use passwords::PasswordSettings;
pub use proxies::{Proxies, ProxyHeader};
pub use registration::RegistrationSettings;
pub use roles::is_role_name;
pub use secrecy::{ExposeSecret, SecretString};
use server::Addresses;
pub use server::ServerSettings;
pub use throttle::{ThrottleLimits, ThrottleSettings};
pub use tokens::{JwtAlgorithm, TokenSettings};
pub use unknown::{unknown_in_environment, unknown_in_file};
use vars::Vars;

/// Every setting there is, by its name in the environment. `tests/api/documents.rs` holds `docs/configuration.md` and `.env.example`
/// against this list.
pub const NAMES: &[&str] = &[
    "DATABASE_URL",
    "DB_MAX_CONNECTIONS",
    "LISTEN",
    "PUBLIC_URL",
    "ALLOWED_ORIGINS",
    "PROXY_HEADER",
    "TRUSTED_PROXIES",
    "SECRET_KEY",
    "SECRET_KEY_PREVIOUS",
    "JWT_ALGORITHM",
    "JWT_KEYS",
    "JWT_AUDIENCE",
    "ACCESS_TOKEN_EXPIRE_MINUTES",
    "REFRESH_TOKEN_EXPIRE_DAYS",
    "REFRESH_GRACE_SECONDS",
    "SESSION_MAX_DAYS",
    "BCRYPT_COST",
    "HASH_CONCURRENCY",
    "REGISTRATION_ENABLED",
    "RESERVED_USERNAMES",
    "REQUIRE_EMAIL",
    "PASSWORD_BLOCKLIST",
    "THROTTLE",
    "LIMIT_FAILED_LOGINS_BY_NAME_AND_NETWORK_PER_15_MINUTES",
    "LIMIT_FAILED_LOGINS_BY_NAME_PER_HOUR",
    "LIMIT_FAILED_LOGINS_BY_NETWORK_PER_HOUR",
    "LIMIT_WRONG_CURRENT_PASSWORDS_PER_15_MINUTES",
    "LIMIT_REGISTRATIONS_PER_HOUR",
    "LIMIT_USERNAME_CHANGES_PER_DAY",
    "LIMIT_USERNAME_REQUESTS_PER_HOUR",
    "LIMIT_PASSWORD_CHANGES_PER_DAY",
    "LIMIT_MAIL_REQUESTS_BY_NETWORK_PER_HOUR",
    "LIMIT_MAIL_REQUESTS_BY_ACCOUNT_PER_DAY",
    "LIMIT_MAILS_TO_ADDRESS_PER_HOUR",
    "REQUIRE_VERIFIED_EMAIL",
    "UNVERIFIED_ACCOUNT_DAYS",
    "SMTP_URL",
    "MAIL_FROM",
    "APP_URL",
    "DEV_MAIL",
    "PLAYGROUND",
    "INTROSPECTION",
    "REST_API",
    "OAUTH_CLIENTS",
    "ROLES",
    "DEFAULT_ROLES",
    "LOG_FORMAT",
    "RUST_LOG",
];

/// The settings that may also be in a file, which `NAME_FILE` names.
pub const SECRETS: &[&str] = &["DATABASE_URL", "SECRET_KEY", "SECRET_KEY_PREVIOUS", "SMTP_URL", "OAUTH_CLIENTS"];

/// All settings, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The database and its connections.
    pub database: DatabaseSettings,
    /// Addresses, origins and proxies.
    pub server: ServerSettings,
    /// Keys, and the lifetimes of tokens and sessions.
    pub tokens: TokenSettings,
    /// The rules for accounts.
    pub registration: RegistrationSettings,
    /// Hashing of passwords, and which ones are refused.
    pub passwords: PasswordSettings,
    /// How mails are sent.
    pub mail: MailSettings,
    /// What clients of the GraphQL API may see.
    pub graphql: GraphqlSettings,
    /// The REST and OAuth 2.0 API.
    pub oauth: OauthSettings,
    /// Limits of attempts.
    pub throttle: ThrottleSettings,
    /// What is logged, and how.
    pub logging: LoggingSettings,
}

/// Where the secret that all keys are derived from comes from.
#[derive(Clone, Debug)]
pub enum SecretKey {
    /// It was given.
    Given(SecretString),
    /// It is in this file, or is generated into it at the first start.
    File(PathBuf),
}

/// Everything that is wrong with the settings: a sentence for each, starting with the setting's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError(pub Vec<String>);

impl std::fmt::Display for SettingsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Invalid configuration:")?;
        self.0.iter().try_for_each(|mistake| write!(f, "\n  {mistake}"))
    }
}

impl std::error::Error for SettingsError {}

impl Settings {
    /// Reads the settings from variables; where a name comes twice, the first one counts. A secret may also be in the
    /// file that its twin, `NAME_FILE`, names.
    ///
    /// # Errors
    /// All mistakes at once, none of them showing the value of a secret.
    pub fn from_vars(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, SettingsError> {
        let mut vars = Vars::new(variables);
        let database_url = vars.secret("DATABASE_URL");
        let database_url = vars.parse_secret(
            "DATABASE_URL",
            &database_url.unwrap_or_else(|| "sqlite://hallpass.db".into()),
            DatabaseUrl::parse,
        );
        let listen = vars.get(
            "LISTEN",
            SocketAddr::from(([127, 0, 0, 1], 8000)),
            "an IP address and port, such as 127.0.0.1:8000 or [::]:8000",
            |text| text.parse().ok(),
        );
        let addresses = Addresses::read(&mut vars, listen);
        let (jwt_algorithm, jwt_keys) = jwt::read(&mut vars);
        let (roles, default_roles) = roles::read(&mut vars);
        let mail = mail::read(&mut vars, &addresses);
        let cores = available_parallelism().map_or(1, usize::from);
        let settings = Self {
            database: DatabaseSettings {
                max_connections: vars.optional_number("DB_MAX_CONNECTIONS", 2..=1000),
                url: database_url.clone().unwrap_or_default(),
            },
            tokens: TokenSettings {
                secret_key: secret_key::read(&mut vars, &addresses, database_url.as_ref()),
                secret_key_previous: secret_key::read_previous(&mut vars),
                jwt_algorithm,
                jwt_keys,
                jwt_audience: vars.get(
                    "JWT_AUDIENCE",
                    addresses.public_url.clone(),
                    "a name without spaces, such as https://api.example.org",
                    |text| (!text.contains(char::is_whitespace)).then(|| text.to_owned()),
                ),
                access_lifetime: TimeDelta::minutes(vars.number("ACCESS_TOKEN_EXPIRE_MINUTES", 30, 1..=60)),
                refresh_lifetime: TimeDelta::days(vars.number("REFRESH_TOKEN_EXPIRE_DAYS", 7, 1..=365)),
                refresh_grace: TimeDelta::seconds(vars.number("REFRESH_GRACE_SECONDS", 30, 0..=300)),
                session_max_lifetime: TimeDelta::days(vars.number("SESSION_MAX_DAYS", 90, 1..=3650)),
            },
            passwords: PasswordSettings {
                bcrypt_cost: vars.number("BCRYPT_COST", 12, 10..=15),
                hash_concurrency: vars.number("HASH_CONCURRENCY", cores, 1..=256),
                blocklist: vars.flag("PASSWORD_BLOCKLIST", true),
            },
            registration: RegistrationSettings {
                is_enabled: vars.flag("REGISTRATION_ENABLED", true),
                reserved_usernames: usernames::read(&mut vars),
                require_email: vars.flag("REQUIRE_EMAIL", false),
                require_verified_email: vars.flag("REQUIRE_VERIFIED_EMAIL", false),
                unverified_account_lifetime: mail::unverified_account_lifetime(&mut vars, &mail),
                roles,
                default_roles,
            },
            mail,
            graphql: GraphqlSettings {
                playground: vars.flag("PLAYGROUND", true),
                introspection: vars.flag("INTROSPECTION", true),
            },
            oauth: OauthSettings { rest_api: vars.flag("REST_API", true), clients: oauth::read(&mut vars) },
            throttle: ThrottleSettings { is_enabled: vars.flag("THROTTLE", true), limits: throttle::read(&mut vars) },
            logging: LoggingSettings { format: logging::format(&mut vars), filter: logging::filter(&mut vars) },
            server: ServerSettings {
                listen,
                proxies: proxies::read(&mut vars),
                is_local: addresses.is_local,
                allowed_origins: addresses.allowed_origins,
                public_url: addresses.public_url,
            },
        };
        let registration = &settings.registration;
        if registration.require_verified_email && !(registration.require_email && settings.mail.is_enabled()) {
            vars.mistake(
                "REQUIRE_VERIFIED_EMAIL: expected false without REQUIRE_EMAIL=true, and without SMTP_URL or DEV_MAIL"
                    .to_owned(),
            );
        }
        vars.finish(settings)
    }
}
