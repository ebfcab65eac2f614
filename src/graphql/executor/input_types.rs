//! Checks input values against the types of the schema: JSON values of variables (GraphQL specification, §3.10 "Input
//! Coercion") and literals of a document (§5.6.1 "Values of Correct Type").
//!
//! Messages never contain values. They contain the names of variables, arguments and input fields in the document, and
//! other names of the schema only if introspection is on.

use std::{
    collections::{HashMap, HashSet},
    fmt,
};

use async_graphql::{
    Name, Value,
    parser::types::{BaseType, Type},
};

use crate::graphql::executor::schema_types::SchemaTypes;

/// The input types of the schema, by name.
pub(in crate::graphql) type Types = HashMap<String, InputType>;

#[cfg_attr(test, derive(Debug, PartialEq))]
pub(in crate::graphql) enum InputType {
    Scalar,
    Enum(HashSet<String>),
    Object(Vec<InputField>),
    /// `@oneOf`: exactly one field must be given, and must not be null. The types of the fields are non-null.
    OneOf(Vec<InputField>),
}

/// An input field, or an argument.
#[cfg_attr(test, derive(Debug, PartialEq))]
pub(in crate::graphql) struct InputField {
    pub(in crate::graphql) name: String,
    pub(in crate::graphql) field_type: Type,
    pub(in crate::graphql) has_default: bool,
}

/// The variable or argument that a value belongs to.
#[derive(Clone, Copy)]
pub(in crate::graphql) enum Root<'a> {
    Variable(&'a str),
    DefaultOf(&'a str),
    Argument(&'a str),
}

/// The path from the current position in a value to its root.
#[derive(Clone, Copy)]
enum Path<'a> {
    Root(Root<'a>),
    Field(&'a Path<'a>, &'a str),
    Item(&'a Path<'a>, usize),
}

impl fmt::Display for Root<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "variable `${name}`"),
            Self::DefaultOf(name) => write!(f, "default value of the variable `${name}`"),
            Self::Argument(name) => write!(f, "argument `{name}`"),
        }
    }
}

/// Capitalized for the start of a sentence; `{:#}` is lower case.
impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(root) => write!(f, "{} {root}", if f.alternate() { "the" } else { "The" }),
            Self::Field(inner, name) => write!(f, "`{name}` in {inner:#}"),
            Self::Item(inner, index) => {
                write!(f, "{} {index} of {inner:#}", if f.alternate() { "item" } else { "Item" })
            }
        }
    }
}

/// The origin of a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::graphql) enum Source {
    /// The variables of the request. Enum values are strings.
    Json,
    /// The document. Enum values are names, and variables are represented by [`variable_placeholder`].
    Document,
}

/// A variable in a value of a document, and the expected type.
pub(in crate::graphql) struct Usage<'a> {
    pub(in crate::graphql) variable: String,
    pub(in crate::graphql) expected: &'a Type,
    /// Whether the position has a default value, which replaces an omitted variable.
    pub(in crate::graphql) has_default: bool,
}

/// Checks values.
pub(in crate::graphql) struct Checker<'a> {
    types: &'a Types,
    /// Whether messages may contain names of the schema.
    explain: bool,
    source: Source,
    /// The variables seen so far.
    pub(in crate::graphql) usages: Vec<Usage<'a>>,
}

/// The placeholder of a variable in a value of a document: its name as a binary value, which documents cannot contain.
pub(in crate::graphql) fn variable_placeholder(variable: &Name) -> Value {
    Value::Binary(variable.to_string().into())
}

impl<'a> Checker<'a> {
    pub(in crate::graphql) fn new(types: &'a SchemaTypes, source: Source) -> Self {
        Self { types: &types.inputs, explain: types.explain, source, usages: Vec::new() }
    }

    /// Checks a value against its type. Unknown types are reported by the engine's validation.
    pub(in crate::graphql) fn check(
        &mut self,
        root: Root<'_>,
        expected: &'a Type,
        has_default: bool,
        value: &Value,
    ) -> Result<(), String> {
        let checked = self.check_at(Path::Root(root), expected, has_default, value);
        checked.map_err(|message| if self.explain { message } else { format!("The {root} does not fit its type.") })
    }

    fn check_at(&mut self, path: Path<'_>, expected: &'a Type, has_default: bool, value: &Value) -> Result<(), String> {
        match (&expected.base, value) {
            (_, Value::Binary(variable)) => {
                let variable = String::from_utf8_lossy(variable).into_owned();
                self.usages.push(Usage { variable, expected, has_default });
                Ok(())
            }
            (_, Value::Null) if expected.nullable => Ok(()),
            (_, Value::Null) => {
                Err(format!("{path} must not be null. It is of the type {}.", self.type_name(expected)))
            }
            (BaseType::List(item), Value::List(values)) => values
                .iter()
                .enumerate()
                .try_for_each(|(index, value)| self.check_at(Path::Item(&path, index), item, false, value)),
            // A single value is coerced to a list of one.
            (BaseType::List(item), value) => self.check_at(path, item, false, value),
            (BaseType::Named(name), value) => match self.types.get(name.as_str()) {
                None => Ok(()),
                Some(InputType::Object(fields)) => self.check_object(path, name, fields, false, value),
                Some(InputType::OneOf(fields)) => self.check_object(path, name, fields, true, value),
                Some(InputType::Enum(names)) if self.is_enum_value(names, value) => Ok(()),
                Some(InputType::Scalar) if is_scalar_value(name, value) => Ok(()),
                Some(_) => Err(format!("{path} does not fit the type {}.", self.type_name(expected))),
            },
        }
    }

    fn check_object(
        &mut self,
        path: Path<'_>,
        type_name: &str,
        fields: &'a [InputField],
        is_one_of: bool,
        value: &Value,
    ) -> Result<(), String> {
        let Value::Object(values) = value else {
            return Err(format!("{path} must be an object of the type {type_name}."));
        };
        let mut known = 0;
        for field in fields {
            let path = Path::Field(&path, &field.name);
            match values.get(field.name.as_str()) {
                Some(value) => {
                    known += 1;
                    self.check_at(path, &field.field_type, field.has_default, value)?;
                }
                None if is_one_of || field.field_type.nullable || field.has_default => {}
                None => {
                    return Err(format!("{path} is missing. It is of the type {}.", self.type_name(&field.field_type)));
                }
            }
        }
        let names = || fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>().join(", ");
        if values.len() == known {
            if is_one_of && known != 1 {
                return Err(format!("{path} must have exactly one of the fields of {type_name}: {}.", names()));
            }
            return Ok(());
        }
        let unknown = values.keys().find(|name| fields.iter().all(|field| field.name != name.as_str()));
        let Some(unknown) = unknown else { return Ok(()) };
        let unknown = match self.source {
            Source::Document => format!("the field `{unknown}`, which"),
            // The name may be any text and is not repeated.
            Source::Json => "a field that".to_owned(),
        };
        Err(format!("{path} has {unknown} {type_name} does not have. It has {}.", names()))
    }

    fn is_enum_value(&self, names: &HashSet<String>, value: &Value) -> bool {
        match (self.source, value) {
            (Source::Json, Value::String(name)) => names.contains(name),
            (Source::Document, Value::Enum(name)) => names.contains(name.as_str()),
            _ => false,
        }
    }

    /// The type for a message. An unknown type is text from the client and is not repeated.
    pub(in crate::graphql) fn type_name(&self, expected: &Type) -> String {
        if self.types.contains_key(base_name(expected)) { expected.to_string() } else { "declared".to_owned() }
    }
}

/// The name of a type without its lists.
pub(in crate::graphql) fn base_name(of: &Type) -> &str {
    let mut base = &of.base;
    loop {
        match base {
            BaseType::List(item) => base = &item.base,
            BaseType::Named(name) => return name,
        }
    }
}

fn is_scalar_value(type_name: &str, value: &Value) -> bool {
    match (type_name, value) {
        ("Int", Value::Number(number)) => number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        ("Float", Value::Number(_)) | ("Boolean", Value::Boolean(_)) => true,
        ("ID", Value::Number(number)) => number.is_i64() || number.is_u64(),
        ("DateTime", Value::String(text)) => chrono::DateTime::parse_from_rfc3339(text).is_ok(),
        ("JSON" | "_Any", value) => !has_variable(value),
        ("Int" | "Float" | "Boolean" | "DateTime", _) => false,
        (_, value) => matches!(value, Value::String(_)),
    }
}

/// Whether a literal contains a variable, which would have no type.
fn has_variable(value: &Value) -> bool {
    match value {
        Value::Binary(_) => true,
        Value::List(values) => values.iter().any(has_variable),
        Value::Object(fields) => fields.values().any(has_variable),
        _ => false,
    }
}
