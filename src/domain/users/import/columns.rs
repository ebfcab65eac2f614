//! The columns of a record of the import.

use std::fmt;

/// A column that the import reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "see the names in Column::named")]
pub enum Column {
    Id,
    Username,
    Email,
    FullName,
    FirstName,
    LastName,
    PasswordHash,
    HasPassword,
    IsActive,
    Disabled,
    Roles,
    UnknownRoles,
    CreatedAt,
    UpdatedAt,
    LastLoginAt,
    EmailVerified,
    EmailVerifiedAt,
    PendingEmail,
    Identities,
}

impl Column {
    /// The column with this name. Accepts the names of FastAPI projects and of Hallpass's own tables.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "id" => Self::Id,
            "username" => Self::Username,
            "email" => Self::Email,
            "full_name" => Self::FullName,
            "first_name" => Self::FirstName,
            "last_name" => Self::LastName,
            "hashed_password" | "password_hash" => Self::PasswordHash,
            "has_password" => Self::HasPassword,
            "is_active" => Self::IsActive,
            "disabled" => Self::Disabled,
            "roles" => Self::Roles,
            "unknown_roles" => Self::UnknownRoles,
            "created_at" => Self::CreatedAt,
            "updated_at" => Self::UpdatedAt,
            "last_login" | "last_login_at" => Self::LastLoginAt,
            "email_verified" | "is_verified" => Self::EmailVerified,
            "email_verified_at" => Self::EmailVerifiedAt,
            "pending_email" => Self::PendingEmail,
            "identities" => Self::Identities,
            _ => return None,
        })
    }
}

/// The values of the columns. `None` if a column is absent or empty.
#[derive(Clone, Default)]
pub struct Record {
    pub(super) id: Option<String>,
    pub(super) username: Option<String>,
    pub(super) email: Option<String>,
    pub(super) full_name: Option<String>,
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    pub(super) password_hash: Option<String>,
    pub(super) has_password: Option<String>,
    pub(super) is_active: Option<String>,
    pub(super) disabled: Option<String>,
    pub(super) roles: Option<String>,
    pub(super) unknown_roles: Option<String>,
    pub(super) created_at: Option<String>,
    pub(super) updated_at: Option<String>,
    pub(super) last_login_at: Option<String>,
    pub(super) email_verified: Option<String>,
    pub(super) email_verified_at: Option<String>,
    pub(super) pending_email: Option<String>,
    /// JSON.
    pub(super) identities: Option<String>,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Record(…)")
    }
}

impl Record {
    /// Sets the value of a column.
    pub fn set(&mut self, column: Column, text: String) {
        let field = match column {
            Column::Id => &mut self.id,
            Column::Username => &mut self.username,
            Column::Email => &mut self.email,
            Column::FullName => &mut self.full_name,
            Column::FirstName => &mut self.first_name,
            Column::LastName => &mut self.last_name,
            Column::PasswordHash => &mut self.password_hash,
            Column::HasPassword => &mut self.has_password,
            Column::IsActive => &mut self.is_active,
            Column::Disabled => &mut self.disabled,
            Column::Roles => &mut self.roles,
            Column::UnknownRoles => &mut self.unknown_roles,
            Column::CreatedAt => &mut self.created_at,
            Column::UpdatedAt => &mut self.updated_at,
            Column::LastLoginAt => &mut self.last_login_at,
            Column::EmailVerified => &mut self.email_verified,
            Column::EmailVerifiedAt => &mut self.email_verified_at,
            Column::PendingEmail => &mut self.pending_email,
            Column::Identities => &mut self.identities,
        };
        *field = Some(text);
    }
}
