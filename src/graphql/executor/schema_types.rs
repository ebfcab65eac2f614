//! The input types of the schema, and the arguments of its fields and directives.

use std::collections::HashMap;

use crate::graphql::executor::{
    input_types::{InputField, InputType, Types},
    schema_reader::{Definition, definitions},
};

/// The types of the schema, without those of introspection.
pub(in crate::graphql) struct SchemaTypes {
    pub(in crate::graphql) inputs: Types,
    /// The fields of each object type and interface.
    objects: HashMap<String, HashMap<String, Field>>,
    /// The arguments of each directive that a document may contain.
    directives: HashMap<String, Vec<InputField>>,
    /// Whether messages may contain names of the schema.
    pub(in crate::graphql) explain: bool,
}

/// A field of an object type.
#[cfg_attr(test, derive(Debug, PartialEq))]
pub(in crate::graphql) struct Field {
    pub(in crate::graphql) arguments: Vec<InputField>,
    /// The name of the type it returns, without lists.
    pub(in crate::graphql) type_name: String,
}

impl SchemaTypes {
    /// Reads the types of a schema. `explain` allows messages to contain names of the schema.
    pub(in crate::graphql) fn of(sdl: &str, explain: bool) -> Self {
        let inputs =
            ["Int", "Float", "String", "Boolean", "ID"].map(|name| (name.to_owned(), InputType::Scalar)).into();
        let mut types = Self { inputs, objects: HashMap::new(), directives: HashMap::new(), explain };
        for definition in definitions(sdl) {
            match definition {
                Definition::Input(name, input) => drop(types.inputs.insert(name, input)),
                Definition::Object(name, fields) => drop(types.objects.insert(name, fields)),
                Definition::Directive(name, arguments) => drop(types.directives.insert(name, arguments)),
            }
        }
        types
    }

    pub(in crate::graphql) fn field(&self, object: &str, name: &str) -> Option<&Field> {
        self.objects.get(object)?.get(name)
    }

    /// The names of all root fields.
    pub(in crate::graphql) fn root_fields(&self) -> impl Iterator<Item = &str> {
        let of_roots = ["Query", "Mutation", "Subscription"].into_iter().filter_map(|root| self.objects.get(root));
        of_roots.flat_map(HashMap::keys).map(String::as_str).chain(["__typename", "__schema", "__type"])
    }

    pub(in crate::graphql) fn is_object(&self, name: &str) -> bool {
        self.objects.contains_key(name)
    }

    pub(in crate::graphql) fn directive(&self, name: &str) -> Option<&[InputField]> {
        self.directives.get(name).map(Vec::as_slice)
    }
}
