//! The settings: what they are, what they default to, and what is wrong with them.
//!
//! [`Settings::from_vars`] is given the variables (`main.rs` alone reads the environment), checks each, and reports
//! all mistakes together. A secret is a [`SecretString`], so that no `{:?}` can print it.

mod database_url;
mod jwt;
mod limits;
mod local;
mod log;
mod mail;
mod oauth_clients;
mod proxies;
mod roles;
mod secret_key;
mod unknown;
mod usernames;
mod vars;

use std::{net::SocketAddr, path::PathBuf, thread::available_parallelism};

use chrono::TimeDelta;
pub use database_url::DatabaseUrl;
pub use limits::ThrottleLimits;
use local::Addresses;
pub use log::LogFormat;
pub use mail::{MailSettings, Smtp, SmtpSecurity};
pub use oauth_clients::OauthClient;
pub use proxies::{Proxies, ProxyHeader};
pub use roles::is_role_name;
pub use secrecy::{ExposeSecret, SecretString};
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
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own, by its own name")]
pub struct Settings {
    /// Where the data is.
    pub database_url: DatabaseUrl,
    /// Connections at most, half of them to write with (on SQLite: readers, beside the one writer); `None` is by database.
    pub db_max_connections: Option<u32>,
    /// The address and port to listen on.
    pub listen: SocketAddr,
    /// The origin that clients reach this server by, without a slash at its end: the issuer of tokens.
    pub public_url: String,
    /// Whether this machine alone can reach this server; then answers may hold hints for whoever develops against it.
    pub is_local: bool,
    /// Origins that may call with credentials, `public_url`'s own included.
    pub allowed_origins: Vec<String>,
    /// Who may say where a request comes from; `None` believes nobody, and takes the other end of the connection.
    pub proxies: Option<Proxies>,
    /// What all keys are derived from.
    pub secret_key: SecretKey,
    /// The secret before it, which verifies and never signs.
    pub secret_key_previous: Option<SecretString>,
    /// What signs access tokens.
    pub jwt_algorithm: JwtAlgorithm,
    /// The folder of the private keys; set for all algorithms but HS256.
    pub jwt_keys: Option<PathBuf>,
    /// `aud` of the access tokens.
    pub jwt_audience: String,
    /// How long an access token lives.
    pub access_token_lifetime: TimeDelta,
    /// How long a session lives without being refreshed.
    pub refresh_token_lifetime: TimeDelta,
    /// How long after a refresh the token that it replaced is still answered with the new one.
    pub refresh_grace: TimeDelta,
    /// How long a session lives at most, however often it is refreshed.
    pub session_max_lifetime: TimeDelta,
    /// log2 of the rounds of bcrypt.
    pub bcrypt_cost: u32,
    /// Password hashes computed at a time.
    pub hash_concurrency: usize,
    /// Whether anyone may register.
    pub registration_enabled: bool,
    /// Usernames, as they are compared, that nobody may choose for themselves.
    pub reserved_usernames: Vec<String>,
    /// Whether an account must have an e-mail address.
    pub require_email: bool,
    /// Whether new passwords that others would guess first are refused.
    pub password_blocklist: bool,
    /// Whether attempts are counted and limited; false is for load tests only.
    pub throttle: bool,
    /// How many attempts are accepted while they are counted.
    pub throttle_limits: ThrottleLimits,
    /// Whether an address must be verified before its account can sign in.
    pub require_verified_email: bool,
    /// How long a self-registered account may stay unverified before it is deleted; `None` keeps it.
    pub unverified_account_lifetime: Option<TimeDelta>,
    /// How mails leave.
    pub mail: MailSettings,
    /// Whether browsers get the explorer.
    pub playground: bool,
    /// Whether the schema may be asked for, and is told in messages.
    pub introspection: bool,
    /// Whether there is the OAuth 2.0 and REST door, with its documentation.
    pub rest_api: bool,
    /// Who may ask what a token is good for; without any, nobody may.
    pub oauth_clients: Vec<OauthClient>,
    /// The roles there are, sorted.
    pub roles: Vec<String>,
    /// The roles of a newly registered user, sorted.
    pub default_roles: Vec<String>,
    /// How the log is written.
    pub log_format: LogFormat,
    /// What the log shows, as `tracing_subscriber::EnvFilter` reads it.
    pub log_filter: String,
}

/// Where the secret that all keys are derived from comes from.
#[derive(Clone, Debug)]
pub enum SecretKey {
    /// It was given.
    Given(SecretString),
    /// It is in this file, or is generated into it at the first start.
    File(PathBuf),
}

/// What signs access tokens (RFC 7518 §3.1, RFC 8037 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JwtAlgorithm {
    /// HMAC: who can verify can sign. The key is derived from the secret.
    Hs256,
    /// Ed25519.
    EdDsa,
    /// ECDSA over P-256.
    Es256,
    /// RSA, PKCS #1 v1.5, at least 2,048 bits.
    Rs256,
}

impl std::fmt::Display for JwtAlgorithm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Hs256 => "HS256",
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        })
    }
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
            db_max_connections: vars.optional_number("DB_MAX_CONNECTIONS", 2..=1000),
            proxies: proxies::read(&mut vars),
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
            access_token_lifetime: TimeDelta::minutes(vars.number("ACCESS_TOKEN_EXPIRE_MINUTES", 30, 1..=60)),
            refresh_token_lifetime: TimeDelta::days(vars.number("REFRESH_TOKEN_EXPIRE_DAYS", 7, 1..=365)),
            refresh_grace: TimeDelta::seconds(vars.number("REFRESH_GRACE_SECONDS", 30, 0..=300)),
            session_max_lifetime: TimeDelta::days(vars.number("SESSION_MAX_DAYS", 90, 1..=3650)),
            bcrypt_cost: vars.number("BCRYPT_COST", 12, 10..=15),
            hash_concurrency: vars.number("HASH_CONCURRENCY", cores, 1..=256),
            registration_enabled: vars.flag("REGISTRATION_ENABLED", true),
            reserved_usernames: usernames::read(&mut vars),
            require_email: vars.flag("REQUIRE_EMAIL", false),
            password_blocklist: vars.flag("PASSWORD_BLOCKLIST", true),
            throttle: vars.flag("THROTTLE", true),
            throttle_limits: limits::read(&mut vars),
            require_verified_email: vars.flag("REQUIRE_VERIFIED_EMAIL", false),
            unverified_account_lifetime: mail::unverified_account_lifetime(&mut vars, &mail),
            mail,
            playground: vars.flag("PLAYGROUND", true),
            introspection: vars.flag("INTROSPECTION", true),
            rest_api: vars.flag("REST_API", true),
            oauth_clients: oauth_clients::read(&mut vars),
            roles,
            default_roles,
            log_format: log::format(&mut vars),
            log_filter: log::filter(&mut vars),
            is_local: addresses.is_local,
            allowed_origins: addresses.allowed_origins,
            public_url: addresses.public_url,
            listen,
            database_url: database_url.unwrap_or_default(),
        };
        if settings.require_verified_email && !(settings.require_email && settings.mail.is_enabled()) {
            vars.mistake(
                "REQUIRE_VERIFIED_EMAIL: expected false without REQUIRE_EMAIL=true, and without SMTP_URL or DEV_MAIL"
                    .to_owned(),
            );
        }
        vars.finish(settings)
    }
}
