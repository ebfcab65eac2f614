//! JSON of providers. Unlike `serde_json`, this refuses an object with a repeated member, whose meaning would depend on the
//! parser (RFC 8259 §4, RFC 7519 §4), and deep nesting.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// An object of which each member occurs once.
pub(super) type Object = Map<String, Value>;

/// The maximum depth of arrays and objects.
const MAX_DEPTH: usize = 16;

/// Parses an object. `None` if it is malformed or longer than `max_length` bytes.
pub(super) fn object(json: &[u8], max_length: usize) -> Option<Object> {
    match value(json, max_length)? {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

/// Parses a value. `None` if it is malformed or longer than `max_length` bytes.
pub(super) fn value(json: &[u8], max_length: usize) -> Option<Value> {
    if json.len() > max_length {
        return None;
    }
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let value = deserializer.deserialize_any(Strict { depth: 0 }).ok()?;
    deserializer.end().ok()?;
    Some(value)
}

/// A member that is a string.
pub(super) fn string<'a>(object: &'a Object, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

/// A member that is an array of strings.
pub(super) fn strings<'a>(object: &'a Object, name: &str) -> Option<Vec<&'a str>> {
    object.get(name)?.as_array()?.iter().map(Value::as_str).collect()
}

#[derive(Clone, Copy)]
struct Strict {
    /// The number of arrays and objects around the value.
    depth: usize,
}

impl Strict {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        let depth = self.depth + 1;
        if depth > MAX_DEPTH { Err(E::custom("too deep")) } else { Ok(Self { depth }) }
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
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

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let element = self.deeper()?;
        let mut array = Vec::new();
        while let Some(value) = elements.next_element_seed(element)? {
            array.push(value);
        }
        Ok(array.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let member = self.deeper()?;
        let mut object = Object::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.insert(name, members.next_value_seed(member)?).is_some() {
                return Err(A::Error::custom("duplicate member"));
            }
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_those_of_serde_json() {
        let text = r#"{"a": [1, -1, 1.5, true, null, "x\u0041"], "b": {"c": {}}}"#;
        assert_eq!(value(text.as_bytes(), 100), Some(serde_json::from_str::<Value>(text).unwrap()));
        assert_eq!(object(b" {\"a\": 18446744073709551615} ", 100).unwrap()["a"], json!(u64::MAX));
    }

    #[test]
    fn repeated_member_is_refused_at_every_depth() {
        for text in [r#"{"a":1,"a":1}"#, r#"{"b":[{"a":1,"c":2,"a":3}]}"#, r#"{"a":1,"\u0061":2}"#] {
            assert_eq!(value(text.as_bytes(), 100), None, "{text}");
        }
        assert!(value(br#"{"a":{"b":1},"b":{"b":1}}"#, 100).is_some());
    }

    #[test]
    fn depth_and_length_are_limited() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(value(nested(MAX_DEPTH).as_bytes(), 100).is_some());
        assert_eq!(value(nested(MAX_DEPTH + 1).as_bytes(), 100), None);
        assert_eq!(value(nested(100_000).as_bytes(), 1_000_000), None);
        assert!(value(b"\"12345678\"", 10).is_some());
        assert_eq!(value(b"\"123456789\"", 10), None);
    }

    #[test]
    fn malformed_text_is_refused() {
        for text in ["", "{", "{}x", "{}{}", "[1,]", "NaN", "1e999", "{\"a\"}", "\u{feff}{}", "\"\\ud800\""] {
            assert_eq!(value(text.as_bytes(), 100), None, "{text}");
        }
        assert_eq!(value(b"\"\xff\"", 100), None);
        assert_eq!(object(b"[]", 100), None);
    }
}
