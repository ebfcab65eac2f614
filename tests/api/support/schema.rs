//! The tables of a database as text, for comparison.

use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::database::TestDatabase;

const SQLITE: [&str; 3] = [
    "SELECT m.name || '.' || c.name || ' ' || c.type || ' ' || c.\"notnull\" || ' ' || ifnull(c.dflt_value, '-') || ' ' || c.pk \
     FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'",
    "SELECT m.name || ' ' || i.name || ' ' || i.\"unique\" || ' ' || group_concat(c.name) FROM sqlite_master m \
     JOIN pragma_index_list(m.name) i JOIN pragma_index_info(i.name) c WHERE m.type = 'table' GROUP BY m.name, i.name",
    "SELECT m.name || '.' || f.\"from\" || ' ' || f.\"table\" || ' ' || f.on_delete FROM sqlite_master m \
     JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'",
];

const POSTGRES: [&str; 3] = [
    "SELECT concat_ws(' ', table_name || '.' || column_name, data_type, character_maximum_length, is_nullable, \
     column_default) FROM information_schema.columns WHERE table_schema = current_schema()",
    "SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema()",
    "SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint \
     WHERE connamespace = current_schema()::regnamespace",
];

const MYSQL: [&str; 3] = [
    "SELECT CAST(CONCAT_WS(' ', table_name, column_name, column_type, is_nullable, column_default, collation_name) AS CHAR) \
     FROM information_schema.columns WHERE table_schema = DATABASE()",
    "SELECT CAST(CONCAT_WS(' ', table_name, index_name, non_unique, \
     GROUP_CONCAT(column_name ORDER BY seq_in_index)) AS CHAR) \
     FROM information_schema.statistics WHERE table_schema = DATABASE() GROUP BY table_name, index_name, non_unique",
    "SELECT CAST(CONCAT_WS(' ', table_name, constraint_name, referenced_table_name, delete_rule) AS CHAR) \
     FROM information_schema.referential_constraints WHERE constraint_schema = DATABASE()",
];

impl TestDatabase {
    /// Columns, indexes and foreign keys of a table. Columns are unordered: a column that is added again comes last.
    pub async fn schema(&self) -> Vec<String> {
        let connection = self.connect().await;
        let backend = connection.get_database_backend();
        let queries = match backend {
            DbBackend::Postgres => POSTGRES,
            DbBackend::MySql => MYSQL,
            _ => SQLITE,
        };
        let mut schema = Vec::new();
        for query in queries {
            for row in connection.query_all_raw(Statement::from_string(backend, query)).await.unwrap() {
                schema.push(row.try_get_by_index::<String>(0).unwrap());
            }
        }
        connection.close().await.unwrap();
        schema.sort();
        schema
    }
}
