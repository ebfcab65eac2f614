//! Values of variables: drops undeclared ones, and limits how much memory their copies need.

use std::{
    collections::{HashMap, HashSet},
    convert::Infallible,
};

use async_graphql::{
    Name, Positioned, ServerError, Value, Variables,
    parser::types::{Directive, ExecutableDocument, OperationDefinition, Selection, SelectionSet},
};

use crate::{Error, graphql::executor::document::error_at};

/// Maximum total size of all values in bytes, counting each use: the engine copies a value for each use.
const MAX_COPIED_BYTES: usize = 1024 * 1024;

/// The memory that a value needs in addition to its text, in bytes.
const VALUE_BYTES: usize = 64;

/// Drops the values that the operation does not declare, so that they do not occupy memory while the request waits.
pub(in crate::graphql) fn keep_declared(operation: &OperationDefinition, variables: &mut Variables) {
    let declared: HashSet<&Name> =
        operation.variable_definitions.iter().map(|definition| &definition.node.name.node).collect();
    variables.retain(|name, _| declared.contains(name));
}

/// Rejects a document that uses large values so often that their copies would need too much memory.
pub(in crate::graphql) fn check_copies(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
) -> Result<(), ServerError> {
    let sizes = operation.variable_definitions.iter().filter_map(|definition| {
        let definition = &definition.node;
        let default = definition.default_value.as_ref().map(|value| &value.node);
        let value = variables.get(&definition.name.node).or(default)?;
        Some((&definition.name.node, size(value)))
    });
    let mut copies = Copies { sizes: sizes.collect(), bytes: 0 };
    for (_, operation) in document.operations.iter() {
        copies.add_directives(&operation.node.directives);
        copies.add_selections(&operation.node.selection_set.node);
    }
    for fragment in document.fragments.values() {
        copies.add_directives(&fragment.node.directives);
        copies.add_selections(&fragment.node.selection_set.node);
    }
    if copies.bytes <= MAX_COPIED_BYTES {
        return Ok(());
    }
    let message = "The values of the variables have more than 1 MiB, counting each use in the document. Split the \
                   document into several requests.";
    Err(error_at(None, Error::ValidationFailed(message.to_owned())))
}

fn size(value: &Value) -> usize {
    let content = match value {
        Value::String(text) => text.len(),
        Value::List(values) => values.iter().map(size).sum(),
        Value::Object(members) => members.iter().map(|(name, value)| name.len() + size(value)).sum(),
        _ => 0,
    };
    VALUE_BYTES + content
}

struct Copies<'a> {
    sizes: HashMap<&'a Name, usize>,
    bytes: usize,
}

impl Copies<'_> {
    fn add_selections(&mut self, selection_set: &SelectionSet) {
        for selection in &selection_set.items {
            match &selection.node {
                Selection::Field(field) => {
                    for (_, value) in &field.node.arguments {
                        let _ = value.node.clone().into_const_with(|name| Ok::<_, Infallible>(self.add(&name)));
                    }
                    self.add_directives(&field.node.directives);
                    self.add_selections(&field.node.selection_set.node);
                }
                Selection::InlineFragment(fragment) => {
                    self.add_directives(&fragment.node.directives);
                    self.add_selections(&fragment.node.selection_set.node);
                }
                Selection::FragmentSpread(spread) => self.add_directives(&spread.node.directives),
            }
        }
    }

    fn add_directives(&mut self, directives: &[Positioned<Directive>]) {
        for (_, value) in directives.iter().flat_map(|directive| &directive.node.arguments) {
            let _ = value.node.clone().into_const_with(|name| Ok::<_, Infallible>(self.add(&name)));
        }
    }

    /// Counts one use of a variable. The returned value is a placeholder and is not used.
    fn add(&mut self, name: &Name) -> Value {
        self.bytes = self.bytes.saturating_add(self.sizes.get(name).copied().unwrap_or_default());
        Value::Null
    }
}
