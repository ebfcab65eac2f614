//! Django: `dumpdata`, or the table of users.

use super::{Fields, Profile};
use crate::domain::users::import::{Column, Record};

/// What Django writes instead of the hash if a password cannot be used.
const UNUSABLE: char = '!';

impl Profile {
    pub(super) fn django(&mut self, row: &Fields) -> Option<Record> {
        // Rows of `dumpdata` have a model. The model of users may have another name than `auth.user`.
        let Some(model) = row.text("model") else { return Some(self.django_user(row)) };
        let user = row.object("fields");
        if user.text("password").is_some() {
            return Some(self.django_user(&user));
        }
        self.notes.count(&format!("rows of the model {model:?}"));
        None
    }

    fn django_user(&mut self, user: &Fields) -> Record {
        let mut record = Record::default();
        let columns = [
            ("username", Column::Username),
            ("email", Column::Email),
            ("first_name", Column::FirstName),
            ("last_name", Column::LastName),
            ("is_active", Column::IsActive),
            ("date_joined", Column::CreatedAt),
            ("last_login", Column::LastLoginAt),
        ];
        user.copy(&mut record, columns);
        self.set_password(&mut record, user.text("password").filter(|hash| !hash.starts_with(UNUSABLE)));
        for (name, what) in [
            ("is_superuser", "superusers, who need a role here"),
            ("groups", "users with groups"),
            ("user_permissions", "users with permissions"),
        ] {
            self.notes.count_if(user.is_set(name), what);
        }
        record
    }
}
