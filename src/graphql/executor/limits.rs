//! Limits on the size of a document.
//!
//! They are checked first, because the engine's own limits walk every spread of a fragment: 935 bytes of fragments that
//! each spread the next one twice cost the engine seconds.
//!
//! The limits are twice the maximum of three references: the introspection queries of GraphiQL and graphql-js, an
//! Apollo query for all fields of the schema with `__typename` everywhere, and a Relay query with eight fragments.

use std::collections::HashMap;

use async_graphql::{
    Name, ServerError,
    parser::types::{ExecutableDocument, Selection, SelectionSet},
};

use crate::{
    Error,
    graphql::executor::{document::error_at, lexer::tokens},
};

/// Bytes of a document, including comments and literals. Introspection has 2,053. Values belong in variables.
const MAX_BYTES: usize = 64 * 1024;
/// Names, values and punctuators of a document. Introspection has 184, the Relay query 404.
const MAX_TOKENS: usize = 1000;
/// Bytes of one name. The engine's errors repeat names up to 36,000 times.
const MAX_NAME_BYTES: usize = 200;
/// Fields, spreads and inline fragments of the operation, counting each use of a fragment: the selections that the
/// engine visits. A spread of an unknown fragment is a selection without a field.
const MAX_SELECTIONS: usize = 1000;
/// Selections of all operations of a document, which the engine validates.
const MAX_TOTAL_SELECTIONS: usize = 10_000;
/// Nesting depth of selection sets in any part of a document, including fragments. Introspection has 18.
pub(in crate::graphql) const MAX_DEPTH: usize = 36;
/// Fields of the executed operation, counting each use of a fragment. Introspection has 230.
const MAX_FIELDS: usize = 500;
/// Aliases of the operation. The Relay query has 8; a list of users by id may have more.
const MAX_ALIASES: usize = 30;
/// Directives of the operation. The Relay query has 8.
const MAX_DIRECTIVES: usize = 30;
/// Nesting depth of introspection lists, each of which multiplies the response. Introspection has 2: types and fields.
const MAX_SCHEMA_LISTS: usize = 3;

/// Fields of all operations of a document. The engine validates all of them, whichever is executed.
const MAX_TOTAL_FIELDS: usize = 5000;
/// Directives of all operations of a document.
const MAX_TOTAL_DIRECTIVES: usize = 5000;

fn limit_exceeded(what: &str, max: usize) -> Error {
    Error::ValidationFailed(format!("The document has more than {max} {what}. Split it into several requests."))
}

/// Rejects a document with too many bytes or tokens, or with a name that is too long, without parsing it.
pub(in crate::graphql) fn check_text(document: &str) -> Result<(), Error> {
    if document.len() > MAX_BYTES {
        return Err(limit_exceeded("bytes", MAX_BYTES));
    }
    let is_name = |text: &str| text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if tokens(document).any(|token| token.text.len() > MAX_NAME_BYTES && is_name(token.text)) {
        let message = format!("The document has a name of more than {MAX_NAME_BYTES} bytes. Use a shorter one.");
        return Err(Error::ValidationFailed(message));
    }
    check_tokens(document)
}

/// Rejects a document with too many tokens.
pub(in crate::graphql) fn check_tokens(document: &str) -> Result<(), Error> {
    if tokens(document).nth(MAX_TOKENS).is_some() { Err(limit_exceeded("tokens", MAX_TOKENS)) } else { Ok(()) }
}

/// The sizes of a document's operations.
pub(in crate::graphql) struct Sizes {
    operations: HashMap<Option<Name>, Size>,
    /// The sum of all operations. Depth and selections include unused fragments.
    total: Size,
}

/// Measures the operations of a document.
///
/// # Errors
/// A fragment spreads itself.
pub(in crate::graphql) fn measure(document: &ExecutableDocument) -> Result<Sizes, ServerError> {
    let mut measuring = Measuring { document, fragments: HashMap::new() };
    let mut sizes = Sizes { operations: HashMap::new(), total: Size::default() };
    for (name, operation) in document.operations.iter() {
        let mut size = measuring.selection_set(&operation.node.selection_set.node)?;
        let on_variables = operation.node.variable_definitions.iter().map(|variable| variable.node.directives.len());
        size.add(Size { directives: operation.node.directives.len() + on_variables.sum::<usize>(), ..Size::default() });
        sizes.total.add(size);
        sizes.operations.insert(name.cloned(), size);
    }
    // Unused fragments are not executed, but validated.
    for name in document.fragments.keys() {
        let fragment = measuring.fragment(name)?;
        sizes.total.depth = sizes.total.depth.max(fragment.depth);
        sizes.total.selections = sizes.total.selections.max(fragment.selections);
    }
    Ok(sizes)
}

impl Sizes {
    /// Rejects an operation that is too large, a document whose other operations are too large to validate, and
    /// introspection if it is off.
    pub(in crate::graphql) fn check(
        &self,
        operation: Option<&Name>,
        allow_introspection: bool,
    ) -> Result<(), ServerError> {
        let size = self.operations.get(&operation.cloned()).copied().unwrap_or_default();
        let total = self.total;
        let limits = [
            (size.fields, MAX_FIELDS, "fields, counting each use of a fragment"),
            (total.depth, MAX_DEPTH, "levels of nested selections and fragments"),
            (size.aliases, MAX_ALIASES, "aliases, counting each use of a fragment"),
            (size.directives, MAX_DIRECTIVES, "directives, counting each use of a fragment"),
            (size.schema_lists, MAX_SCHEMA_LISTS, "lists of the schema nested in each other"),
            (size.selections, MAX_SELECTIONS, "selections, counting each use of a fragment"),
            (total.selections, MAX_TOTAL_SELECTIONS, "selections in all operations, counting each use of a fragment"),
            (total.fields, MAX_TOTAL_FIELDS, "fields in all operations, counting each use of a fragment"),
            (total.directives, MAX_TOTAL_DIRECTIVES, "directives in all operations, counting each use of a fragment"),
        ];
        if let Some((_, max, what)) = limits.into_iter().find(|(size, max, _)| size > max) {
            return Err(error_at(None, limit_exceeded(what, max)));
        }
        if size.introspects && !allow_introspection {
            let message = "Introspection is switched off on this server.".to_owned();
            return Err(error_at(None, Error::ValidationFailed(message)));
        }
        Ok(())
    }
}

/// The size of a selection set, counting each use of a fragment. Sums saturate.
#[derive(Clone, Copy, Default)]
struct Size {
    selections: usize,
    fields: usize,
    depth: usize,
    aliases: usize,
    directives: usize,
    schema_lists: usize,
    introspects: bool,
}

impl Size {
    /// Adds the size of a sibling.
    fn add(&mut self, other: Self) {
        self.selections = self.selections.saturating_add(other.selections);
        self.fields = self.fields.saturating_add(other.fields);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.directives = self.directives.saturating_add(other.directives);
        self.depth = self.depth.max(other.depth);
        self.schema_lists = self.schema_lists.max(other.schema_lists);
        self.introspects |= other.introspects;
    }
}

struct Measuring<'a> {
    document: &'a ExecutableDocument,
    /// Each fragment is measured once. `None` while it is being measured.
    fragments: HashMap<&'a Name, Option<Size>>,
}

impl<'a> Measuring<'a> {
    fn selection_set(&mut self, selection_set: &'a SelectionSet) -> Result<Size, ServerError> {
        let mut size = Size::default();
        for selection in &selection_set.items {
            let mut inner = match &selection.node {
                Selection::Field(field) => {
                    let mut inner = self.selection_set(&field.node.selection_set.node)?;
                    inner.fields = inner.fields.saturating_add(1);
                    inner.aliases = inner.aliases.saturating_add(usize::from(field.node.alias.is_some()));
                    match field.node.name.node.as_str() {
                        // `_service` of a subgraph returns the schema.
                        "__schema" | "__type" | "_service" => inner.introspects = true,
                        "types" | "fields" | "inputFields" | "interfaces" | "possibleTypes" => inner.schema_lists += 1,
                        _ => {}
                    }
                    inner
                }
                Selection::InlineFragment(fragment) => self.selection_set(&fragment.node.selection_set.node)?,
                Selection::FragmentSpread(spread) => {
                    match self.document.fragments.get_key_value(&spread.node.fragment_name.node) {
                        Some((name, _)) => self.fragment(name)?,
                        // Reported by validation.
                        None => Size::default(),
                    }
                }
            };
            inner.selections = inner.selections.saturating_add(1);
            inner.directives = inner.directives.saturating_add(selection.node.directives().len());
            size.add(inner);
        }
        // A field without subfields has an empty selection set, which does not count as a level.
        size.depth += usize::from(!selection_set.items.is_empty());
        Ok(size)
    }

    fn fragment(&mut self, name: &'a Name) -> Result<Size, ServerError> {
        match self.fragments.get(name) {
            Some(Some(size)) => return Ok(*size),
            Some(None) => {
                let pos = self.document.fragments.get(name).map(|fragment| fragment.pos);
                return Err(error_at(pos, Error::ValidationFailed(format!("The fragment `{name}` spreads itself."))));
            }
            None => {}
        }
        let Some(fragment) = self.document.fragments.get(name) else { return Ok(Size::default()) };
        self.fragments.insert(name, None);
        let mut size = self.selection_set(&fragment.node.selection_set.node)?;
        size.directives = size.directives.saturating_add(fragment.node.directives.len());
        self.fragments.insert(name, Some(size));
        Ok(size)
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    /// The number of selections that a walk visits if it follows every spread, as the engine does. Stops after `max`.
    fn visited_selections(document: &ExecutableDocument, set: &SelectionSet, max: usize) -> usize {
        let mut visited = 0;
        for selection in &set.items {
            visited += 1;
            let inner = match &selection.node {
                Selection::Field(field) => Some(&field.node.selection_set),
                Selection::InlineFragment(fragment) => Some(&fragment.node.selection_set),
                Selection::FragmentSpread(spread) => {
                    document.fragments.get(&spread.node.fragment_name.node).map(|fragment| &fragment.node.selection_set)
                }
            };
            visited += inner.map_or(0, |inner| visited_selections(document, &inner.node, max.saturating_sub(visited)));
            if visited > max {
                break;
            }
        }
        visited
    }

    proptest! {
        /// For every accepted document, the number of selections that the engine visits is bounded.
        #[test]
        fn measured_selections_equal_those_that_the_engine_visits(bodies in vec(vec(0_usize..14, 1..5), 12)) {
            let body = |items: &Vec<usize>, own: usize| -> String {
                items.iter().map(|item| match item {
                    12 => "a ".to_owned(),
                    13 => "... { ...missing b } ".to_owned(),
                    other if *other > own => format!("...f{other} "),
                    _ => "...missing ".to_owned(),
                }).collect()
            };
            let fragments: Vec<String> = bodies.iter().enumerate()
                .map(|(own, items)| format!("fragment f{own} on Query {{ {} }}", body(items, own))).collect();
            let fragments = fragments.join(" ");
            let document = async_graphql::parser::parse_query(format!("{{ ...f0 ...f1 }} {fragments}")).unwrap();
            let sets = document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node)
                .chain(document.fragments.values().map(|fragment| &fragment.node.selection_set.node));
            let largest = sets.map(|set| visited_selections(&document, set, MAX_SELECTIONS)).max().unwrap();
            let sizes = measure(&document).unwrap();
            let operation = sizes.operations.values().next().unwrap().selections;
            prop_assert_eq!(operation.max(sizes.total.selections).min(MAX_SELECTIONS + 1), largest.min(MAX_SELECTIONS + 1));
        }
    }
}
