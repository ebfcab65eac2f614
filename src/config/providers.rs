//! Providers that users can sign in with: Google, GitHub, GitLab, Microsoft, and any other OpenID Connect provider.
//!
//! Each provider in `OIDC_PROVIDERS` has settings of its own, whose names begin with its id: `GOOGLE_CLIENT_ID`. The manual describes
//! them once, as `<ID>_CLIENT_ID`.

use std::sync::LazyLock;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::config::{
    Declaration, ServerSettings, is_loopback_host,
    setting::{Setting, join},
    vars::Vars,
};

/// A provider that users can sign in with.
#[derive(Clone, Debug)]
pub struct ProviderSettings {
    /// The id, which is in the address of the callback: a-z, 0-9 and -.
    pub id: String,
    /// The name that users know.
    pub name: String,
    /// How the provider is used.
    pub kind: ProviderKind,
    /// The id of this client at the provider.
    pub client_id: String,
    /// The secret of this client at the provider.
    pub client_secret: SecretString,
    /// The scopes that are requested.
    pub scopes: Vec<String>,
    /// Whether accounts may be found by an address that the provider has verified.
    pub trusts_email: bool,
}

/// How a provider is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProviderKind {
    /// OpenID Connect.
    OpenId {
        /// The issuer, exactly as its metadata states it, except for Microsoft's documents for several tenants.
        issuer: String,
    },
    /// GitHub, or a GitHub Enterprise Server: OAuth 2.0 only.
    GitHub {
        /// The address, without a slash at the end.
        address: String,
    },
}

/// What is known about a provider by its id.
struct Preset {
    id: &'static str,
    name: &'static str,
    /// The issuer, or GitHub's address.
    issuer: &'static str,
    /// Whether users cannot choose an address that they do not control.
    trusts_email: bool,
}

const GITHUB: &str = "github";

/// Administrators of a tenant of Microsoft can give users any address, without verification.
const PRESETS: [Preset; 4] = [
    Preset { id: "google", name: "Google", issuer: "https://accounts.google.com", trusts_email: true },
    Preset { id: GITHUB, name: "GitHub", issuer: "https://github.com", trusts_email: true },
    Preset { id: "gitlab", name: "GitLab", issuer: "https://gitlab.com", trusts_email: true },
    Preset {
        id: "microsoft",
        name: "Microsoft",
        issuer: "https://login.microsoftonline.com/common/v2.0",
        trusts_email: false,
    },
];

/// Ids that would make `/auth/<id>` another page, and one whose name would be `OTEL_SERVICE_NAME`.
const RESERVED_IDS: [&str; 15] = [
    "callback",
    "code",
    "error",
    "link",
    "login",
    "logout",
    "mail",
    "otel-service",
    "passkey",
    "password",
    "providers",
    "register",
    "token",
    "unlink",
    "verify",
];

const MAX_PROVIDERS: usize = 16;
const MAX_ID_LENGTH: usize = 32;
const MAX_TEXT_LENGTH: usize = 512;

const SECTION: [&str; 2] = ["providers", "Sign-in with other providers"];

/// The settings of one provider, by their names in the manual.
static DECLARATIONS: LazyLock<Vec<Declaration>> = LazyLock::new(|| {
    let mut vars = Vars::new([]);
    let [name, title] = SECTION;
    vars.section(name, title);
    read_one(&mut vars, "", true);
    vars.declarations()
});

/// The settings that each provider has. Their names begin with `<ID>`.
#[must_use]
pub fn provider_declarations() -> &'static [Declaration] {
    &DECLARATIONS
}

impl ProviderSettings {
    /// Declares and reads the settings of this section.
    pub(super) fn read(vars: &mut Vars, server: &ServerSettings) -> Vec<Self> {
        let [name, title] = SECTION;
        vars.section(name, title);
        let ids = Setting::new(
            "OIDC_PROVIDERS",
            "The providers that users can sign in with: `google`, `github`, `gitlab`, `microsoft`, and names of your choice for \
             other OpenID Connect providers. Each needs the settings below.",
        )
        .parsed(
            "ids of a-z, 0-9 and -, separated by commas, such as `google,github,acme`, each once and at most 16",
            ids,
            |ids| join(ids),
        )
        .read_optional(vars)
        .unwrap_or_default();
        if let Some(reserved) = ids.iter().find(|id| RESERVED_IDS.contains(&id.as_str())) {
            vars.mistake(format!(
                "OIDC_PROVIDERS: expected other ids than {}, got \"{reserved}\"",
                RESERVED_IDS.join(", ")
            ));
        }
        ids.iter().filter_map(|id| read_one(vars, id, server.is_local)).collect()
    }

    /// The address of the callback, which must be registered at the provider.
    #[must_use]
    pub fn callback_url(&self, public_url: &str) -> String {
        format!("{public_url}/auth/{}/callback", self.id)
    }
}

/// Reads the settings of a provider; `None` if a required one is missing or wrong.
fn read_one(vars: &mut Vars, id: &str, is_local: bool) -> Option<ProviderSettings> {
    let preset = PRESETS.iter().find(|preset| preset.id == id);
    let is_github = id == GITHUB;
    let name = setting(id, "<ID>_NAME", "The name of the provider that users see.")
        .text(format!("a text of at most {MAX_TEXT_LENGTH} bytes"), |text| {
            (is_short(text) && !text.chars().any(char::is_control)).then(|| text.to_owned())
        })
        .read_or_computed(
            vars,
            preset.map_or(id, |preset| preset.name).to_owned(),
            "`Google`, `GitHub`, `GitLab` or `Microsoft`; otherwise the id",
        );
    let client_id = setting(id, "<ID>_CLIENT_ID", "The id of this client, from the provider. Required.")
        .text("the id of this client at the provider: ASCII characters without spaces", |text| {
            is_plain(text).then(|| text.to_owned())
        })
        .read_optional(vars);
    let client_secret = setting(id, "<ID>_CLIENT_SECRET", "The secret of this client, from the provider. Required.")
        .secret("ASCII characters without spaces", |secret| {
            let mistake = "expected the secret of this client at the provider: ASCII characters without spaces";
            if is_plain(secret.expose_secret()) { Ok(secret.clone()) } else { Err(mistake) }
        })
        .read_optional(vars);
    let issuer = read_issuer(vars, id, preset, is_local);
    let scopes = if is_github { "read:user user:email" } else { "openid email profile" };
    let scopes = setting(id, "<ID>_SCOPES", "The scopes that are requested.")
        .parsed(
            "names separated by spaces or commas, with `openid` among them, except for `github`",
            move |text| parse_scopes(text).filter(|scopes| is_github || scopes.iter().any(|scope| scope == "openid")),
            |scopes| scopes.join(" "),
        )
        .read_or_computed(
            vars,
            scopes.split(' ').map(str::to_owned).collect(),
            "`openid email profile`, for `github` `read:user user:email`",
        );
    let is_preset = preset.is_some_and(|preset| preset.trusts_email && issuer.as_deref() == Some(preset.issuer));
    let trusts_email = setting(
        id,
        "<ID>_TRUST_EMAIL",
        "Whether an account may be found by an address that the provider has verified. **Set it to `true` only if users and \
         their administrators cannot choose any address at the provider: they could take over accounts.** An address that the \
         provider has not marked as verified (`email_verified: true`) is never trusted; Microsoft marks none.",
    )
    .flag()
    .read_or_computed(
        vars,
        is_preset,
        "`true` for `google`, `github` and `gitlab` with their usual issuer, otherwise `false`",
    );
    require(vars, id, "<ID>_CLIENT_ID", "the id of this client at the provider");
    require(vars, id, "<ID>_CLIENT_SECRET", "the secret of this client at the provider");
    if preset.is_none() {
        require(vars, id, "<ID>_ISSUER", "the issuer of the provider");
    }
    let kind = match issuer? {
        address if is_github => ProviderKind::GitHub { address: address.trim_end_matches('/').to_owned() },
        issuer => ProviderKind::OpenId { issuer },
    };
    let (client_id, client_secret) = (client_id?, client_secret?);
    Some(ProviderSettings { id: id.to_owned(), name, kind, client_id, client_secret, scopes, trusts_email })
}

fn read_issuer(vars: &mut Vars, id: &str, preset: Option<&Preset>, is_local: bool) -> Option<String> {
    let parser = setting(
        id,
        "<ID>_ISSUER",
        "The issuer, exactly as `<issuer>/.well-known/openid-configuration` states it. Required for other providers than the \
         four. For one tenant of Microsoft, `https://login.microsoftonline.com/<tenant id>/v2.0`. For `github`, the address of a \
         GitHub Enterprise Server.",
    )
    .text(
        "an https address without a query, such as `https://id.example.org`; while local also http on this machine",
        move |text| issuer(text, is_local),
    );
    let described = format!("`{}`; otherwise none", PRESETS.map(|preset| preset.issuer).join("`, `"));
    // For the manual, which describes no particular provider.
    let default = preset.map(|preset| preset.issuer.to_owned());
    parser.read_or_missing(vars, default, &described)
}

fn setting(id: &str, name: &'static str, doc: &'static str) -> Setting {
    Setting::new(name, doc).of_provider(id)
}

/// Reports a setting that is missing.
fn require(vars: &mut Vars, id: &str, name: &'static str, expected: &str) {
    let name = setting(id, name, "").variable();
    if !vars.is_set(&name) {
        vars.mistake(format!("{name}: expected {expected}, got nothing"));
    }
}

/// Parses the list of ids.
fn ids(text: &str) -> Option<Vec<String>> {
    let is_id = |id: &str| {
        id.len() <= MAX_ID_LENGTH
            && id.starts_with(|c: char| c.is_ascii_lowercase())
            && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let ids: Vec<String> = text.split(',').map(|id| id.trim().to_owned()).collect();
    let are_distinct = ids.iter().enumerate().all(|(index, id)| !ids.iter().skip(index + 1).any(|other| other == id));
    (ids.len() <= MAX_PROVIDERS && are_distinct && ids.iter().all(|id| is_id(id))).then_some(ids)
}

fn is_short(text: &str) -> bool {
    (1..=MAX_TEXT_LENGTH).contains(&text.len())
}

fn is_plain(text: &str) -> bool {
    is_short(text) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Parses an issuer. It is not normalised: the text must be equal to that of the metadata.
fn issuer(text: &str, is_local: bool) -> Option<String> {
    let url = Url::parse(text).ok().filter(|_| is_plain(text))?;
    let host = url.host()?;
    let is_encrypted =
        text.starts_with("https://") || (text.starts_with("http://") && is_local && is_loopback_host(&host));
    let is_bare =
        url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    (is_encrypted && is_bare).then(|| text.to_owned())
}

/// Parses scopes (RFC 6749 §3.3).
fn parse_scopes(text: &str) -> Option<Vec<String>> {
    let scopes: Vec<&str> = text.split([' ', ',']).filter(|scope| !scope.is_empty()).collect();
    let is_scope = |scope: &&str| is_plain(scope) && !scope.contains(['"', '\\']);
    (is_short(text) && !scopes.is_empty() && scopes.iter().all(is_scope))
        .then(|| scopes.into_iter().map(str::to_owned).collect())
}
