//! How large a document may be, found out before anything walks it that takes longer the more often a fragment is
//! spread: the engine's own limits do, and so 935 bytes of fragments that spread the next one twice cost it seconds.
//!
//! The bounds are twice what the largest of these needs: GraphiQL's and graphql-js's introspection, an Apollo query for
//! every field of the contract at once with `__typename` everywhere, a Relay query of eight fragments.

use std::collections::HashMap;

use async_graphql::{
    Name, ServerError,
    parser::types::{ExecutableDocument, Selection, SelectionSet},
};

use super::document::error_at;
use crate::Error;

/// Bytes of a document, comments and literals included; introspection has 2,053. Values belong in variables.
const MOST_BYTES: usize = 64 * 1024;
/// Names, values and punctuators of a document; introspection has 184, the Relay query 404.
const MOST_TOKENS: usize = 1000;
/// Fields of a document with its fragments spread; introspection has 230.
const MOST_FIELDS: usize = 500;
/// Selection sets inside each other, fragments counted; introspection has 18.
pub(super) const MOST_DEPTH: usize = 36;
/// Aliases of a document with its fragments spread; the Relay query has 8, a list of users by id may have more.
const MOST_ALIASES: usize = 30;
/// Directives of a document with its fragments spread; the Relay query has 8.
const MOST_DIRECTIVES: usize = 30;
/// Lists of the schema inside each other, each of which multiplies the answer; introspection has 2: types and fields.
const MOST_SCHEMA_LISTS: usize = 3;

fn refusal(what: &str, most: usize) -> Error {
    Error::ValidationFailed(format!("The document has more than {most} {what}. Split it into several requests."))
}

/// Refuses a document of too many bytes or tokens without parsing it.
pub(super) fn check_text(document: &str) -> Result<(), Error> {
    if document.len() > MOST_BYTES {
        Err(refusal("bytes", MOST_BYTES))
    } else if has_more_tokens(document, MOST_TOKENS) {
        Err(refusal("tokens", MOST_TOKENS))
    } else {
        Ok(())
    }
}

/// Refuses a parsed document that is too large in any other way, and introspection where it is switched off.
pub(super) fn check_size(document: &ExecutableDocument, allow_introspection: bool) -> Result<(), ServerError> {
    let mut measuring = Measuring { document, fragments: HashMap::new() };
    let mut size = Size::default();
    for (_, operation) in document.operations.iter() {
        size.directives += operation.node.directives.len();
        size.add(measuring.selection_set(&operation.node.selection_set.node)?);
    }
    // Those that nothing spreads are not executed, but validated.
    for name in document.fragments.keys() {
        let fragment = measuring.fragment(name)?;
        size.deepest = size.deepest.max(fragment.deepest);
    }
    let bounds = [
        (size.fields, MOST_FIELDS, "fields, its fragments spread"),
        (size.deepest, MOST_DEPTH, "levels of selections and fragments inside each other"),
        (size.aliases, MOST_ALIASES, "aliases, its fragments spread"),
        (size.directives, MOST_DIRECTIVES, "directives, its fragments spread"),
        (size.schema_lists, MOST_SCHEMA_LISTS, "lists of the schema inside each other"),
    ];
    if let Some((_, most, what)) = bounds.into_iter().find(|(has, most, _)| has > most) {
        return Err(error_at(None, refusal(what, most)));
    }
    if size.introspects && !allow_introspection {
        let message = "Introspection is switched off on this server.".to_owned();
        return Err(error_at(None, Error::ValidationFailed(message)));
    }
    Ok(())
}

/// What a selection set comes to, with its fragments spread. Sums stop at their type's end.
#[derive(Clone, Copy, Default)]
struct Size {
    fields: usize,
    deepest: usize,
    aliases: usize,
    directives: usize,
    schema_lists: usize,
    introspects: bool,
}

impl Size {
    /// Adds what stands beside.
    fn add(&mut self, other: Self) {
        self.fields = self.fields.saturating_add(other.fields);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.directives = self.directives.saturating_add(other.directives);
        self.deepest = self.deepest.max(other.deepest);
        self.schema_lists = self.schema_lists.max(other.schema_lists);
        self.introspects |= other.introspects;
    }
}

struct Measuring<'a> {
    document: &'a ExecutableDocument,
    /// Each fragment is measured once; `None` while that is going on.
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
                        "__schema" | "__type" => inner.introspects = true,
                        "types" | "fields" | "inputFields" | "interfaces" | "possibleTypes" => inner.schema_lists += 1,
                        _ => {}
                    }
                    inner
                }
                Selection::InlineFragment(fragment) => self.selection_set(&fragment.node.selection_set.node)?,
                Selection::FragmentSpread(spread) => {
                    match self.document.fragments.get_key_value(&spread.node.fragment_name.node) {
                        Some((name, _)) => self.fragment(name)?,
                        // Validation says so.
                        None => Size::default(),
                    }
                }
            };
            inner.directives = inner.directives.saturating_add(selection.node.directives().len());
            size.add(inner);
        }
        // A field without subfields has an empty selection set, which is no level.
        size.deepest += usize::from(!selection_set.items.is_empty());
        Ok(size)
    }

    fn fragment(&mut self, name: &'a Name) -> Result<Size, ServerError> {
        match self.fragments.get(name) {
            Some(Some(size)) => return Ok(*size),
            Some(None) => {
                let pos = self.document.fragments.get(name).map(|fragment| fragment.pos);
                return Err(error_at(pos, Error::ValidationFailed("This fragment spreads itself.".to_owned())));
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

/// Whether a document has more tokens than `most`. They are told apart as the engine's grammar does, which takes some
/// for two that the specification (§2.1.6) takes for one: `00`, `truetrue`. It need not be well-formed.
pub(super) fn has_more_tokens(document: &str, most: usize) -> bool {
    let mut rest = document.as_bytes();
    let mut count = 0;
    while let Some((&first, after)) = rest.split_first() {
        let length = match first {
            b'#' => {
                rest = after.get(run(after, |byte| !matches!(byte, b'\n' | b'\r'))..).unwrap_or_default();
                continue;
            }
            b'"' => string_length(rest),
            b'1'..=b'9' => run(rest, |byte| byte.is_ascii_digit()),
            b'.' if rest.starts_with(b"...") => 3,
            _ if is_name(first) => name_length(rest),
            // A byte-order mark is white space; other text beyond ASCII is in strings and comments only.
            b' ' | b'\t' | b'\n' | b'\r' | b',' | 128.. => {
                rest = after;
                continue;
            }
            _ => 1,
        };
        count += 1;
        if count > most {
            return true;
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    false
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn run(bytes: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|byte| !belongs(*byte)).unwrap_or(bytes.len())
}

fn name_length(text: &[u8]) -> usize {
    let literals: [&[u8]; 4] = [b"true", b"false", b"null", b"0"];
    let literal = literals.iter().find(|literal| text.starts_with(literal));
    literal.map_or_else(|| run(text, is_name), |literal| literal.len())
}

/// The bytes of a string or block string, quotes included. A block string that is not closed is an empty string, and
/// what follows it.
fn string_length(text: &[u8]) -> usize {
    let is_block = text.starts_with(b"\"\"\"");
    let (quote, escape): (&[u8], &[u8]) = if is_block { (b"\"\"\"", b"\\\"\"\"") } else { (b"\"", b"\\") };
    // What an escape takes with it: all of `\"""`, or a backslash and the byte after it.
    let escaped = if is_block { escape.len() } else { 2 };
    let mut at = quote.len();
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with(quote) {
            return at + quote.len();
        }
        at += if rest.starts_with(escape) { escaped } else { 1 };
    }
    if is_block { 2 } else { text.len() }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;

    #[test]
    fn tokens_are_counted_as_the_specification_does() {
        for (document, tokens) in [
            ("", 0),
            (" ,\n\u{feff}", 0),
            ("{ me { id } }", 6),
            ("a\u{feff}b", 2),
            ("query($id: ID! = \"a b \\\" {{\", $n: [Int]) { ...F @skip(if: true) }", 27),
            ("[-1-1 1.5e3 000 truetrue falsenull nullable]", 19),
            ("\"\"\" a \" b \\\"\"\" c \"\"\" x", 2),
            (r#""""\\""" x""" x"#, 2),
            ("\"\"\"\"\"\" x", 2),
            ("\"\"\"a\" b", 3),
            ("# { { {\n{ # {\r }", 2),
            ("\"unclosed { { {", 1),
            ("....", 2),
        ] {
            assert!(!has_more_tokens(document, tokens), "{document}: more than {tokens}");
            assert!(tokens == 0 || has_more_tokens(document, tokens - 1), "{document}: fewer than {tokens}");
        }
    }

    /// Leaf values in a parsed document: each took a token at least.
    fn values(document: &ExecutableDocument) -> usize {
        let shown = format!("{document:?}");
        ["Number(Number(", "String(", "Boolean(", "Enum(", "Null"]
            .iter()
            .map(|value| shown.matches(value).count())
            .sum()
    }

    proptest! {
        // Few of these lists can be parsed; those are the ones that count.
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        /// The lexer can't be led to take tokens for the inside of a string or comment, or two for one.
        #[test]
        fn no_spelling_hides_tokens(pieces in vec(select(&[
            "0", "1", "-2", "1.5", "true", "null", "a", "[", "]", "\"", "\"\"\"", "\\\"", "\\", "\\\"\"\"", "#", "\n", "\r",
            " ", ",", "\u{feff}",
        ][..]), 0..9)) {
            let list = pieces.concat();
            if let Ok(document) = async_graphql::parser::parse_query(format!("{{ me(x: [{list}\n]) {{ id }} }}")) {
                let values = values(&document);
                prop_assert!(values == 0 || has_more_tokens(&list, values - 1), "{list}: fewer than {values}");
            }
        }
    }
}
