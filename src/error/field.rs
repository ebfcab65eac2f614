//! The input fields that can be invalid.

/// An input field. Each API has its own spelling of the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Field {
    Username,
    Email,
    NewEmail,
    Password,
    CurrentPassword,
    NewPassword,
    FirstName,
    LastName,
    Name,
    Roles,
    EmailVerified,
    Reason,
    Token,
}

impl Field {
    /// The name in GraphQL, such as `newEmail`.
    #[must_use]
    pub const fn camel_case(self) -> &'static str {
        self.names().0
    }

    /// The name in REST, such as `new_email`.
    #[must_use]
    pub const fn snake_case(self) -> &'static str {
        self.names().1
    }

    /// The name in camelCase and in snake_case.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Username => ("username", "username"),
            Self::Email => ("email", "email"),
            Self::NewEmail => ("newEmail", "new_email"),
            Self::Password => ("password", "password"),
            Self::CurrentPassword => ("currentPassword", "current_password"),
            Self::NewPassword => ("newPassword", "new_password"),
            Self::FirstName => ("firstName", "first_name"),
            Self::LastName => ("lastName", "last_name"),
            Self::Name => ("name", "name"),
            Self::Roles => ("roles", "roles"),
            Self::EmailVerified => ("emailVerified", "email_verified"),
            Self::Reason => ("reason", "reason"),
            Self::Token => ("token", "token"),
        }
    }
}
