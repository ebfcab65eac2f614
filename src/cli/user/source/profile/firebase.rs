//! Firebase Authentication: the file that `firebase auth:export` writes.

use super::{Fields, Mapped, Profile};
use crate::domain::users::import::{Column, Record, RecordError};

impl Profile {
    pub(super) fn firebase(&mut self, user: &Fields) -> Mapped {
        let mut record = Record::default();
        let columns = [
            ("email", Column::Email),
            ("emailVerified", Column::EmailVerified),
            ("displayName", Column::FullName),
            ("disabled", Column::Disabled),
        ];
        user.copy(&mut record, columns);
        for column in [
            ("createdAt", Column::CreatedAt),
            ("lastSignedInAt", Column::LastLoginAt),
            ("lastLoginAt", Column::LastLoginAt),
        ] {
            user.copy_time(&mut record, column, 1000)?;
        }
        let hash =
            match user.text("passwordHash") {
                None => None,
                Some(hash) => {
                    let parameters = self.firebase.as_ref().ok_or(RecordError::new(
                        "passwordHash",
                        "Name a file with the hash parameters of the project: --hash-config FILE.",
                    ))?;
                    let hash = parameters.hash(&hash, &user.text("salt").unwrap_or_default());
                    Some(hash.ok_or(RecordError::new(
                        "passwordHash",
                        "Expected a hash and a salt of this project in Base64.",
                    ))?)
                }
            };
        self.set_password(&mut record, hash);
        let mut identities = Vec::new();
        for info in user.objects("providerUserInfo") {
            let provider = info.text("providerId").filter(|id| !matches!(id.as_str(), "password" | "phone"));
            identities.extend(provider.map(|provider| (provider, info.text("rawId"), info.text("email"))));
        }
        self.set_identities(&mut record, identities);
        for (name, what) in [
            ("mfaInfo", "users with a second factor"),
            ("phoneNumber", "phone numbers"),
            ("photoUrl", "photos"),
            ("customAttributes", "users with custom claims"),
        ] {
            self.notes.count_if(user.is_set(name), what);
        }
        Ok(Some(record))
    }
}
