//! Checks values of variables against the schema's input types (GraphQL specification, §3.10 "Input Coercion").
//!
//! What a client sent never comes back in a message, the name of an unknown field included; names of the schema may.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Value,
    parser::{
        parse_schema,
        types::{BaseType, InputValueDefinition, Type, TypeKind, TypeSystemDefinition, VariableDefinition},
    },
};

/// The input types of the schema, by name.
pub(super) struct InputTypes {
    types: HashMap<String, InputType>,
    explain: bool,
}

enum InputType {
    Scalar,
    Enum(HashSet<String>),
    Object(Vec<InputField>),
}

struct InputField {
    name: String,
    field_type: Type,
    is_required: bool,
}

/// Where in a value the checker is: the field, and the way back.
#[derive(Clone, Copy)]
enum Path<'a> {
    Start,
    Field(&'a Path<'a>, &'a str),
    Item(&'a Path<'a>, usize),
}

impl std::fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Start => f.write_str("The variable declared here"),
            Self::Field(Self::Start, name) => write!(f, "`{name}` in the variable declared here"),
            Self::Field(inner, name) => write!(f, "`{name}` of {inner}"),
            Self::Item(inner, index) => write!(f, "Item {index} of {inner}"),
        }
    }
}

impl InputTypes {
    /// The types of a schema; unless they are to `explain` what they want, they only say no.
    pub(super) fn of(sdl: &str, explain: bool) -> Self {
        let document = parse_schema(sdl).ok();
        let mut types: HashMap<_, _> =
            ["Int", "Float", "String", "Boolean", "ID"].map(|name| (name.to_owned(), InputType::Scalar)).into();
        for definition in document.into_iter().flat_map(|document| document.definitions) {
            let TypeSystemDefinition::Type(definition) = definition else {
                continue;
            };
            let input_type = match definition.node.kind {
                TypeKind::Scalar => InputType::Scalar,
                TypeKind::Enum(kind) => {
                    InputType::Enum(kind.values.iter().map(|value| value.node.value.node.to_string()).collect())
                }
                TypeKind::InputObject(kind) => {
                    InputType::Object(kind.fields.into_iter().map(|field| field.node.into()).collect())
                }
                _ => continue,
            };
            types.insert(definition.node.name.node.to_string(), input_type);
        }
        Self { types, explain }
    }

    /// Whether a value fits a variable's type; there may be none. A type that the schema lacks is left to the engine's
    /// validation.
    pub(super) fn check(&self, variable: &VariableDefinition, value: Option<&Value>) -> Result<(), String> {
        let wanted = &variable.var_type.node;
        let checked = match value {
            None if variable.default_value.is_some() || wanted.nullable => Ok(()),
            None => Err(format!("{} is missing. It is of the type {}.", Path::Start, self.shown(wanted))),
            Some(value) => self.check_at(Path::Start, wanted, value),
        };
        checked.map_err(|told| if self.explain { told } else { format!("{} does not fit its type.", Path::Start) })
    }

    fn check_at(&self, path: Path<'_>, wanted: &Type, value: &Value) -> Result<(), String> {
        match (&wanted.base, value) {
            (_, Value::Null) if wanted.nullable => Ok(()),
            (_, Value::Null) => Err(format!("{path} must not be null. It is of the type {}.", self.shown(wanted))),
            (BaseType::List(item), Value::List(values)) => values
                .iter()
                .enumerate()
                .try_for_each(|(index, value)| self.check_at(Path::Item(&path, index), item, value)),
            // A single value stands for a list of one.
            (BaseType::List(item), value) => self.check_at(path, item, value),
            (BaseType::Named(name), value) => match self.types.get(name.as_str()) {
                None => Ok(()),
                Some(InputType::Object(fields)) => self.check_object(path, name, fields, value),
                Some(InputType::Enum(names)) if is_enum_value(names, value) => Ok(()),
                Some(InputType::Scalar) if is_scalar_value(name, value) => Ok(()),
                Some(_) => Err(format!("{path} does not fit the type {}.", self.shown(wanted))),
            },
        }
    }

    fn check_object(
        &self,
        path: Path<'_>,
        type_name: &str,
        fields: &[InputField],
        value: &Value,
    ) -> Result<(), String> {
        let Value::Object(values) = value else {
            return Err(format!("{path} must be an object of the type {type_name}."));
        };
        for field in fields {
            let path = Path::Field(&path, &field.name);
            match values.get(field.name.as_str()) {
                Some(value) => self.check_at(path, &field.field_type, value)?,
                None if field.is_required => {
                    return Err(format!("{path} is missing. It is of the type {}.", self.shown(&field.field_type)));
                }
                None => {}
            }
        }
        if values.keys().any(|name| fields.iter().all(|field| field.name != name.as_str())) {
            let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
            return Err(format!("{path} has a field that {type_name} does not have. It has {}.", names.join(", ")));
        }
        Ok(())
    }

    /// The type as the schema writes it; one that the schema lacks is the client's word, and not repeated.
    fn shown(&self, wanted: &Type) -> String {
        let mut base = &wanted.base;
        while let BaseType::List(item) = base {
            base = &item.base;
        }
        match base {
            BaseType::Named(name) if self.types.contains_key(name.as_str()) => wanted.to_string(),
            _ => "declared".to_owned(),
        }
    }
}

impl From<InputValueDefinition> for InputField {
    fn from(definition: InputValueDefinition) -> Self {
        let field_type = definition.ty.node;
        Self {
            name: definition.name.node.to_string(),
            is_required: !field_type.nullable && definition.default_value.is_none(),
            field_type,
        }
    }
}

fn is_enum_value(names: &HashSet<String>, value: &Value) -> bool {
    match value {
        Value::String(name) => names.contains(name),
        Value::Enum(name) => names.contains(name.as_str()),
        _ => false,
    }
}

fn is_scalar_value(type_name: &str, value: &Value) -> bool {
    match (type_name, value) {
        ("Int", Value::Number(number)) => number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        ("Float", Value::Number(_)) | ("Boolean", Value::Boolean(_)) => true,
        ("ID", Value::Number(number)) => number.is_i64() || number.is_u64(),
        ("Int" | "Float" | "Boolean", _) => false,
        (_, value) => matches!(value, Value::String(_)),
    }
}
