//! Authorizer: the table `authorizer_users`, or the response of the query `_users`, which has no password hashes.

use super::{Fields, Mapped, Profile};
use crate::domain::users::import::{Column, Record};

impl Profile {
    pub(super) fn authorizer(&mut self, user: &Fields) -> Mapped {
        let mut record = Record::default();
        let columns = [
            ("id", Column::Id),
            ("email", Column::Email),
            ("email_verified", Column::EmailVerified),
            ("given_name", Column::FirstName),
            ("family_name", Column::LastName),
        ];
        user.copy(&mut record, columns);
        for column in [
            ("email_verified_at", Column::EmailVerifiedAt),
            ("created_at", Column::CreatedAt),
            ("updated_at", Column::UpdatedAt),
        ] {
            user.copy_time(&mut record, column, 1)?;
        }
        if user.is_set("revoked_timestamp") {
            record.set(Column::Disabled, "true".to_owned());
        }
        self.set_password(&mut record, user.text("password"));
        self.set_roles(&mut record, user.texts("roles"));
        // The table does not have the ids of users at providers.
        for method in user.texts("signup_methods") {
            self.notes.count_if(
                !matches!(method.as_str(), "basic_auth" | "magic_link_login" | "mobile_basic_auth"),
                "accounts at providers, which are linked again when the user signs in there with the same verified address",
            );
        }
        for (name, what) in [
            ("is_multi_factor_auth_enabled", "users with a second factor"),
            ("phone_number", "phone numbers"),
            ("app_data", "users with app data"),
        ] {
            self.notes.count_if(user.is_set(name), what);
        }
        Ok(Some(record))
    }
}
