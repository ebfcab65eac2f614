//! How the user of a session signed in.

use std::{convert::Infallible, fmt, str::FromStr};

use sea_orm::DeriveValueType;

/// A password.
const PASSWORD: &str = "pwd";
/// A one-time password: of an authenticator app, or a recovery code.
const ONE_TIME_PASSWORD: &str = "otp";
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

    /// These methods, followed by a one-time password as second factor.
    #[must_use]
    pub fn with_one_time_password(mut self) -> Self {
        for method in [ONE_TIME_PASSWORD, MULTI_FACTOR] {
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
        assert_eq!("hwk user".parse::<AuthenticationMethods>().unwrap().to_string(), "hwk user");
    }
}
