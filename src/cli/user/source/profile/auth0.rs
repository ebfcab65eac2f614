//! Auth0: the bulk export of users, and the export of password hashes by the support. The latter can also be imported alone.

use anyhow::Result;

use super::{Fields, Mapped, Profile};
use crate::domain::users::import::{Column, Record};

/// What ids of users with a password begin with.
const DATABASE: &str = "auth0|";

impl Profile {
    pub(super) fn auth0(&mut self, user: &Fields) -> Result<Mapped> {
        let mut record = Record::default();
        let columns = [
            ("username", Column::Username),
            ("email", Column::Email),
            ("email_verified", Column::EmailVerified),
            ("given_name", Column::FirstName),
            ("family_name", Column::LastName),
            ("blocked", Column::Disabled),
            ("created_at", Column::CreatedAt),
            ("updated_at", Column::UpdatedAt),
            ("last_login", Column::LastLoginAt),
        ];
        user.copy(&mut record, columns);
        // Without another name, this is the address.
        if let Some(name) = user.text("name").filter(|name| !name.contains('@')) {
            record.set(Column::FullName, name);
        }
        let id = user.text("user_id").or_else(|| user.text("id"));
        let in_database = id.as_deref().and_then(|id| id.strip_prefix(DATABASE));
        let hash = match (user.text("passwordHash"), &mut self.passwords, in_database) {
            (None, Some(passwords), Some(id)) => passwords.hash(id)?,
            (hash, ..) => hash,
        };
        self.set_password(&mut record, hash);
        let mut identities = Vec::new();
        for identity in user.objects("identities") {
            if let Some(provider) = identity.text("provider").filter(|provider| provider != "auth0") {
                identities.push((provider, identity.text("user_id"), identity.object("profileData").text("email")));
            }
        }
        self.set_identities(&mut record, identities);
        for (name, what) in [
            ("multifactor", "users with a second factor"),
            ("phone_number", "phone numbers"),
            ("app_metadata", "users with app metadata"),
            ("user_metadata", "users with user metadata"),
        ] {
            self.notes.count_if(user.is_set(name), what);
        }
        Ok(Ok(Some(record)))
    }
}
