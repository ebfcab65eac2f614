//! The list of all tables.

use sea_orm::DbErr;

use crate::{
    database::copy::Table,
    entity::{
        audit_event, email_sign_in, identity, invitation, link, mail, mfa_challenge, passkey, provider_login,
        recovery_code, remembered_device, session, spent_challenge, throttle, totp_factor, user, user_role, user_word,
    },
};

/// All tables, each after those that it refers to.
pub fn all() -> Result<Vec<Table>, DbErr> {
    Ok(vec![
        Table::of::<user::Entity>()?,
        Table::of::<user_role::Entity>()?,
        Table::of::<user_word::Entity>()?,
        Table::of::<session::Entity>()?,
        Table::of::<audit_event::Entity>()?,
        Table::of::<throttle::Entity>()?,
        Table::of::<link::Entity>()?,
        Table::of::<invitation::Entity>()?,
        Table::of::<invitation::LinkEntity>()?,
        Table::of::<mail::Entity>()?,
        Table::of::<totp_factor::Entity>()?,
        Table::of::<passkey::Entity>()?,
        Table::of::<spent_challenge::Entity>()?,
        Table::of::<recovery_code::Entity>()?,
        Table::of::<mfa_challenge::Entity>()?,
        Table::of::<remembered_device::Entity>()?,
        Table::of::<email_sign_in::Entity>()?,
        Table::of::<identity::Entity>()?,
        Table::of::<provider_login::Entity>()?,
    ])
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, env::temp_dir, fs};

    use chrono::DateTime;
    use sea_orm::{ConnectionTrait, DbBackend, Statement};

    use super::*;
    use crate::{config::DatabaseUrl, database::Database, security::random};

    /// The rows of one text column of a query on a database with all migrations.
    async fn texts(database: &Database, sql: &str) -> BTreeSet<String> {
        let rows = database.read().query_all_raw(Statement::from_string(DbBackend::Sqlite, sql)).await.unwrap();
        rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
    }

    #[tokio::test]
    async fn list_has_all_tables_and_columns_of_the_migrations_in_the_order_of_their_references() {
        let folder = temp_dir().join(format!("hallpass-{}", random::id(DateTime::UNIX_EPOCH).unwrap()));
        fs::create_dir(&folder).unwrap();
        let database = Database::connect(&DatabaseUrl::Sqlite(folder.join("db")), None).await.unwrap();
        database.migrate().await.unwrap();
        let columns = "SELECT t.name || '.' || c.name FROM sqlite_schema t, pragma_table_info(t.name) c \
                       WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name <> 'seaql_migrations'";
        let tables = all().unwrap();
        let of_table = |table: &Table| {
            let name = table.name.clone();
            table.columns.iter().map(move |column| format!("{name}.{}", column.name)).collect::<Vec<_>>()
        };
        let listed: BTreeSet<String> = tables.iter().flat_map(of_table).collect();
        assert_eq!(listed, texts(&database, columns).await);
        for (position, table) in tables.iter().enumerate() {
            let name = &table.name;
            let references =
                texts(&database, &format!("SELECT \"table\" FROM pragma_foreign_key_list('{name}')")).await;
            let before: BTreeSet<String> = tables.iter().take(position).map(|table| table.name.clone()).collect();
            assert!(references.is_subset(&before), "{name} refers to {references:?}");
            let key = format!("SELECT name FROM pragma_table_info('{name}') WHERE pk > 0");
            assert_eq!(table.key().map(ToOwned::to_owned).collect::<BTreeSet<_>>(), texts(&database, &key).await);
        }
        database.close().await;
        fs::remove_dir_all(folder).unwrap();
    }
}
