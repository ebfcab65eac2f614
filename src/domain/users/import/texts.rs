//! Parsers for the formats of ids, booleans, times and lists in exports of other software.

use chrono::{DateTime, Datelike, NaiveDateTime, SubsecRound, Utc};
use uuid::Uuid;

use crate::domain::users::import::RecordError;

/// Years that all three databases can store.
const YEARS: std::ops::RangeInclusive<i32> = 1000..=9999;

/// Parses an id. UUIDs are kept. Sequential numbers of other software are dropped, and the user gets a new id.
pub(super) fn id(text: &str) -> Result<Option<Uuid>, RecordError> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) && text.len() < 32 {
        return Ok(None);
    }
    let id = Uuid::try_parse(text).ok().filter(|id| !id.is_nil());
    id.map(Some).ok_or(RecordError::new("id", "Expected a UUID or a number."))
}

/// Parses a boolean as Python, JSON, PostgreSQL and SQLite write it. An absent value is `default`.
pub(super) fn flag(text: Option<String>, column: &'static str, default: bool) -> Result<bool, RecordError> {
    match text.map(|text| text.to_ascii_lowercase()).as_deref() {
        None => Ok(default),
        Some("true" | "t" | "1") => Ok(true),
        Some("false" | "f" | "0") => Ok(false),
        Some(_) => Err(RecordError::new(column, "Expected true, false, 1 or 0.")),
    }
}

/// Parses an ISO 8601 time with `T` or a space as separator. A time without an offset is in UTC.
pub(super) fn instant(text: Option<String>, column: &'static str) -> Result<Option<DateTime<Utc>>, RecordError> {
    let Some(text) = text else {
        return Ok(None);
    };
    let with_offset = ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z"];
    let without_offset = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"];
    let with_offset = with_offset.iter().find_map(|format| DateTime::parse_from_str(&text, format).ok());
    let in_utc = || without_offset.iter().find_map(|format| NaiveDateTime::parse_from_str(&text, format).ok());
    let instant = with_offset.map(|instant| instant.to_utc()).or_else(|| in_utc().map(|instant| instant.and_utc()));
    match instant.filter(|instant| YEARS.contains(&instant.year())) {
        // Truncates to microseconds, the precision of all three databases.
        Some(instant) => Ok(Some(instant.trunc_subsecs(6))),
        None => Err(RecordError::new(column, "Expected a time such as 2026-01-31T12:00:00Z.")),
    }
}

/// Parses names that are separated by commas, a JSON array or a PostgreSQL array.
pub(super) fn roles(text: &str) -> Option<Vec<String>> {
    if text.starts_with('[') {
        return serde_json::from_str(text).ok();
    }
    let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    let names = inner.split(',').map(|name| name.trim().trim_matches('"'));
    Some(names.filter(|name| !name.is_empty()).map(ToOwned::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instant_accepts_common_formats() {
        for (text, expected) in [
            ("2025-08-01T12:00:00Z", "2025-08-01T12:00:00Z"),
            ("2025-08-01 12:00:00", "2025-08-01T12:00:00Z"),
            ("2025-08-01 12:00:00.123456", "2025-08-01T12:00:00.123456Z"),
            ("2025-08-01T12:00:00.123456", "2025-08-01T12:00:00.123456Z"),
            ("2025-08-01T12:00:00.123456789Z", "2025-08-01T12:00:00.123456Z"),
            ("2025-08-01 12:00:00.1+00", "2025-08-01T12:00:00.1Z"),
            ("2025-08-01 12:00:00+03", "2025-08-01T09:00:00Z"),
            ("2025-08-01 12:00:00.5-05:30", "2025-08-01T17:30:00.5Z"),
            ("2025-08-01T12:00:00+0300", "2025-08-01T09:00:00Z"),
        ] {
            let parsed = instant(Some(text.to_owned()), "created_at").unwrap();
            assert_eq!(parsed, Some(expected.parse().unwrap()), "{text}");
        }
        for text in
            ["now", "2025-08-01", "1754049600", "infinity", "2025-13-01T00:00:00Z", "0999-01-01 00:00:00", "12:00"]
        {
            assert!(instant(Some(text.to_owned()), "created_at").is_err(), "{text}");
        }
        assert_eq!(instant(None, "created_at").unwrap(), None);
    }

    #[test]
    fn flag_accepts_the_formats_of_python_and_databases() {
        for (text, expected) in
            [("True", true), ("true", true), ("t", true), ("1", true), ("False", false), ("0", false)]
        {
            assert_eq!(flag(Some(text.to_owned()), "is_active", !expected), Ok(expected), "{text}");
        }
        for text in ["yes", "2", "-1", "null"] {
            assert!(flag(Some(text.to_owned()), "is_active", true).is_err(), "{text}");
        }
        assert_eq!((flag(None, "is_active", true), flag(None, "disabled", false)), (Ok(true), Ok(false)));
    }

    #[test]
    fn roles_accept_commas_json_and_postgresql_arrays() {
        for text in ["admin,user", " admin , user ", r#"["admin","user"]"#, "{admin,user}", r#"{"admin",user}"#] {
            assert_eq!(roles(text).unwrap(), ["admin", "user"], "{text}");
        }
        for text in ["", "[]", "{}", " "] {
            assert_eq!(roles(text).unwrap(), Vec::<String>::new(), "{text}");
        }
        assert_eq!(roles(r#"["admin", 1]"#), None);
    }

    #[test]
    fn id_keeps_uuids_and_drops_numbers() {
        let uuid = "0198c0de-1234-7abc-8def-0123456789ab";
        assert_eq!(id(uuid).unwrap().unwrap().to_string(), uuid);
        assert_eq!(id("0198c0de12347abc8def0123456789ab").unwrap().unwrap().to_string(), uuid);
        assert_eq!(id("17").unwrap(), None);
        for text in ["x", "-1", "0198c0de-1234-7abc-8def-0123456789a", "00000000-0000-0000-0000-000000000000"] {
            assert!(id(text).is_err(), "{text}");
        }
    }
}
