//! The names of spans.

use std::{any::type_name, borrow::Cow};

/// The name of a use case: the path of the function that returned this future, without the name of the crate and of the module `domain`.
/// The compiler knows it, so that no caller has to repeat it.
#[must_use]
pub fn use_case_name<F>() -> Cow<'static, str> {
    name_in(type_name::<F>())
}

fn name_in(type_name: &'static str) -> Cow<'static, str> {
    const CRATE: &str = concat!(env!("CARGO_CRATE_NAME"), "::");
    // The future may be boxed, and its own type is a closure in the function.
    let path = type_name.find(CRATE).and_then(|start| type_name.get(start + CRATE.len()..)).unwrap_or_default();
    let end = path.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':').unwrap_or(path.len());
    let name = path.get(..end).unwrap_or_default().trim_end_matches(':');
    let name = name.strip_prefix("domain::").unwrap_or(name);
    if name.is_empty() { "use case".into() } else { name.into() }
}

/// The operation and the table of a statement.
#[cfg(any(feature = "otlp", test))]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StatementName<'a> {
    /// The first word, such as `SELECT`.
    pub(super) operation: &'a str,
    /// The first table.
    pub(super) table: Option<&'a str>,
}

#[cfg(any(feature = "otlp", test))]
impl<'a> StatementName<'a> {
    /// Reads the operation and the table. The statements are those of `entity`, so that a parser is not needed.
    pub(super) fn of(sql: &'a str) -> Self {
        let word = |text: &'a str| text.split(|c: char| c.is_whitespace() || c == ';').next().unwrap_or_default();
        let operation = word(sql.trim_start());
        let before = match operation {
            "SELECT" | "DELETE" | "WITH" => Some(" FROM "),
            "INSERT" => Some(" INTO "),
            "UPDATE" => Some("UPDATE "),
            _ => None,
        };
        let table = before.and_then(|before| sql.split_once(before)).map(|(_, rest)| word(rest));
        let table = table.map(|table| table.trim_matches(['"', '`', '('])).filter(|table| !table.is_empty());
        Self { operation, table }
    }

    /// The name of the span (semantic conventions, `db.query.summary`).
    pub(super) fn summary(&self) -> String {
        match self.table {
            Some(table) => format!("{} {table}", self.operation),
            None => self.operation.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unused_async, reason = "its future is named")]
    async fn some_use_case() {}

    #[test]
    fn use_case_is_named_by_its_function() {
        fn name_of<F>(_: F) -> Cow<'static, str> {
            use_case_name::<F>()
        }
        assert_eq!(name_of(some_use_case()), "traces::names::tests::some_use_case");
        assert_eq!(name_of(Box::pin(some_use_case())), "traces::names::tests::some_use_case");
    }

    #[test]
    fn use_case_of_the_domain_is_named_without_it() {
        for (type_name, expected) in [
            ("hallpass::domain::sessions::refresh::{{closure}}", "sessions::refresh"),
            (
                "core::pin::Pin<alloc::boxed::Box<hallpass::domain::users::email::verify::{{closure}}>>",
                "users::email::verify",
            ),
            ("core::future::ready::Ready<()>", "use case"),
        ] {
            assert_eq!(name_in(type_name), expected);
        }
    }

    #[test]
    fn statement_is_named_by_operation_and_table() {
        for (sql, expected) in [
            (r#"SELECT "users"."id" FROM "users" WHERE "users"."id" = $1"#, "SELECT users"),
            ("SELECT `id` FROM `users` LIMIT ?", "SELECT users"),
            (r#"INSERT INTO "sessions" ("id") VALUES (?)"#, "INSERT sessions"),
            (r#"UPDATE "sessions" SET "ended_at" = ?"#, "UPDATE sessions"),
            (r#"DELETE FROM "mails" WHERE "id" IN (?, ?)"#, "DELETE mails"),
            ("BEGIN IMMEDIATE", "BEGIN"),
            ("BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = '3500ms'", "BEGIN"),
            ("COMMIT", "COMMIT"),
            ("SELECT 1", "SELECT"),
            ("", ""),
        ] {
            assert_eq!(StatementName::of(sql).summary(), expected, "{sql}");
        }
    }
}
