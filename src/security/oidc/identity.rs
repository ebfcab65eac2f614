//! Who a user is at a provider.

use serde_json::Value;

use super::{
    MAX_DOCUMENT_LENGTH, OidcError,
    json::{self, Object, string},
};

/// The maximum length of `sub` (OpenID Connect Core §2).
const MAX_SUBJECT_LENGTH: usize = 255;

/// The maximum length of names and addresses in bytes. Longer ones are ignored.
const MAX_TEXT_LENGTH: usize = 320;

/// A user, as a provider describes them. Only the issuer and the subject identify the user; everything else can change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `iss`
    pub issuer: String,
    /// `sub`: 1 to 255 ASCII characters, unique for the issuer and never assigned to another user.
    pub subject: String,
    /// `email`
    pub email: Option<ProviderEmail>,
    /// `preferred_username`, which the provider does not guarantee to be unique.
    pub username: Option<String>,
    /// `name`
    pub full_name: Option<String>,
    /// `given_name`
    pub first_name: Option<String>,
    /// `family_name`
    pub last_name: Option<String>,
}

/// An address, and what the provider says about it. It is not checked whether it is an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderEmail {
    /// The address.
    pub address: String,
    /// Whether the provider has verified it.
    pub verification: EmailVerification,
}

/// What a provider says about an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailVerification {
    /// The user controlled the address when the provider verified it.
    Verified,
    /// The provider has not verified it, or the claim is not a boolean.
    NotVerified,
    /// The provider says nothing.
    NotStated,
}

impl ProviderEmail {
    /// The address, if accounts may be found by it: the operator trusts the provider's addresses, and the provider says that it has
    /// verified this one.
    #[must_use]
    pub fn trusted(&self, trusts_email: bool) -> Option<&str> {
        (trusts_email && self.verification == EmailVerification::Verified).then_some(&*self.address)
    }

    fn from_claims(claims: &Object) -> Option<Self> {
        // Only the JSON boolean (OpenID Connect Core §5.1). Some providers send strings, such as Apple. If "true" were accepted,
        // there would have to be rules for "True" and "1" as well, and code that takes any string for true trusts "false". An
        // address with a string is not trusted, so no account is found by it, which is safe.
        let verification = match claims.get("email_verified") {
            Some(Value::Bool(true)) => EmailVerification::Verified,
            Some(_) => EmailVerification::NotVerified,
            None => EmailVerification::NotStated,
        };
        Some(Self { address: text(claims, "email")?, verification })
    }
}

impl Identity {
    /// Reads the claims of a token that was verified.
    pub(super) fn from_claims(issuer: String, claims: &Object) -> Result<Self, OidcError> {
        let subject = string(claims, "sub").ok_or(OidcError::Claim("sub"))?;
        let is_plain = subject.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        if !(1..=MAX_SUBJECT_LENGTH).contains(&subject.len()) || !is_plain {
            return Err(OidcError::Subject);
        }
        Ok(Self {
            issuer,
            subject: subject.to_owned(),
            email: ProviderEmail::from_claims(claims),
            username: text(claims, "preferred_username"),
            full_name: text(claims, "name"),
            first_name: text(claims, "given_name"),
            last_name: text(claims, "family_name"),
        })
    }

    /// Adds the claims of a UserInfo response (OpenID Connect Core §5.3) that the ID token does not have. The standard provider puts
    /// the claims of `email` and `profile` there.
    ///
    /// The address and its verification come from the same document: one must not verify the address of the other.
    ///
    /// # Errors
    /// MalformedProfile, or ProfileSubject if the response belongs to another user (§5.3.4).
    pub fn add_user_info(&mut self, json: &[u8]) -> Result<(), OidcError> {
        let claims = json::object(json, MAX_DOCUMENT_LENGTH).ok_or(OidcError::MalformedProfile)?;
        if string(&claims, "sub") != Some(&self.subject) {
            return Err(OidcError::ProfileSubject);
        }
        if self.email.is_none() {
            self.email = ProviderEmail::from_claims(&claims);
        }
        let names = [
            (&mut self.username, "preferred_username"),
            (&mut self.full_name, "name"),
            (&mut self.first_name, "given_name"),
            (&mut self.last_name, "family_name"),
        ];
        for (name, claim) in names {
            if name.is_none() {
                *name = text(&claims, claim);
            }
        }
        Ok(())
    }
}

/// A text that is not needed to sign in, so that a wrong one is ignored.
pub(super) fn text(claims: &Object, name: &str) -> Option<String> {
    let text = string(claims, name)?.trim();
    let is_usable = (1..=MAX_TEXT_LENGTH).contains(&text.len()) && !text.chars().any(char::is_control);
    is_usable.then(|| text.to_owned())
}
