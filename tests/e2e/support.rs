//! Databases on the server that `TEST_DATABASE_URL` names; most tests of the binary have SQLite files of their own.

#[expect(dead_code, reason = "the tests of the API use the rest")]
#[path = "../api/support/database.rs"]
pub mod database;
#[path = "../api/support/schema.rs"]
mod schema;
