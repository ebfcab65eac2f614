//! Exports of other systems: how their rows become records of the import.
//!
//! A profile maps what a system documents. It never marks an address as verified that the system has not verified, and it counts what
//! does not come along.

mod auth0;
mod authorizer;
mod django;
mod fields;
mod firebase;
mod keycloak;
mod notes;
mod passwords;
mod supabase;

use std::path::Path;

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use self::{fields::Fields, notes::Notes, passwords::Passwords};
use super::UNREADABLE;
use crate::{
    config::{ProviderKind, Settings},
    domain::users::import::{Column, Record, RecordError},
    security::password::FirebaseParameters,
};

/// A system whose export can be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli::user) enum System {
    Auth0,
    Authorizer,
    Django,
    Firebase,
    Keycloak,
    Supabase,
}

impl System {
    /// The system with this name on the command line.
    pub(in crate::cli::user) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "auth0" => Self::Auth0,
            "authorizer" => Self::Authorizer,
            "django" => Self::Django,
            "firebase" => Self::Firebase,
            "keycloak" => Self::Keycloak,
            "supabase" => Self::Supabase,
            _ => return None,
        })
    }

    /// Whether exports may be JSON Lines. The others are one object with an array.
    pub(in crate::cli::user::source) fn has_lines(self) -> bool {
        !matches!(self, Self::Authorizer | Self::Firebase | Self::Keycloak)
    }
}

/// Files with what is missing in an export.
#[derive(Clone, Debug, Default, clap::Args)]
pub(in crate::cli::user) struct Companions {
    /// The password hashes that Auth0's support exports. Only with `--from auth0`.
    #[arg(long, value_name = "FILE", requires = "from")]
    passwords: Option<std::path::PathBuf>,
    /// The parameters of password hashes, as Firebase's console shows them. Only with `--from firebase`.
    #[arg(long, value_name = "FILE", requires = "from")]
    hash_config: Option<std::path::PathBuf>,
}

impl Companions {
    /// Whether a file is named.
    pub(in crate::cli::user) fn is_given(&self) -> bool {
        self.passwords.is_some() || self.hash_config.is_some()
    }
}

/// Maps the rows of a system to records.
pub(super) struct Profile {
    system: System,
    roles: Vec<String>,
    default_roles: Vec<String>,
    /// The id and the issuer of each provider that is configured.
    providers: Vec<(String, String)>,
    now: DateTime<Utc>,
    passwords: Option<Passwords>,
    firebase: Option<FirebaseParameters>,
    notes: Notes,
}

/// What a row becomes: a record, an error, or nothing because it is no user.
type Mapped = Result<Option<Record>, RecordError>;

impl Profile {
    pub(super) fn new(
        system: System,
        companions: &Companions,
        settings: &Settings,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        let Companions { passwords, hash_config } = companions;
        if passwords.is_some() && system != System::Auth0 {
            bail!(crate::cli::UsageError("--passwords: only with --from auth0"));
        }
        if hash_config.is_some() && system != System::Firebase {
            bail!(crate::cli::UsageError("--hash-config: only with --from firebase"));
        }
        let providers = settings.providers.iter().map(|provider| {
            let issuer = match &provider.kind {
                ProviderKind::OpenId { issuer } => issuer,
                ProviderKind::GitHub { address } => address,
            };
            (provider.id.clone(), issuer.clone())
        });
        Ok(Self {
            system,
            roles: settings.registration.roles.clone(),
            default_roles: settings.registration.default_roles.clone(),
            providers: providers.collect(),
            now,
            passwords: passwords.as_deref().map(Passwords::open).transpose()?,
            firebase: hash_config.as_deref().map(hash_parameters).transpose()?,
            notes: Notes::default(),
        })
    }

    /// The record of a row. `None` for a row that is no user, or a user that is left out.
    ///
    /// # Errors
    /// If a file of the export cannot be read.
    pub(super) fn record(&mut self, row: Map<String, Value>) -> Result<Mapped> {
        let fields = Fields::new(row);
        Ok(match self.system {
            System::Auth0 => return self.auth0(&fields).context(UNREADABLE),
            System::Authorizer => self.authorizer(&fields),
            System::Django => Ok(self.django(&fields)),
            System::Firebase => self.firebase(&fields),
            System::Keycloak => self.keycloak(&fields),
            System::Supabase => Ok(self.supabase(&fields)),
        })
    }

    /// What did not come along.
    pub(super) fn notes(&self) -> impl Iterator<Item = String> {
        self.notes.lines()
    }

    /// Sets the hash, or records that the user has no password.
    fn set_password(&mut self, record: &mut Record, hash: Option<String>) {
        if let Some(hash) = hash {
            record.set(Column::PasswordHash, hash);
        } else {
            self.notes.count("users without a password, who get a link to set one when they try to sign in");
            record.set(Column::HasPassword, "false".to_owned());
        }
    }

    /// Sets the roles that exist here in addition to `DEFAULT_ROLES`, and counts the others.
    fn set_roles(&mut self, record: &mut Record, names: impl IntoIterator<Item = String>) {
        let mut roles = self.default_roles.clone();
        for name in names {
            if !self.roles.contains(&name) {
                self.notes.count(&format!("users with the role {name:?}, which is not in ROLES"));
            } else if !roles.contains(&name) {
                roles.push(name);
            }
        }
        record.set(Column::Roles, json!(roles).to_string());
    }

    /// Sets the identities at providers that are configured, and counts the others. An identity is the name of the provider in the
    /// export, the subject, and the address.
    fn set_identities(
        &mut self,
        record: &mut Record,
        identities: impl IntoIterator<Item = (String, Option<String>, Option<String>)>,
    ) {
        let mut known = Vec::new();
        for (provider, subject, email) in identities {
            let issuer = issuer(&provider);
            let configured = self.providers.iter().find(|(_, configured)| Some(configured.as_str()) == issuer);
            match (configured, subject) {
                (Some((id, issuer)), Some(subject)) => {
                    known.push(json!({ "provider": id, "issuer": issuer, "subject": subject, "email": email }));
                }
                _ => self
                    .notes
                    .count(&format!("accounts at {provider:?}, which is not a provider here or has other ids")),
            }
        }
        if !known.is_empty() {
            record.set(Column::Identities, Value::Array(known).to_string());
        }
    }
}

/// The issuer of a provider whose subjects are the same for all clients. Those of Microsoft, for example, are not.
fn issuer(provider: &str) -> Option<&'static str> {
    Some(match provider {
        "google" | "google.com" | "google-oauth2" => "https://accounts.google.com",
        "github" | "github.com" => "https://github.com",
        "gitlab" => "https://gitlab.com",
        _ => return None,
    })
}

/// Reads the parameters of Firebase's hashes: lines such as `rounds: 8,`.
fn hash_parameters(path: &Path) -> Result<FirebaseParameters> {
    const MAX_LENGTH: u64 = 64 * 1024;
    let failed = || format!("{} can't be read", path.display());
    let file = std::fs::File::open(path).with_context(failed)?;
    let mut text = String::new();
    std::io::Read::read_to_string(&mut std::io::Read::take(file, MAX_LENGTH), &mut text).with_context(failed)?;
    let value = |name: &str| {
        let (_, rest) = text.split_once(name)?;
        let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '"' | ':'));
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, ',' | '"' | '}')).unwrap_or(rest.len());
        rest.get(..end)
    };
    let parameters = || {
        let [key, separator] = [value("base64_signer_key")?, value("base64_salt_separator")?];
        FirebaseParameters::new(key, separator, value("rounds")?, value("mem_cost")?)
    };
    parameters().with_context(|| {
        format!(
            "{}: expected base64_signer_key, base64_salt_separator, rounds and mem_cost, as Firebase's console shows them",
            path.display()
        )
    })
}
