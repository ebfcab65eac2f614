//! Splits a document into tokens.
//!
//! Tokens are split like in the engine's grammar, which splits some texts that are one token in the specification
//! (§2.1.6): `00`, `truetrue`. The document need not be well-formed.

/// A name, value or punctuator, or a part of a number.
#[derive(Clone, Copy, Debug)]
pub(in crate::graphql) struct Token<'a> {
    /// The byte offset of its start in the document.
    pub(in crate::graphql) start: usize,
    pub(in crate::graphql) text: &'a str,
}

impl Token<'_> {
    /// The byte offset of its end.
    pub(in crate::graphql) fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// The tokens of a document.
pub(in crate::graphql) fn tokens(document: &str) -> impl Iterator<Item = Token<'_>> {
    let bytes = document.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = bytes.get(at..)?;
            let (&first, after) = rest.split_first()?;
            let length = match first {
                b'#' => {
                    at += 1 + run(after, |byte| !matches!(byte, b'\n' | b'\r'));
                    continue;
                }
                b'"' => string_length(rest),
                b'1'..=b'9' => run(rest, |byte| byte.is_ascii_digit()),
                b'.' if rest.starts_with(b"...") => 3,
                _ if is_name(first) => name_length(rest),
                // A byte-order mark is white space. Other non-ASCII text occurs only in strings and comments.
                b' ' | b'\t' | b'\n' | b'\r' | b',' | 128.. => {
                    at += 1;
                    continue;
                }
                _ => 1,
            };
            let start = at;
            at += length;
            // Always on a character boundary: a string ends at a quote or with the document, other tokens are ASCII.
            return Some(Token { start, text: document.get(start..at).unwrap_or_default() });
        }
    })
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

/// The length of a string or block string in bytes, including the quotes. An unclosed block string is an empty string;
/// the text after it is tokenized separately.
fn string_length(text: &[u8]) -> usize {
    let is_block = text.starts_with(b"\"\"\"");
    let (quote, escape): (&[u8], &[u8]) = if is_block { (b"\"\"\"", b"\\\"\"\"") } else { (b"\"", b"\\") };
    // The length of an escape: all of `\"""`, or a backslash and the byte after it.
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

    fn has_more(document: &str, count: usize) -> bool {
        tokens(document).nth(count).is_some()
    }

    #[test]
    fn tokens_are_counted() {
        for (document, count) in [
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
            assert!(!has_more(document, count), "{document}: more than {count}");
            assert!(count == 0 || has_more(document, count - 1), "{document}: fewer than {count}");
        }
    }

    /// The number of leaf values in a parsed document. Each has at least one token.
    fn values(document: &async_graphql::parser::types::ExecutableDocument) -> usize {
        let shown = format!("{document:?}");
        ["Number(Number(", "String(", "Boolean(", "Enum(", "Null"]
            .iter()
            .map(|value| shown.matches(value).count())
            .sum()
    }

    proptest! {
        // Only the few lists that can be parsed are checked.
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        /// No document makes the lexer skip tokens as the content of a string or comment, or merge two tokens.
        #[test]
        fn lexer_never_counts_fewer_tokens_than_the_parser(pieces in vec(select(&[
            "0", "1", "-2", "1.5", "true", "null", "a", "[", "]", "\"", "\"\"\"", "\\\"", "\\", "\\\"\"\"", "#", "\n", "\r",
            " ", ",", "\u{feff}",
        ][..]), 0..9)) {
            let list = pieces.concat();
            if let Ok(document) = async_graphql::parser::parse_query(format!("{{ me(x: [{list}\n]) {{ id }} }}")) {
                let values = values(&document);
                prop_assert!(values == 0 || has_more(&list, values - 1), "{list}: fewer than {values}");
            }
        }
    }
}
