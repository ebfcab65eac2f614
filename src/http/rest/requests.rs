//! The JSON requests, deserialized by serde and described by utoipa.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    config::SecretString,
    domain::{
        sign_in::password::Credentials,
        users::{email::EmailChange, profile::ProfileChange, registration::Registration},
    },
    http::fields::changed,
};

/// A sign-in.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct LoginRequest {
    /// Username or e-mail address.
    #[schema(example = "testuser")]
    username: String,
    #[schema(format = Password)]
    password: String,
    /// The second factor, for users who have one: the code of the authenticator app, or a recovery code.
    #[schema(format = Password)]
    otp: Option<String>,
}

impl LoginRequest {
    /// Splits the request into the credentials and the second factor, if any.
    pub(in crate::http) fn into_factors(self) -> (Credentials, Option<SecretString>) {
        let credentials = Credentials { identifier: self.username, password: self.password.into() };
        (credentials, self.otp.map(Into::into))
    }
}

/// A new account.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct RegisterRequest {
    /// 1 to 64 letters (A-Z), digits, `_` and `-`, not starting with `-`. Unique, compared without regard to case.
    #[schema(example = "testuser")]
    username: String,
    /// 8 to 128 characters of any kind. Common passwords, and the user's own name or address, are rejected.
    #[schema(format = Password)]
    password: String,
    /// Required if `REQUIRE_EMAIL` is set.
    #[schema(example = "user@example.com")]
    email: Option<String>,
    /// At most 100 characters.
    first_name: Option<String>,
    /// At most 100 characters.
    last_name: Option<String>,
}

impl From<RegisterRequest> for Registration {
    fn from(request: RegisterRequest) -> Self {
        Self {
            username: request.username,
            password: request.password.into(),
            email: request.email,
            first_name: request.first_name,
            last_name: request.last_name,
        }
    }
}

/// The fields to change. Omitted fields keep their values.
#[derive(Deserialize, ToSchema)]
#[expect(clippy::option_option, reason = "omitted, null and a string are three states")]
pub(in crate::http) struct UpdateRequest {
    /// 1 to 64 letters (A-Z), digits, `_` and `-`, not starting with `-`.
    #[serde(deserialize_with = "changed")]
    #[schema(value_type = Option<String>, nullable = false, example = "testuser")]
    username: Option<Option<String>>,
    /// `null` clears it.
    #[serde(deserialize_with = "changed")]
    #[schema(value_type = Option<String>)]
    first_name: Option<Option<String>>,
    /// `null` clears it.
    #[serde(deserialize_with = "changed")]
    #[schema(value_type = Option<String>)]
    last_name: Option<Option<String>>,
    /// The new address. The change takes effect when the link sent to it is used within 24 hours.
    #[serde(deserialize_with = "changed")]
    #[schema(value_type = Option<String>, nullable = false, example = "user@example.com")]
    email: Option<Option<String>>,
    /// The current password. Required with a new `email`, unless the session signed in less than ten minutes ago.
    #[schema(format = Password)]
    password: Option<String>,
}

impl UpdateRequest {
    /// Splits the request into the change of the names and the change of the address, if any.
    pub(in crate::http) fn into_changes(self) -> (ProfileChange, Option<EmailChange>) {
        let names = ProfileChange { username: self.username, first_name: self.first_name, last_name: self.last_name };
        let password = self.password.map(Into::into);
        let address = self.email.map(|email| EmailChange { new_email: email.unwrap_or_default(), password });
        (names, address)
    }
}

/// The deletion of the signed-in user's account.
#[derive(Default, Deserialize, ToSchema)]
pub(in crate::http) struct DeleteRequest {
    /// The current password. Required unless the session signed in less than ten minutes ago.
    #[schema(format = Password)]
    pub(in crate::http) password: Option<String>,
}

/// A refresh.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct RefreshRequest {
    pub(in crate::http) refresh_token: String,
}
