//! The input types of the schema, and the arguments of its fields and directives.

use std::collections::HashMap;

use async_graphql::{
    Positioned,
    parser::{
        parse_schema,
        types::{FieldDefinition, InputValueDefinition, TypeKind, TypeSystemDefinition},
    },
};

use crate::graphql::executor::input_types::{InputField, InputType, Types, base_name};

/// The types of the schema, without those of introspection.
pub(in crate::graphql) struct SchemaTypes {
    pub(in crate::graphql) inputs: Types,
    /// The fields of each object type.
    objects: HashMap<String, HashMap<String, Field>>,
    /// The arguments of each directive that a document may contain.
    directives: HashMap<String, Vec<InputField>>,
    /// Whether messages may contain names of the schema.
    pub(in crate::graphql) explain: bool,
}

/// A field of an object type.
pub(in crate::graphql) struct Field {
    pub(in crate::graphql) arguments: Vec<InputField>,
    /// The name of the type it returns, without lists.
    pub(in crate::graphql) type_name: String,
}

impl SchemaTypes {
    /// Parses the types of a schema. `explain` allows messages to contain names of the schema.
    pub(in crate::graphql) fn of(sdl: &str, explain: bool) -> Self {
        let inputs =
            ["Int", "Float", "String", "Boolean", "ID"].map(|name| (name.to_owned(), InputType::Scalar)).into();
        let mut types = Self { inputs, objects: HashMap::new(), directives: HashMap::new(), explain };
        for definition in parse_schema(sdl).into_iter().flat_map(|document| document.definitions) {
            match definition {
                TypeSystemDefinition::Type(definition) => {
                    types.add(definition.node.name.node.to_string(), definition.node.kind);
                }
                TypeSystemDefinition::Directive(definition) => {
                    let name = definition.node.name.node.to_string();
                    types.directives.insert(name, input_fields(definition.node.arguments));
                }
                TypeSystemDefinition::Schema(_) => {}
            }
        }
        types
    }

    fn add(&mut self, name: String, kind: TypeKind) {
        let input_type = match kind {
            TypeKind::Scalar => InputType::Scalar,
            TypeKind::Enum(kind) => {
                InputType::Enum(kind.values.iter().map(|value| value.node.value.node.to_string()).collect())
            }
            TypeKind::InputObject(kind) => InputType::Object(input_fields(kind.fields)),
            TypeKind::Object(kind) => {
                let fields = kind.fields.into_iter().map(|field| (field.node.name.node.to_string(), field.node.into()));
                self.objects.insert(name, fields.collect());
                return;
            }
            TypeKind::Interface(_) | TypeKind::Union(_) => return,
        };
        self.inputs.insert(name, input_type);
    }

    pub(in crate::graphql) fn field(&self, object: &str, name: &str) -> Option<&Field> {
        self.objects.get(object)?.get(name)
    }

    pub(in crate::graphql) fn is_object(&self, name: &str) -> bool {
        self.objects.contains_key(name)
    }

    pub(in crate::graphql) fn directive(&self, name: &str) -> Option<&[InputField]> {
        self.directives.get(name).map(Vec::as_slice)
    }
}

fn input_fields(definitions: Vec<Positioned<InputValueDefinition>>) -> Vec<InputField> {
    definitions.into_iter().map(|definition| definition.node.into()).collect()
}

impl From<FieldDefinition> for Field {
    fn from(definition: FieldDefinition) -> Self {
        let type_name = base_name(&definition.ty.node).to_owned();
        Self { arguments: input_fields(definition.arguments), type_name }
    }
}

impl From<InputValueDefinition> for InputField {
    fn from(definition: InputValueDefinition) -> Self {
        Self {
            name: definition.name.node.to_string(),
            field_type: definition.ty.node,
            has_default: definition.default_value.is_some(),
        }
    }
}
