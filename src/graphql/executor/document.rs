//! A parsed document, and the checks beyond those of the engine.

use std::{borrow::Cow, collections::HashSet, sync::Arc};

use async_graphql::{
    Name, Pos, Positioned, ServerError, Value, Variables,
    parser::{
        parse_query,
        types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet},
    },
};

use crate::{
    Error,
    graphql::executor::{
        input_types::{Checker, Root, Source},
        limits::{self, Sizes},
        normalize::{Normalized, normalize},
        schema_types::SchemaTypes,
        values::{self, NeverNull},
    },
};

/// A parsed document with the results of its checks.
pub(in crate::graphql) struct Document {
    pub(in crate::graphql) parsed: ExecutableDocument,
    sizes: Sizes,
    values: Result<NeverNull, Vec<ServerError>>,
}

/// The operation of a document that is to be executed.
#[derive(Clone, Copy)]
pub(in crate::graphql) struct Operation<'a> {
    pub(in crate::graphql) name: Option<&'a Name>,
    pub(in crate::graphql) definition: &'a Positioned<OperationDefinition>,
}

pub(in crate::graphql) fn error_at(pos: Option<Pos>, error: Error) -> ServerError {
    let mut server_error = ServerError::new("", pos);
    server_error.source = Some(Arc::new(error));
    server_error
}

impl Document {
    /// Parses a document and measures it.
    ///
    /// # Errors
    /// The document cannot be parsed, or the whole document is too large.
    pub(in crate::graphql) fn parse(types: &SchemaTypes, text: &str) -> Result<Self, ServerError> {
        limits::check_text(text).map_err(|error| error_at(None, error))?;
        let Normalized { text: normalized, directives } = normalize(text);
        if let Cow::Owned(normalized) = &normalized {
            limits::check_tokens(normalized).map_err(|error| error_at(None, error))?;
        }
        let parsed = parse_query(normalized).map_err(|error| {
            let mut server_error = ServerError::from(error);
            server_error.source = Some(Arc::new(Error::ParseFailed));
            server_error
        })?;
        let sizes = limits::measure(&parsed)?;
        let values = values::check(types, &parsed, &directives);
        Ok(Self { parsed, sizes, values })
    }

    /// The operation that `operationName` selects (GraphQL specification, §6.1 `GetOperation`).
    pub(in crate::graphql) fn operation(&self, operation_name: Option<&str>) -> Result<Operation<'_>, ServerError> {
        let mut operations = self.parsed.operations.iter();
        let (name, definition) = match operation_name {
            Some(selected) => operations.find(|(name, _)| name.is_some_and(|name| name == selected)),
            None => operations.next().filter(|_| self.parsed.operations.iter().len() == 1),
        }
        .ok_or_else(|| {
            let message = match (&self.parsed.operations, operation_name) {
                (_, Some(_)) => "The document has no operation with the name in `operationName`.",
                (DocumentOperations::Multiple(_), None) => {
                    "The document has several operations. Set `operationName` to the one to execute."
                }
                (DocumentOperations::Single(_), None) => "The document has no operation.",
            };
            error_at(None, Error::ValidationFailed(message.to_owned()))
        })?;
        Ok(Operation { name, definition })
    }

    /// Checks the operation to execute, except for its variables.
    pub(in crate::graphql) fn check(
        &self,
        operation: Operation<'_>,
        allow_introspection: bool,
    ) -> Result<(), Vec<ServerError>> {
        self.sizes.check(operation.name, allow_introspection).map_err(|error| vec![error])?;
        check_root(&self.parsed, operation.definition).map_err(|error| vec![error])?;
        self.values.as_ref().map(|_| ()).map_err(Clone::clone)
    }

    /// Rejects variables that are missing or have the wrong type, and inserts the default values of omitted ones
    /// (`CoerceVariableValues`, §6.1.2). The engine would fail only during execution, and ignores default values in
    /// `@skip` and `@include` (async-graphql's pull request 1827).
    pub(in crate::graphql) fn coerce_variables(
        &self,
        types: &SchemaTypes,
        operation: Operation<'_>,
        variables: &mut Variables,
    ) -> Result<(), ServerError> {
        let never_null = self.values.as_ref().ok().and_then(|found| found.get(&operation.name.cloned()));
        for definition in &operation.definition.node.variable_definitions {
            let name = &definition.node.name.node;
            let declared = &definition.node.var_type.node;
            let invalid = |message| error_at(Some(definition.pos), Error::BadUserInput(message));
            let root = Root::Variable(name);
            match (variables.get(name), &definition.node.default_value) {
                (Some(Value::Null), _) if never_null.is_some_and(|names| names.contains(name)) => {
                    return Err(invalid(format!("The {root} must not be null where it is used.")));
                }
                (Some(value), _) => {
                    let checked = Checker::new(types, Source::Json).check(root, declared, false, value);
                    checked.map_err(invalid)?;
                }
                (None, Some(default)) => {
                    variables.insert(name.clone(), default.node.clone());
                }
                (None, None) if declared.nullable => {}
                (None, None) if types.explain => {
                    let type_name = Checker::new(types, Source::Json).type_name(declared);
                    return Err(invalid(format!("The {root} is missing. It is of the type {type_name}.")));
                }
                (None, None) => return Err(invalid(format!("The {root} is missing."))),
            }
        }
        Ok(())
    }
}

/// Rejects a mutation with more than one root field, and a subscription that is not one field. A second one would depend on changes of the first, and one request
/// must not contain many logins.
fn check_root(document: &ExecutableDocument, operation: &Positioned<OperationDefinition>) -> Result<(), ServerError> {
    match operation.node.ty {
        OperationType::Query => return Ok(()),
        OperationType::Mutation => {}
        OperationType::Subscription => return check_subscription(operation),
    }
    let mut fields = RootFields { document, fragments: HashSet::new(), second: None, count: 0 };
    fields.count(&operation.node.selection_set.node);
    match fields.second {
        None => Ok(()),
        Some(pos) => Err(error_at(
            Some(pos),
            Error::ValidationFailed(
                "A mutation may have only one root field. Send this one in a separate request.".to_owned(),
            ),
        )),
    }
}

/// Rejects a subscription whose selection is not one field (GraphQL specification, §5.2.4). The engine would open a stream for each
/// field, and ignores fragments and directives at the root.
fn check_subscription(operation: &Positioned<OperationDefinition>) -> Result<(), ServerError> {
    let is_valid = match &*operation.node.selection_set.node.items {
        [selection] => match &selection.node {
            Selection::Field(field) => field.node.directives.is_empty() && !field.node.name.node.starts_with("__"),
            Selection::FragmentSpread(_) | Selection::InlineFragment(_) => false,
        },
        _ => false,
    };
    if is_valid {
        return Ok(());
    }
    let message =
        "A subscription must have exactly one root field, without directives and not in a fragment.".to_owned();
    Err(error_at(Some(operation.pos), Error::ValidationFailed(message)))
}

struct RootFields<'a> {
    document: &'a ExecutableDocument,
    fragments: HashSet<&'a Name>,
    count: usize,
    second: Option<Pos>,
}

impl<'a> RootFields<'a> {
    /// Counts fields, regardless of `@skip` and `@include`, and stops at the second. A fragment that is spread again
    /// counts as a field, which also ends cycles.
    fn count(&mut self, selection_set: &'a SelectionSet) {
        for selection in &selection_set.items {
            match &selection.node {
                Selection::Field(field) if field.node.name.node == "__typename" => {}
                Selection::Field(_) => self.add(selection.pos),
                Selection::InlineFragment(fragment) => {
                    self.count(&fragment.node.selection_set.node);
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if self.fragments.insert(name) {
                        if let Some(fragment) = self.document.fragments.get(name) {
                            self.count(&fragment.node.selection_set.node);
                        }
                    } else {
                        self.add(selection.pos);
                    }
                }
            }
            if self.second.is_some() {
                return;
            }
        }
    }

    fn add(&mut self, pos: Pos) {
        self.count += 1;
        if self.count == 2 {
            self.second = Some(pos);
        }
    }
}
