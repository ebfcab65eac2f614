//! Databases on the server of `TEST_DATABASE_URL`; most tests of the binary use their own SQLite files.

#[expect(dead_code, reason = "the tests of the API use the rest")]
#[path = "../api/support/database.rs"]
pub mod database;
#[path = "../api/support/schema.rs"]
mod schema;
