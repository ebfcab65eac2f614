//! The settings, parsed and checked. Each section has a file.
//!
//! [`Settings::read`] takes the variables (only `main.rs` reads the environment), checks each, and reports all mistakes
//! together. A secret is a [`SecretString`], so that no `{:?}` can print it.
//!
//! A setting is declared where its section reads it: name, text for the manual, accepted values, default. The reader records
//! this in a [`Declaration`], from which `docs/configuration.md`, `.env.example` and `hallpass config` are made. So a setting
//! cannot be read without being documented. Read every setting, whatever the others are: [`declarations`] lists those
//! that are read without any variables.

mod audit;
mod brand;
mod claims;
mod database;
mod database_url;
mod forward_auth;
mod graphql;
mod logging;
mod loopback;
mod mail;
mod metrics;
mod oauth;
mod outgoing;
mod passkeys;
mod passwords;
mod providers;
mod proxies;
mod registration;
mod report;
mod roles;
mod secret_key;
mod server;
mod setting;
mod smtp;
mod throttle;
mod tokens;
mod traces;
mod trusted_documents;
mod unknown;
mod vars;

pub use audit::AuditSettings;
pub use brand::{BrandSettings, Color};
pub use claims::{Claim, ClaimValue, CustomClaims, UserField};
pub use database::DatabaseSettings;
pub use database_url::DatabaseUrl;
pub use forward_auth::ForwardAuthSettings;
pub use graphql::GraphqlSettings;
pub use logging::{LogFormat, LoggingSettings};
pub use loopback::{LOOPBACK_HOSTS, is_loopback, is_loopback_host};
pub use mail::MailSettings;
pub use metrics::MetricsSettings;
pub use oauth::{OauthClient, OauthSettings};
pub use outgoing::{AllowedTarget, OutgoingSettings};
pub use passkeys::PasskeySettings;
use passkeys::is_domain_of;
pub use passwords::PasswordSettings;
pub use providers::{ProviderKind, ProviderSettings, provider_declarations};
pub use proxies::{Proxies, ProxyHeader};
pub use registration::RegistrationSettings;
pub use report::{Declaration, EffectiveSetting, Section, Source, Variable, declarations, is_setting};
pub use roles::is_role_name;
pub use secrecy::{ExposeSecret, SecretString};
pub use secret_key::SecretKey;
pub use server::{ServerSettings, app_origin};
pub use smtp::{Smtp, SmtpSecurity};
pub use throttle::{ThrottleLimits, ThrottleSettings};
pub use tokens::{JwtAlgorithm, TokenSettings};
pub use traces::{OtlpHeader, TracesSettings};
pub use trusted_documents::Manifest;
pub use unknown::{unknown_in_environment, unknown_in_file};
use vars::Vars;

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
    /// The relying party of passkeys.
    pub passkeys: PasskeySettings,
    /// The providers that users can sign in with.
    pub providers: Vec<ProviderSettings>,
    /// How mails are sent.
    pub mail: MailSettings,
    /// The brand of mails and pages.
    pub brand: BrandSettings,
    /// What clients of the GraphQL API may see.
    pub graphql: GraphqlSettings,
    /// The REST and OAuth 2.0 API.
    pub oauth: OauthSettings,
    /// What reverse proxies can ask.
    pub forward_auth: ForwardAuthSettings,
    /// What outgoing requests may reach.
    pub outgoing: OutgoingSettings,
    /// Limits of attempts.
    pub throttle: ThrottleSettings,
    /// How long the audit log is kept.
    pub audit: AuditSettings,
    /// What is logged, and how.
    pub logging: LoggingSettings,
    /// Where the metrics are served.
    pub metrics: MetricsSettings,
    /// Where traces are exported to.
    pub traces: TracesSettings,
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
    /// Reads the settings from variables; where a name comes twice, the first one counts. A secret may also be in the file
    /// that `NAME_FILE` names.
    ///
    /// # Errors
    /// All mistakes at once. None of them contains a secret.
    pub fn from_vars(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, SettingsError> {
        let from_environment = |(name, value)| Variable { name, value, source: Source::Environment };
        Self::read(variables.into_iter().map(from_environment)).map(|(settings, _)| settings)
    }

    /// Reads the settings as [`Self::from_vars`] does. Also returns the effective value of each, and where it comes from.
    ///
    /// # Errors
    /// All mistakes at once. None of them contains a secret.
    pub fn read(variables: impl IntoIterator<Item = Variable>) -> Result<(Self, Vec<EffectiveSetting>), SettingsError> {
        let mut vars = Vars::new(variables);
        let database = DatabaseSettings::read(&mut vars);
        let server = ServerSettings::read(&mut vars);
        let tokens = TokenSettings::read(&mut vars, &server, &database);
        let registration = RegistrationSettings::read(&mut vars);
        let passwords = PasswordSettings::read(&mut vars);
        let passkeys = PasskeySettings::read(&mut vars, &server);
        let forward_auth = ForwardAuthSettings::read(&mut vars, &server);
        let providers = ProviderSettings::read(&mut vars, &server);
        let mail = MailSettings::read(&mut vars, &server);
        registration.check(&mut vars, &mail);
        tokens.claims.check(&mut vars, &registration);
        let listen = server.listen;
        let settings = Self {
            database,
            server,
            tokens,
            registration,
            passwords,
            passkeys,
            forward_auth,
            providers,
            mail,
            brand: BrandSettings::read(&mut vars),
            graphql: GraphqlSettings::read(&mut vars),
            oauth: OauthSettings::read(&mut vars),
            outgoing: OutgoingSettings::read(&mut vars),
            throttle: ThrottleSettings::read(&mut vars),
            audit: AuditSettings::read(&mut vars),
            logging: LoggingSettings::read(&mut vars),
            metrics: MetricsSettings::read(&mut vars, listen),
            traces: TracesSettings::read(&mut vars),
        };
        vars.finish(settings)
    }
}
