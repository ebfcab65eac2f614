//! Deserialization of REST and OAuth requests into the structs that utoipa describes.
//!
//! Derived code stops at the first error. FastAPI reports all errors, so this deserializer records a missing or
//! mistyped field and continues with an empty string. All fields are strings: `String` is required, `Option<String>`
//! may be omitted or null, and [`changed`] distinguishes the two.

use std::{cell::RefCell, fmt};

use serde::{
    Deserializer,
    de::{
        DeserializeOwned, Error as _, IntoDeserializer, Visitor,
        value::{Error, MapDeserializer},
    },
    forward_to_deserialize_any,
};
use serde_json::{Map, Value};

/// The parameter of forms that may contain NUL.
const PASSWORD: &str = "password";

/// A field that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FieldError {
    /// The name of the field.
    pub(super) field: &'static str,
    /// What is wrong with it.
    pub(super) kind: FieldErrorKind,
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FieldErrorKind {
    /// It is required.
    Missing,
    /// It is not a string.
    NotAString,
    /// It is a parameter of a form, and contains NUL.
    HasNul,
}

/// The format of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// A form. Parameters other than passwords must not contain NUL.
    Form,
    /// A JSON object.
    Json,
}

/// Deserializes a request. Unknown fields are ignored.
///
/// # Errors
/// All fields that are missing or have the wrong type, in the order of the struct.
pub(super) fn read<T: DeserializeOwned>(source: Source, values: Map<String, Value>) -> Result<T, Vec<FieldError>> {
    let errors = RefCell::default();
    let request = T::deserialize(Fields { source, values, errors: &errors });
    let errors = errors.into_inner();
    request.ok().filter(|_| errors.is_empty()).ok_or(errors)
}

/// Deserializes a field of a change: `None` if it is omitted, `Some(None)` if it is null.
///
/// # Errors
/// The errors of the deserializer.
#[expect(clippy::option_option, reason = "omitted, null and a string are three states")]
pub(super) fn changed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    struct Changed;

    impl Visitor<'_> for Changed {
        type Value = Option<Option<String>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string or null")
        }

        fn visit_none<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Some(None))
        }

        fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
            Ok(Some(Some(text.to_owned())))
        }
    }

    deserializer.deserialize_any(Changed)
}

/// Deserializes a struct.
struct Fields<'a> {
    source: Source,
    values: Map<String, Value>,
    errors: &'a RefCell<Vec<FieldError>>,
}

impl<'de> Deserializer<'de> for Fields<'_> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        mut self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        // Omitted fields are visited too, so that they are reported as missing.
        let fields = fields.iter().map(|name| {
            let field = Field { name, value: self.values.remove(*name), source: self.source, errors: self.errors };
            (*name, field)
        });
        visitor.visit_map(MapDeserializer::new(fields))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        Err(Error::custom("requests must be structs"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// Deserializes a field.
struct Field<'a> {
    name: &'static str,
    value: Option<Value>,
    source: Source,
    errors: &'a RefCell<Vec<FieldError>>,
}

impl Field<'_> {
    /// Records an error of the field.
    fn record_error(&self, kind: FieldErrorKind) {
        self.errors.borrow_mut().push(FieldError { field: self.name, kind });
    }

    /// Returns the value, or records an error and returns an empty string.
    fn text(self) -> String {
        match &self.value {
            Some(Value::String(text)) => {
                if self.source == Source::Form && self.name != PASSWORD && text.contains('\0') {
                    self.record_error(FieldErrorKind::HasNul);
                }
            }
            Some(_) => self.record_error(FieldErrorKind::NotAString),
            None => self.record_error(FieldErrorKind::Missing),
        }
        match self.value {
            Some(Value::String(text)) => text,
            _ => String::new(),
        }
    }
}

impl<'de> Deserializer<'de> for Field<'_> {
    type Error = Error;

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_string(self.text())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            None | Some(Value::Null) => visitor.visit_none(),
            Some(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            None => visitor.visit_none(),
            Some(Value::Null) => visitor.visit_unit(),
            Some(_) => visitor.visit_string(self.text()),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str bytes byte_buf unit unit_struct newtype_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl IntoDeserializer<'_, Error> for Field<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq, Eq)]
    #[expect(clippy::option_option, reason = "omitted, null and a string are three states")]
    struct Request {
        required: String,
        password: Option<String>,
        #[serde(deserialize_with = "changed")]
        change: Option<Option<String>>,
    }

    fn read(source: Source, value: Value) -> Result<Request, Vec<(&'static str, FieldErrorKind)>> {
        let Value::Object(values) = value else { panic!("not an object") };
        super::read(source, values)
            .map_err(|errors| errors.into_iter().map(|error| (error.field, error.kind)).collect())
    }

    #[test]
    fn all_errors_are_reported_in_the_order_of_the_struct() {
        let errors = read(Source::Json, json!({ "change": 1, "password": [], "other": {} })).unwrap_err();
        assert_eq!(
            errors,
            [
                ("required", FieldErrorKind::Missing),
                ("password", FieldErrorKind::NotAString),
                ("change", FieldErrorKind::NotAString)
            ]
        );
    }

    #[test]
    fn null_is_not_a_required_string() {
        let errors = read(Source::Json, json!({ "required": null })).unwrap_err();
        assert_eq!(errors, [("required", FieldErrorKind::NotAString)]);
    }

    #[test]
    fn change_distinguishes_omitted_from_null() {
        for (value, change) in [
            (json!({ "required": "a" }), None),
            (json!({ "required": "a", "change": null }), Some(None)),
            (json!({ "required": "a", "change": "b" }), Some(Some("b".to_owned()))),
        ] {
            let expected = Request { required: "a".to_owned(), password: None, change };
            assert_eq!(read(Source::Json, value), Ok(expected));
        }
    }

    #[test]
    fn forms_allow_nul_only_in_passwords() {
        let value = json!({ "required": "\0", "password": "\0" });
        assert_eq!(read(Source::Form, value.clone()), Err(vec![("required", FieldErrorKind::HasNul)]));
        assert!(read(Source::Json, value).is_ok());
    }
}
