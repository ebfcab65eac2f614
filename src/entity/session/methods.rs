//! How the user of a session signed in.

use std::{convert::Infallible, fmt, str::FromStr};

use sea_orm::DeriveValueType;

/// A password.
const PASSWORD: &str = "pwd";
/// Another provider has identified the user. RFC 8176 has no value for that; Microsoft uses this one.
const PROVIDER: &str = "fed";
/// Communication over more than one channel: a link or a code in a mail.
const MULTIPLE_CHANNELS: &str = "mca";
/// A one-time password: of an authenticator app, or a recovery code.
const ONE_TIME_PASSWORD: &str = "otp";
/// Proof of possession of a key that is bound to hardware.
const HARDWARE_KEY: &str = "hwk";
/// Proof of possession of a key that is not bound to hardware, such as one that is synchronized.
const SOFTWARE_KEY: &str = "swk";
/// The user was present.
const USER_PRESENCE: &str = "user";
/// More than one factor.
const MULTI_FACTOR: &str = "mfa";

/// The methods of a sign-in: values of `amr` by RFC 8176, separated by spaces in the column. Values of later versions are
/// kept.
#[derive(Clone, Debug, PartialEq, Eq, DeriveValueType)]
#[sea_orm(value_type = "String")]
pub struct AuthenticationMethods(Vec<String>);

impl AuthenticationMethods {
    /// A password only.
    #[must_use]
    pub fn password() -> Self {
        Self(vec![PASSWORD.to_owned()])
    }

    /// A sign-in with another provider only.
    #[must_use]
    pub fn provider() -> Self {
        Self(vec![PROVIDER.to_owned()])
    }

    /// Whether the first factor was a sign-in with another provider.
    #[must_use]
    pub fn is_provider(&self) -> bool {
        self.0.first().is_some_and(|method| method == PROVIDER)
    }

    /// A link or a code in a mail only. Not `otp`, which other services may accept as a second factor.
    #[must_use]
    pub fn mail() -> Self {
        Self(vec![MULTIPLE_CHANNELS.to_owned()])
    }

    /// Whether the first factor was a link or a code in a mail.
    #[must_use]
    pub fn is_mail(&self) -> bool {
        self.0.first().is_some_and(|method| method == MULTIPLE_CHANNELS)
    }

    /// These methods, followed by a one-time password as second factor.
    #[must_use]
    pub fn with_one_time_password(self) -> Self {
        self.with(&[ONE_TIME_PASSWORD, MULTI_FACTOR])
    }

    /// A passkey only. Its authenticator has verified the user.
    #[must_use]
    pub fn passkey(is_backed_up: bool) -> Self {
        Self(Vec::new()).with_passkey(is_backed_up)
    }

    /// These methods, followed by a passkey.
    #[must_use]
    pub fn with_passkey(self, is_backed_up: bool) -> Self {
        self.with(&[if is_backed_up { SOFTWARE_KEY } else { HARDWARE_KEY }, USER_PRESENCE, MULTI_FACTOR])
    }

    fn with(mut self, methods: &[&str]) -> Self {
        for &method in methods {
            if !self.0.iter().any(|known| known == method) {
                self.0.push(method.to_owned());
            }
        }
        self
    }

    /// The values of `amr`.
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for AuthenticationMethods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

impl FromStr for AuthenticationMethods {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.split_whitespace().map(ToOwned::to_owned).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_separated_by_spaces() {
        let methods = AuthenticationMethods::password().with_one_time_password();
        assert_eq!(methods.to_string(), "pwd otp mfa");
        assert_eq!(methods.to_string().parse(), Ok(methods.clone()));
        assert_eq!(methods.clone().with_one_time_password(), methods);
        assert_eq!(methods.with_passkey(true).to_string(), "pwd otp mfa swk user");
        assert_eq!(AuthenticationMethods::passkey(false).to_string(), "hwk user mfa");
        assert_eq!("hwk user".parse::<AuthenticationMethods>().unwrap().to_string(), "hwk user");
    }
}
