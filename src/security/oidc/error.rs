//! The reasons why something of a provider is refused.

use std::fmt;

/// The reason why a document, a response or a token of a provider, or a flow, is refused. For logs and tests; it contains no
/// secret and no data of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OidcError {
    /// The flow was not started by this browser, was changed, or belongs to another state.
    UnknownFlow,
    /// The flow was started too long ago.
    ExpiredFlow,
    /// The flow belongs to another provider.
    OtherProvider,
    /// The query of the callback is malformed or too long, or repeats a parameter.
    MalformedCallback,
    /// `iss` of the callback is missing although the provider announces it, or names another issuer.
    CallbackIssuer,
    /// The metadata is not a JSON object, is too long, or repeats a member.
    MalformedMetadata,
    /// A member of the metadata is missing or has a wrong value.
    Metadata(&'static str),
    /// The key set is malformed or too long, or has too many keys.
    MalformedKeySet,
    /// The token endpoint refused the request.
    Refused(ProviderErrorCode),
    /// The token response is malformed or too long.
    MalformedTokenResponse,
    /// The access token is not a bearer token.
    TokenType,
    /// The token response has no ID token.
    MissingIdToken,
    /// The ID token is malformed or too long, or repeats a member.
    MalformedToken,
    /// The header of the ID token has `crit`, or the `typ` of another kind of token.
    TokenHeader,
    /// The algorithm of the ID token is not accepted, or the provider does not announce it.
    Algorithm,
    /// No key of the set fits. The key set may be outdated.
    UnknownKey,
    /// Several keys of the set fit.
    AmbiguousKey,
    /// The signature is incorrect.
    Signature,
    /// A claim is missing or has a wrong type.
    Claim(&'static str),
    /// `iss` is not the issuer, or the key belongs to another issuer.
    Issuer,
    /// `sub` is not 1 to 255 ASCII characters.
    Subject,
    /// `aud` does not contain the client id.
    Audience,
    /// `azp` is not the client id, or is missing although there are several audiences.
    AuthorizedParty,
    /// The token has expired.
    Expired,
    /// `nbf` is in the future.
    NotYetValid,
    /// `iat` is in the future, or too long ago.
    IssuedAt,
    /// `nonce` is not that of the flow.
    Nonce,
    /// `at_hash` is not the hash of the access token.
    AccessTokenHash,
    /// The profile of the user is malformed or too long, or repeats a member.
    MalformedProfile,
    /// The profile belongs to another user than the ID token.
    ProfileSubject,
}

impl fmt::Display for OidcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownFlow => "the flow was not started by this browser",
            Self::ExpiredFlow => "the flow has expired",
            Self::OtherProvider => "the flow belongs to another provider",
            Self::MalformedCallback => "the callback is malformed",
            Self::CallbackIssuer => "iss of the callback is missing or names another issuer",
            Self::MalformedMetadata => "the provider's metadata is malformed",
            Self::Metadata(member) => {
                return write!(f, "{member} of the provider's metadata is missing or not accepted");
            }
            Self::MalformedKeySet => "the provider's key set is malformed",
            Self::Refused(code) => return write!(f, "the provider refused the request: {code}"),
            Self::MalformedTokenResponse => "the token response is malformed",
            Self::TokenType => "the access token is not a bearer token",
            Self::MissingIdToken => "the token response has no ID token",
            Self::MalformedToken => "the ID token is malformed",
            Self::TokenHeader => "the header of the ID token is not accepted",
            Self::Algorithm => "the algorithm of the ID token is not accepted",
            Self::UnknownKey => "no key of the provider fits the ID token",
            Self::AmbiguousKey => "several keys of the provider fit the ID token",
            Self::Signature => "the signature of the ID token is incorrect",
            Self::Claim(claim) => return write!(f, "the claim {claim} is missing or has a wrong type"),
            Self::Issuer => "the ID token is of another issuer",
            Self::Subject => "the claim sub is not accepted",
            Self::Audience => "the ID token is for another client",
            Self::AuthorizedParty => "the ID token was issued to another client",
            Self::Expired => "the ID token has expired",
            Self::NotYetValid => "the ID token is not valid yet",
            Self::IssuedAt => "the ID token was issued in the future or too long ago",
            Self::Nonce => "the ID token belongs to another flow",
            Self::AccessTokenHash => "the ID token belongs to another access token",
            Self::MalformedProfile => "the profile is malformed",
            Self::ProfileSubject => "the profile belongs to another user",
        })
    }
}

impl std::error::Error for OidcError {}

/// The `error` of a provider's response, such as `access_denied` (RFC 6749 §4.1.2.1 and §5.2). Safe to log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderErrorCode(String);

/// The longest code of the standards is `account_selection_required`.
const MAX_CODE_LENGTH: usize = 64;

impl ProviderErrorCode {
    /// Codes with other characters than those of the standards, and long ones, become `invalid_error`.
    pub(super) fn new(code: &str) -> Self {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        let is_plain = (1..=MAX_CODE_LENGTH).contains(&code.len()) && code.bytes().all(is_word);
        Self(if is_plain { code } else { "invalid_error" }.to_owned())
    }

    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProviderErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
