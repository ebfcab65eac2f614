//! What a document must be, beyond the rules that the engine checks.

use std::{collections::HashSet, sync::Arc};

use async_graphql::{
    Name, Pos, Positioned, ServerError, Variables,
    parser::types::{
        DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet,
    },
};

use super::input_types::InputTypes;
use crate::Error;

/// The operation of a document that is to be executed.
#[derive(Clone, Copy)]
pub(super) struct Operation<'a> {
    pub(super) name: Option<&'a Name>,
    pub(super) definition: &'a Positioned<OperationDefinition>,
}

pub(super) fn error_at(pos: Option<Pos>, error: Error) -> ServerError {
    let mut server_error = ServerError::new("", pos);
    server_error.source = Some(Arc::new(error));
    server_error
}

/// The operation that `operationName` picks (GraphQL specification, §6.1 `GetOperation`).
pub(super) fn operation<'a>(
    document: &'a ExecutableDocument,
    operation_name: Option<&str>,
) -> Result<Operation<'a>, ServerError> {
    let mut operations = document.operations.iter();
    let (name, definition) = match operation_name {
        Some(wanted) => operations.find(|(name, _)| name.is_some_and(|name| name == wanted)),
        None => operations.next().filter(|_| document.operations.iter().len() == 1),
    }
    .ok_or_else(|| {
        let message = match (&document.operations, operation_name) {
            (_, Some(_)) => "The document has no operation of the name given in `operationName`.",
            (DocumentOperations::Multiple(_), None) => {
                "The document has several operations. Say which one to execute in `operationName`."
            }
            (DocumentOperations::Single(_), None) => "The document has no operation.",
        };
        error_at(None, Error::ValidationFailed(message.to_owned()))
    })?;
    Ok(Operation { name, definition })
}

/// Refuses a mutation of more than one root field: a second one would act on what the first has changed, and twenty
/// logins must not ride in one request.
pub(super) fn check(
    document: &ExecutableDocument,
    operation: &Positioned<OperationDefinition>,
) -> Result<(), ServerError> {
    match operation.node.ty {
        OperationType::Query => return Ok(()),
        OperationType::Mutation => {}
        OperationType::Subscription => {
            let message = "This server has no subscriptions.".to_owned();
            return Err(error_at(Some(operation.pos), Error::ValidationFailed(message)));
        }
    }
    let mut fields = RootFields { document, fragments: HashSet::new(), second: None, count: 0 };
    fields.count(&operation.node.selection_set.node);
    match fields.second {
        None => Ok(()),
        Some(pos) => Err(error_at(
            Some(pos),
            Error::ValidationFailed(
                "A mutation has exactly one root field. Send this one in a request of its own.".to_owned(),
            ),
        )),
    }
}

struct RootFields<'a> {
    document: &'a ExecutableDocument,
    fragments: HashSet<&'a Name>,
    count: usize,
    second: Option<Pos>,
}

impl<'a> RootFields<'a> {
    /// Counts fields as they are written, `@skip` and `@include` or not, and stops at the second. A fragment that is
    /// spread again counts as a field, which also ends cycles.
    fn count(&mut self, selection_set: &'a SelectionSet) {
        for selection in &selection_set.items {
            match &selection.node {
                Selection::Field(field) if field.node.name.node == "__typename" => {}
                Selection::Field(_) => self.found(selection.pos),
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
                        self.found(selection.pos);
                    }
                }
            }
            if self.second.is_some() {
                return;
            }
        }
    }

    fn found(&mut self, pos: Pos) {
        self.count += 1;
        if self.count == 2 {
            self.second = Some(pos);
        }
    }
}

/// Refuses variables that are missing or do not fit (`CoerceVariableValues`, §6.1.2), which the engine would find out
/// only while executing.
pub(super) fn check_variables(
    types: &InputTypes,
    operation: &OperationDefinition,
    variables: &Variables,
) -> Result<(), ServerError> {
    for definition in &operation.variable_definitions {
        let value = variables.get(&definition.node.name.node);
        let fits = types.check(&definition.node, value);
        fits.map_err(|message| error_at(Some(definition.pos), Error::BadUserInput(message)))?;
    }
    Ok(())
}
