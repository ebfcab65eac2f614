//! Reading the columns of a row by position.

use sea_orm::{DbErr, QueryResult, TryGetable, sea_query::ValueType};

use crate::database::LocalRow;

/// The columns of a row, from left to right. SeaORM builds a name for each column and looks it up, which took an eighth of
/// all instructions of `me`.
pub(super) struct Columns<'a> {
    row: Source<'a>,
    next: usize,
}

enum Source<'a> {
    Driver(&'a QueryResult),
    Local(&'a LocalRow<'a, 'a>),
}

impl<'a> Columns<'a> {
    pub(super) fn of(row: &'a QueryResult) -> Self {
        Self { row: Source::Driver(row), next: 0 }
    }

    pub(super) fn of_local(row: &'a LocalRow<'a, 'a>) -> Self {
        Self { row: Source::Local(row), next: 0 }
    }

    /// Reads the next column.
    pub(super) fn read<T: TryGetable + ValueType>(&mut self) -> Result<T, DbErr> {
        let value = match self.row {
            Source::Driver(row) => row.try_get_by_index(self.next)?,
            Source::Local(row) => row.read(self.next)?,
        };
        self.next += 1;
        Ok(value)
    }
}

/// Defines the model of a table whose rows are read by position. `Model::read` reads the columns in the order of the fields,
/// in which SeaORM selects them.
macro_rules! model {
    (
        $(#[$attribute:meta])*
        pub struct Model {
            $($(#[$field_attribute:meta])* pub $field:ident: $field_type:ty,)*
        }
    ) => {
        $(#[$attribute])*
        pub struct Model {
            $($(#[$field_attribute])* pub $field: $field_type,)*
        }

        impl Model {
            /// Reads the columns of a row.
            pub(in crate::entity) fn read(columns: &mut $crate::entity::columns::Columns<'_>) -> Result<Self, DbErr> {
                Ok(Self { $($field: columns.read()?,)* })
            }
        }
    };
}

pub(super) use model;

#[cfg(test)]
mod tests {
    use std::{env::temp_dir, fs};

    use chrono::{DateTime, Utc};
    use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};
    use uuid::Uuid;

    use super::*;
    use crate::{
        config::DatabaseUrl,
        database::Database,
        entity::{
            session::{self, AuthenticationMethods, BurntGenerations, Delivery},
            user::{self, Roles},
        },
        security::random,
    };

    fn new_id() -> Uuid {
        random::id(DateTime::UNIX_EPOCH).unwrap()
    }

    /// A session and its user. If `is_filled`, every column has a value.
    fn rows(is_filled: bool) -> (session::Model, user::Model) {
        let time: DateTime<Utc> = "2026-01-31T12:34:56.789123Z".parse().unwrap();
        let text = |text: &str| is_filled.then(|| text.to_owned());
        let (time_or_none, number, other_id) =
            (is_filled.then_some(time), is_filled.then_some(7), is_filled.then(new_id));
        let user = user::Model {
            id: new_id(),
            username: format!("Ada{is_filled}"),
            username_key: format!("ada{is_filled}"),
            email: text("Ada@Example.org"),
            email_key: text("ada@example.org"),
            password_hash: ValueType::try_from("hash".into()).unwrap(),
            first_name: text("Ада"),
            last_name: text(""),
            is_active: is_filled,
            roles: Roles(text("admin").into_iter().chain(text("editor")).collect()),
            created_at: time,
            updated_at: time,
            last_login_at: time_or_none,
            email_verified_at: time_or_none,
            pending_email: text("Bo@Example.org"),
            pending_email_key: text("bo@example.org"),
            session_epoch: i32::MAX,
            pending_email_id: other_id,
            pending_email_expires_at: time_or_none,
            never_verified_since: time_or_none,
            is_self_registered: is_filled,
            has_password: is_filled,
        };
        let session = session::Model {
            id: new_id(),
            user_id: user.id,
            generation: -1,
            user_agent: text("agent"),
            ip_address: text("::1"),
            created_at: time,
            last_used_at: time,
            expires_at: time,
            revoked_at: time_or_none,
            rotated_at: time_or_none,
            confirmed_generation: 0,
            repeated_at: time_or_none,
            delivery: if is_filled { Delivery::Cookie } else { Delivery::Body },
            epoch: 3,
            predecessor: number,
            burnt: text("1-3@1790000000").unwrap_or_default().parse::<BurntGenerations>().unwrap(),
            authenticated_at: time_or_none,
            amr: text("pwd otp mfa").unwrap_or_default().parse::<AuthenticationMethods>().unwrap(),
            second_factor_at: time_or_none,
        };
        (session, user)
    }

    #[tokio::test]
    async fn columns_of_a_local_row_are_those_of_the_driver() {
        let directory = temp_dir().join(format!("hallpass-{}", new_id()));
        fs::create_dir(&directory).unwrap();
        let database = Database::connect(&DatabaseUrl::Sqlite(directory.join("db")), None).await.unwrap();
        database.migrate().await.unwrap();
        let db = database.read();
        for is_filled in [false, true] {
            let (session, user) = rows(is_filled);
            let row = user.clone().into_active_model().reset_all();
            user::Entity::insert(row).exec_without_returning(db).await.unwrap();
            session::insert(db, &session).await.unwrap();
            let id = session.id;
            let expected = Some((session, user));
            assert_eq!(session::find_with_user(db, id).await.unwrap(), expected);
            assert_eq!(session::look_up_locally(db, id), Ok(expected));
        }
        database.close().await;
        fs::remove_dir_all(directory).unwrap();
    }
}
