//! `ACCESS_TOKEN_CLAIMS`: claims of access tokens that Hallpass itself does not need, for services that expect the user's roles
//! and fields under names of their own.

mod json;
mod parse;

use crate::config::{RegistrationSettings, setting::Setting, vars::Vars};

/// The claims that RFC 7519, RFC 9068, RFC 8693 and OpenID Connect register and that Hallpass sets, or that would say something
/// about a token that only Hallpass may say.
const RESERVED: [&str; 27] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "sid",
    "gen",
    "client_id",
    "roles",
    "preferred_username",
    "auth_time",
    "acr",
    "amr",
    "azp",
    "scope",
    "scp",
    "nonce",
    "cnf",
    "act",
    "may_act",
    "at_hash",
    "c_hash",
    "s_hash",
    "email_verified",
    "token_type",
];

/// Maximum size of the custom claims of a token, as JSON. A token is a third longer, and sent with each request.
const MAX_SIZE: usize = 2560;

/// A claim: its name and where its value comes from.
pub type Claim = (String, ClaimValue);

/// The custom claims of access tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomClaims(pub Vec<Claim>);

/// Where the value of a claim comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimValue {
    /// The same text for all users.
    Text(String),
    /// The same number for all users.
    Number(i64),
    /// The same flag for all users.
    Flag(bool),
    /// A field of the user. Without a value, the claim is omitted.
    Field(UserField),
    /// All roles of the user.
    Roles,
    /// Those roles of the user that are listed, each under its new name.
    MappedRoles(Vec<(String, String)>),
    /// The first of the listed roles that the user has, under its new name.
    FirstRole {
        /// The roles, with their new names.
        roles: Vec<(String, String)>,
        /// The value if the user has none of them. Without it, the claim is omitted.
        otherwise: Option<String>,
    },
    /// An object with claims of its own.
    Object(Vec<Claim>),
}

/// A field of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserField {
    /// The id, which never changes.
    Id,
    /// The username.
    Username,
    /// The address, if it is verified.
    Email,
    /// First and last name.
    Name,
    /// The first name.
    FirstName,
    /// The last name.
    LastName,
}

impl UserField {
    /// Maximum length in bytes as JSON. Usernames have 64 ASCII characters, addresses 254 and names 100
    /// characters of at most four bytes.
    const fn max_size(self) -> usize {
        match self {
            Self::Id => 38,
            Self::Username => 2 + 64,
            Self::Email => 2 + 4 * 254,
            Self::FirstName | Self::LastName => 2 + 400,
            Self::Name => 2 + 801,
        }
    }
}

impl CustomClaims {
    /// Declares and reads the setting.
    pub(super) fn read(vars: &mut Vars) -> Self {
        let text = Setting::new(
            "ACCESS_TOKEN_CLAIMS",
            "Further claims of access tokens, with the roles and fields of the user. See \
             [Custom claims](tokens.md#custom-claims).",
        )
        .example(r#"{"groups": "$roles"}"#)
        .text(r#"a JSON object such as `{"groups": "$roles"}`"#, |text| Some(text.to_owned()))
        .read_optional(vars);
        match text.map(|text: String| parse::parse(&text)) {
            None => Self::default(),
            Some(Ok(claims)) => Self(claims),
            Some(Err(mistake)) => {
                vars.mistake(format!("ACCESS_TOKEN_CLAIMS: {mistake}"));
                Self::default()
            }
        }
    }

    /// Reports roles that do not exist, and claims that may become too large.
    pub(super) fn check(&self, vars: &mut Vars, registration: &RegistrationSettings) {
        let mut named = Vec::new();
        self.0.iter().for_each(|(_, value)| value.roles(&mut named));
        if let Some(unknown) = named.iter().find(|role| !registration.roles.contains(role)) {
            vars.mistake(format!("ACCESS_TOKEN_CLAIMS: expected only ROLES, got \"{unknown}\"; add it to ROLES"));
        }
        let size = size_of_object(&self.0, &registration.roles);
        if size > MAX_SIZE {
            vars.mistake(format!(
                "ACCESS_TOKEN_CLAIMS: expected claims of at most {MAX_SIZE} bytes, got up to {size} bytes, depending on the user. \
                 Remove claims, or map fewer roles"
            ));
        }
    }
}

impl ClaimValue {
    fn roles<'a>(&'a self, found: &mut Vec<&'a String>) {
        match self {
            Self::MappedRoles(roles) | Self::FirstRole { roles, .. } => {
                found.extend(roles.iter().map(|(role, _)| role));
            }
            Self::Object(claims) => claims.iter().for_each(|(_, value)| value.roles(found)),
            Self::Text(_) | Self::Number(_) | Self::Flag(_) | Self::Field(_) | Self::Roles => {}
        }
    }

    /// The maximum length as JSON, for any user.
    fn max_size(&self, roles: &[String]) -> usize {
        match self {
            Self::Text(text) => size_of_text(text),
            Self::Number(_) => 20,
            Self::Flag(_) => 5,
            Self::Field(field) => field.max_size(),
            Self::Roles => size_of_list(roles.iter()),
            Self::MappedRoles(roles) => size_of_list(roles.iter().map(|(_, name)| name)),
            Self::FirstRole { roles, otherwise } => {
                let names = roles.iter().map(|(_, name)| name).chain(otherwise);
                names.map(|name| size_of_text(name)).max().unwrap_or_default()
            }
            Self::Object(claims) => size_of_object(claims, roles),
        }
    }
}

fn size_of_object(claims: &[Claim], roles: &[String]) -> usize {
    claims.iter().map(|(name, value)| size_of_text(name) + value.max_size(roles) + 2).sum::<usize>() + 2
}

fn size_of_list<'a>(texts: impl Iterator<Item = &'a String>) -> usize {
    texts.map(|text| size_of_text(text) + 1).sum::<usize>() + 2
}

fn size_of_text(text: &str) -> usize {
    serde_json::Value::from(text).to_string().len()
}
