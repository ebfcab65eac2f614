//! The root fields of an operation, for the metrics.

use std::collections::HashSet;

use async_graphql::{
    Name, PathSegment,
    parser::types::{ExecutableDocument, OperationDefinition, Selection, SelectionSet},
};

use crate::{App, error::ErrorCode, graphql::executor::Execution, metrics::KnownFields};

/// Maximum number of root fields that are counted. Few documents have more.
const MAX_FIELDS: usize = 32;

/// The root fields of a request, which is counted for each of them once, when this is dropped.
pub(super) struct RootFields<'a> {
    app: &'a App,
    known: &'a KnownFields,
    fields: Vec<RootField>,
    /// The code of the whole request. A request that is dropped has timed out.
    code: Option<ErrorCode>,
}

struct RootField {
    /// The key in the response.
    key: Name,
    name: Name,
    code: Option<ErrorCode>,
}

impl<'a> RootFields<'a> {
    pub(super) fn new(app: &'a App, known: &'a KnownFields) -> Self {
        Self { app, known, fields: Vec::new(), code: Some(ErrorCode::ServiceUnavailable) }
    }

    /// Reads the fields of the operation, which may be invalid.
    pub(super) fn read(&mut self, document: &ExecutableDocument, operation: &OperationDefinition) {
        self.add(document, &operation.selection_set.node, &mut HashSet::new());
    }

    /// Adds the fields of a selection set and of its fragments. `spread` has the fragments that were added.
    fn add<'d>(&mut self, document: &'d ExecutableDocument, set: &'d SelectionSet, spread: &mut HashSet<&'d Name>) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    let key = field.node.response_key().node.clone();
                    if self.fields.len() < MAX_FIELDS && self.fields.iter().all(|known| known.key != key) {
                        self.fields.push(RootField { key, name: field.node.name.node.clone(), code: None });
                    }
                }
                Selection::InlineFragment(fragment) => self.add(document, &fragment.node.selection_set.node, spread),
                Selection::FragmentSpread(fragment) => {
                    let name = &fragment.node.fragment_name.node;
                    if let Some(fragment) = document.fragments.get(name).filter(|_| spread.insert(name)) {
                        self.add(document, &fragment.node.selection_set.node, spread);
                    }
                }
            }
        }
    }

    /// Records the first error of a field.
    pub(super) fn fail(&mut self, path: &[PathSegment], code: ErrorCode) {
        let Some(PathSegment::Field(key)) = path.first() else { return };
        if let Some(field) = self.fields.iter_mut().find(|field| field.key == key.as_str()) {
            field.code.get_or_insert(code);
        }
    }

    /// Records the end of the request.
    pub(super) fn finish(mut self, execution: &Execution) {
        self.code = match execution {
            Execution::Executed(_) | Execution::Subscribed(_) => None,
            Execution::Refused(answer) => answer.errors.first().map(crate::Error::code),
            Execution::NotAllowed(_) => Some(ErrorCode::BadRequest),
        };
    }
}

impl Drop for RootFields<'_> {
    fn drop(&mut self) {
        let operations = &self.app.metrics.operations;
        if self.fields.is_empty() {
            operations.count(self.known, None, self.code);
        }
        let mut counted: HashSet<(&str, Option<ErrorCode>)> = HashSet::new();
        for field in &self.fields {
            let code = self.code.or(field.code);
            if self.fields.len() == 1 || counted.insert((field.name.as_str(), code)) {
                operations.count(self.known, Some(&field.name), code);
            }
        }
    }
}
