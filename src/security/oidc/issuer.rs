//! The issuer of tokens.

use uuid::Uuid;

use super::{
    OidcError,
    json::{Object, string},
};

/// The hosts of Microsoft's clouds (global, US government, China) that serve several tenants by one document.
const MICROSOFT_HOSTS: [&str; 3] =
    ["login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn"];

/// The part of Microsoft's issuer that stands for the id of a tenant.
const TENANT: &str = "{tenantid}";

/// Who issues the tokens of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Issuer {
    /// Exactly this one.
    Exact(String),
    /// Any tenant of Microsoft. The document for several tenants (`common` or `organizations`) has an issuer with the part
    /// `{tenantid}`, which stands for the claim `tid` of a token.
    MicrosoftTenant(String),
}

impl Issuer {
    /// The issuer that a provider announces, if it is the configured one. They must be equal (OpenID Connect Discovery §4.3),
    /// except for Microsoft's documents for several tenants.
    pub(super) fn announced(configured: &str, announced: &str) -> Option<Self> {
        if announced == configured {
            return Some(Self::Exact(announced.to_owned()));
        }
        let is_microsoft = MICROSOFT_HOSTS.iter().any(|host| {
            announced == format!("https://{host}/{TENANT}/v2.0")
                && ["common", "organizations"].iter().any(|path| configured == format!("https://{host}/{path}/v2.0"))
        });
        is_microsoft.then(|| Self::MicrosoftTenant(announced.to_owned()))
    }

    /// Checks the issuer in the claims of a token, and that of the key that signed it. Returns the issuer of the token.
    ///
    /// Keys of Microsoft have a member `issuer`, which may be a template too. With several tenants, it must be checked: a key of
    /// one tenant must not sign tokens of another.
    pub(super) fn check(&self, claims: &Object, key_issuer: Option<&str>) -> Result<String, OidcError> {
        let issuer = string(claims, "iss").ok_or(OidcError::Claim("iss"))?;
        let is_expected = match self {
            Self::Exact(expected) => issuer == expected,
            Self::MicrosoftTenant(template) => {
                let tenant = string(claims, "tid").filter(|id| is_tenant_id(id)).ok_or(OidcError::Claim("tid"))?;
                let of_tenant = |template: &str| template.replace(TENANT, tenant);
                issuer == of_tenant(template) && key_issuer.is_none_or(|key_issuer| issuer == of_tenant(key_issuer))
            }
        };
        if is_expected { Ok(issuer.to_owned()) } else { Err(OidcError::Issuer) }
    }

    /// Whether the callback of this provider may have this `iss`.
    pub(super) fn is_in_callback(&self, issuer: &str) -> bool {
        match self {
            Self::Exact(expected) => issuer == expected,
            Self::MicrosoftTenant(template) => template.split_once(TENANT).is_some_and(|(before, after)| {
                let tenant = issuer.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
                tenant.is_some_and(is_tenant_id)
            }),
        }
    }
}

/// Whether this is a UUID in its usual form.
fn is_tenant_id(id: &str) -> bool {
    Uuid::try_parse(id).is_ok_and(|uuid| uuid.hyphenated().to_string() == id)
}
