//! Supabase Auth: rows of `auth.users`, with those of `auth.identities` as `identities`.

use chrono::DateTime;

use super::{Fields, Profile};
use crate::domain::users::import::{Column, Record};

impl Profile {
    pub(super) fn supabase(&mut self, user: &Fields) -> Option<Record> {
        for (name, what) in [("deleted_at", "deleted users"), ("is_anonymous", "anonymous users")] {
            if user.is_set(name) {
                self.notes.count(what);
                return None;
            }
        }
        let mut record = Record::default();
        let columns = [
            ("id", Column::Id),
            ("email", Column::Email),
            ("email_confirmed_at", Column::EmailVerifiedAt),
            ("created_at", Column::CreatedAt),
            ("updated_at", Column::UpdatedAt),
            ("last_sign_in_at", Column::LastLoginAt),
        ];
        user.copy(&mut record, columns);
        let metadata = user.object("raw_user_meta_data");
        let full_name = metadata.text("full_name").or_else(|| metadata.text("name"));
        if let Some(name) = full_name.filter(|name| !name.contains('@')) {
            record.set(Column::FullName, name);
        }
        metadata.copy(&mut record, [("first_name", Column::FirstName), ("last_name", Column::LastName)]);
        // A ban without an end that can be read is in force.
        let is_banned = user.text("banned_until").is_some_and(|text| {
            let until = ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z"];
            let until = until.iter().find_map(|format| DateTime::parse_from_str(&text, format).ok());
            until.is_none_or(|until| until > self.now)
        });
        if is_banned {
            record.set(Column::Disabled, "true".to_owned());
        }
        self.set_password(&mut record, user.text("encrypted_password"));
        let mut identities = Vec::new();
        for identity in user.objects("identities") {
            let provider = identity.text("provider").filter(|name| !matches!(name.as_str(), "email" | "phone"));
            let data = identity.object("identity_data");
            let subject = identity.text("provider_id").or_else(|| data.text("sub"));
            identities.extend(provider.map(|provider| (provider, subject, data.text("email"))));
        }
        self.set_identities(&mut record, identities);
        for (name, what) in [
            ("phone", "phone numbers"),
            ("is_sso_user", "users of single sign-on"),
            ("email_change", "changes of address"),
        ] {
            self.notes.count_if(user.is_set(name), what);
        }
        Some(record)
    }
}
