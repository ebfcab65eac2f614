//! JSON from bodies and query strings, with a limit on the number of values.

use std::{cell::Cell, fmt};

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

/// Maximum number of values in a JSON text, including objects and arrays. A value of two bytes takes more than 100
/// bytes of memory. Requests of real clients have fewer than 50.
const MAX_VALUES: usize = 2000;

/// Why a text was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadJson {
    NotJson,
    TooManyValues,
}

impl BadJson {
    /// The message for [`Self::TooManyValues`].
    pub(super) const TOO_MANY_VALUES: &str = "The JSON has too many values: at most 2000 are accepted.";
}

/// Parses JSON. Stops at the first value over the limit.
///
/// # Errors
/// The text is not JSON, or has too many values.
pub(super) fn parse(text: &[u8]) -> Result<Value, BadJson> {
    let left = Cell::new(Some(MAX_VALUES));
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = Counted(&left).deserialize(&mut deserializer);
    match value.and_then(|value| deserializer.end().map(|()| value)) {
        Ok(value) => Ok(value),
        Err(_) if left.get().is_none() => Err(BadJson::TooManyValues),
        Err(_) => Err(BadJson::NotJson),
    }
}

/// Builds a [`Value`] and counts down the values that are left. The counter is `None` when the limit is exceeded.
#[derive(Clone, Copy)]
struct Counted<'a>(&'a Cell<Option<usize>>);

impl<'de> DeserializeSeed<'de> for Counted<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let left = self.0.get().and_then(|left| left.checked_sub(1));
        self.0.set(left);
        if left.is_none() {
            return Err(D::Error::custom("too many values"));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Counted<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(self)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(name) = members.next_key()? {
            let value = members.next_value_seed(self)?;
            values.insert(name, value);
        }
        Ok(Value::Object(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_parsed_like_serde_json() {
        for text in [
            "null",
            "true",
            "-1",
            "18446744073709551615",
            "1.5e3",
            r#""\u00e9\"""#,
            r#"{"a": [1, {"b": null}], "a": "the last counts"}"#,
            "[]",
        ] {
            assert_eq!(parse(text.as_bytes()).ok(), serde_json::from_str(text).ok(), "{text}");
        }
        for text in ["", "{", "[1,]", "{\"a\"}", "1 2", "1e999", "nul", "\"\u{1}\""] {
            assert_eq!(parse(text.as_bytes()), Err(BadJson::NotJson), "{text}");
        }
        assert_eq!(parse(b"\"\xff\""), Err(BadJson::NotJson));
    }

    #[test]
    fn parsing_stops_at_the_first_value_over_the_limit() {
        let list = |items: usize| format!("[{}", vec!["0"; items].join(","));
        assert!(parse(format!("{}]", list(MAX_VALUES - 1)).as_bytes()).is_ok());
        // The rest is not JSON; parsing it would fail with `NotJson`.
        for text in [format!("{},0?", list(MAX_VALUES - 1)), format!("{{\"a\":{},0?", list(MAX_VALUES - 2))] {
            assert_eq!(parse(text.as_bytes()), Err(BadJson::TooManyValues));
        }
    }
}
