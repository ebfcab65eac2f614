//! Sessions in the schema: what a sign-in answers with.

use async_graphql::SimpleObject;

use super::users::User;
use crate::accounts::sessions::SignIn;

/// RFC 6750 knows no other.
pub(super) const TOKEN_TYPE: &str = "Bearer";

/// A sign-in: what `login` answers with.
#[derive(SimpleObject)]
pub struct AuthPayload {
    /// JWT for the header `Authorization: Bearer …`.
    access_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// Seconds until the access token expires.
    expires_in: i64,
    /// Who signed in.
    user: User,
}

impl From<SignIn> for AuthPayload {
    fn from(sign_in: SignIn) -> Self {
        Self {
            access_token: sign_in.access_token,
            token_type: TOKEN_TYPE,
            expires_in: sign_in.expires_in,
            user: sign_in.user.into(),
        }
    }
}
