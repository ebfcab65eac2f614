//! What other software makes of truth, time and lists, when it writes them down.

use chrono::{DateTime, Datelike, NaiveDateTime, SubsecRound, Utc};
use uuid::Uuid;

use crate::domain::users::import::RecordError;

/// Years that all three databases can store.
const YEARS: std::ops::RangeInclusive<i32> = 1000..=9999;

/// The id of an account here is kept. Other software counts its users: such a number is good for nothing here.
pub(super) fn id(text: &str) -> Result<Option<Uuid>, RecordError> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) && text.len() < 32 {
        return Ok(None);
    }
    let id = Uuid::try_parse(text).ok().filter(|id| !id.is_nil());
    id.map(Some).ok_or(RecordError::new("id", "This is neither a UUID nor a number."))
}

/// Yes or no, as Python, JSON, PostgreSQL and SQLite write it; `otherwise` where nothing is said.
pub(super) fn flag(text: Option<String>, column: &'static str, otherwise: bool) -> Result<bool, RecordError> {
    match text.map(|text| text.to_ascii_lowercase()).as_deref() {
        None => Ok(otherwise),
        Some("true" | "t" | "1") => Ok(true),
        Some("false" | "f" | "0") => Ok(false),
        Some(_) => Err(RecordError::new(column, "This is neither true nor false, 1 nor 0.")),
    }
}

/// An instant of ISO 8601, with a `T` or a space in its middle; without a zone it is UTC.
pub(super) fn instant(text: Option<String>, column: &'static str) -> Result<Option<DateTime<Utc>>, RecordError> {
    let Some(text) = text else {
        return Ok(None);
    };
    let zoned = ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z"];
    let bare = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"];
    let zoned = zoned.iter().find_map(|format| DateTime::parse_from_str(&text, format).ok());
    let bare = || bare.iter().find_map(|format| NaiveDateTime::parse_from_str(&text, format).ok());
    let instant = zoned.map(|instant| instant.to_utc()).or_else(|| bare().map(|instant| instant.and_utc()));
    match instant.filter(|instant| YEARS.contains(&instant.year())) {
        // To what all three databases keep.
        Some(instant) => Ok(Some(instant.trunc_subsecs(6))),
        None => Err(RecordError::new(column, "This is no instant such as 2026-01-31T12:00:00Z.")),
    }
}

/// Names with commas between them, or as a list of JSON or PostgreSQL.
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
    fn an_instant_has_many_spellings() {
        for (text, meant) in [
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
            let read = instant(Some(text.to_owned()), "created_at").unwrap();
            assert_eq!(read, Some(meant.parse().unwrap()), "{text}");
        }
        for text in
            ["now", "2025-08-01", "1754049600", "infinity", "2025-13-01T00:00:00Z", "0999-01-01 00:00:00", "12:00"]
        {
            assert!(instant(Some(text.to_owned()), "created_at").is_err(), "{text}");
        }
        assert_eq!(instant(None, "created_at").unwrap(), None);
    }

    #[test]
    fn yes_and_no_are_those_of_python_and_databases() {
        for (text, meant) in [("True", true), ("true", true), ("t", true), ("1", true), ("False", false), ("0", false)]
        {
            assert_eq!(flag(Some(text.to_owned()), "is_active", !meant), Ok(meant), "{text}");
        }
        for text in ["yes", "2", "-1", "null"] {
            assert!(flag(Some(text.to_owned()), "is_active", true).is_err(), "{text}");
        }
        assert_eq!((flag(None, "is_active", true), flag(None, "disabled", false)), (Ok(true), Ok(false)));
    }

    #[test]
    fn roles_are_a_list_in_three_spellings() {
        for text in ["admin,user", " admin , user ", r#"["admin","user"]"#, "{admin,user}", r#"{"admin",user}"#] {
            assert_eq!(roles(text).unwrap(), ["admin", "user"], "{text}");
        }
        for text in ["", "[]", "{}", " "] {
            assert_eq!(roles(text).unwrap(), Vec::<String>::new(), "{text}");
        }
        assert_eq!(roles(r#"["admin", 1]"#), None);
    }

    #[test]
    fn an_id_of_here_is_kept_and_a_number_is_not() {
        let uuid = "0198c0de-1234-7abc-8def-0123456789ab";
        assert_eq!(id(uuid).unwrap().unwrap().to_string(), uuid);
        assert_eq!(id("0198c0de12347abc8def0123456789ab").unwrap().unwrap().to_string(), uuid);
        assert_eq!(id("17").unwrap(), None);
        for text in ["x", "-1", "0198c0de-1234-7abc-8def-0123456789a", "00000000-0000-0000-0000-000000000000"] {
            assert!(id(text).is_err(), "{text}");
        }
    }
}
