//! Rewrites syntax of the GraphQL specification of September 2025 that the engine's parser does not support.
//!
//! | In the document | For the parser |
//! |---|---|
//! | `"\ud83d\ude00"`, `"\u{1F600}"` (§2.9.4, graphql-spec's pull request 849) | the character itself |
//! | a description of an operation, a fragment or a variable (§2.3, pull request 1170) | white space |
//! | the directives in `$a: T = x @d` (§2.10) | white space; the directives are validated separately |
//!
//! async-graphql-parser 8.0.0-rc.5 does not support the first two. It accepts the third in the order `$a: T @d = x`,
//! since async-graphql's issue 678. This module can be removed when a later version supports all three.
//!
//! Each remaining token keeps its line and column, so that the locations in errors are correct. The rewritten document
//! never has more tokens than the original. Only the rewritten document is parsed.

use std::borrow::Cow;

use async_graphql::Pos;

use crate::graphql::executor::{
    escapes::rewritten,
    lexer::{Token, tokens},
};

/// A document that the parser can read.
pub(in crate::graphql) struct Normalized<'a> {
    pub(in crate::graphql) text: Cow<'a, str>,
    /// The directives on variables that were removed from `text`.
    pub(in crate::graphql) directives: Vec<(Pos, &'a str)>,
}

/// Rewrites a document if necessary. Malformed parts are unchanged, so that the parser rejects them.
pub(in crate::graphql) fn normalize(document: &str) -> Normalized<'_> {
    let may_need_rewrite = document.contains('"') || (document.contains('=') && document.contains('@'));
    if !may_need_rewrite {
        return Normalized { text: document.into(), directives: Vec::new() };
    }
    let mut pass =
        Pass { document, tokens: tokens(document).collect(), text: String::new(), copied: 0, directives: Vec::new() };
    pass.run();
    let text = if pass.copied == 0 {
        document.into()
    } else {
        pass.copy_until(document.len());
        pass.text.into()
    };
    Normalized { text, directives: pass.directives }
}

/// The part of a document that a token is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    /// Between definitions.
    Outside,
    /// After the keyword of an operation.
    Head,
    /// In the variable definitions. `after_default` is set after the default value of the current one.
    Variables { after_default: bool },
    /// In the remaining part of a definition.
    Inside,
}

struct Pass<'a> {
    document: &'a str,
    tokens: Vec<Token<'a>>,
    /// The result so far.
    text: String,
    /// The length of the part of the document that `text` covers, in bytes.
    copied: usize,
    directives: Vec<(Pos, &'a str)>,
}

impl<'a> Pass<'a> {
    fn run(&mut self) {
        let mut section = Section::Outside;
        // The number of open brackets of any kind.
        let mut depth = 0_usize;
        let mut index = 0;
        while let Some(token) = self.tokens.get(index).copied() {
            index += 1;
            let next = self.text_at(index);
            if token.text.starts_with('"') {
                let is_description = match section {
                    Section::Outside => is_keyword(next) || next == "fragment",
                    Section::Variables { .. } => {
                        depth == 1 && next == "$" && self.text_at(index.wrapping_sub(2)) != "="
                    }
                    Section::Head | Section::Inside => false,
                };
                self.string(token, is_description);
                continue;
            }
            match token.text {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth = depth.saturating_sub(1),
                _ => {}
            }
            section = match (section, token.text) {
                (Section::Outside, text) if is_keyword(text) => Section::Head,
                (Section::Outside, "fragment" | "{") => Section::Inside,
                (Section::Outside, _) => Section::Outside,
                (Section::Head, "(") => Section::Variables { after_default: false },
                (Section::Head, text) if text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') => {
                    Section::Head
                }
                (Section::Variables { .. }, "$") if depth == 1 => Section::Variables { after_default: false },
                (Section::Variables { .. }, "=") if depth == 1 => Section::Variables { after_default: true },
                (Section::Variables { after_default: true }, "@") if depth == 1 => {
                    index = self.directives(index - 1);
                    section
                }
                (Section::Variables { .. }, _) if depth > 0 => section,
                (Section::Inside, "}") if depth == 0 => Section::Outside,
                (Section::Head | Section::Variables { .. } | Section::Inside, _) => Section::Inside,
            };
        }
    }

    fn text_at(&self, index: usize) -> &'a str {
        self.tokens.get(index).map_or("", |token| token.text)
    }

    /// Removes a description, or rewrites another string.
    fn string(&mut self, token: Token<'a>, is_description: bool) {
        let is_block = token.text.starts_with("\"\"\"");
        let rewritten = if is_block { Some(token.text.into()) } else { rewritten(token.text) };
        match rewritten {
            None => {}
            Some(_) if is_description => self.blank(token.start, token.end()),
            Some(rewritten) if rewritten == token.text => {}
            Some(rewritten) => {
                self.copy_until(token.start);
                let missing = token.text.chars().count().saturating_sub(rewritten.chars().count());
                self.text.push_str(&rewritten);
                self.text.extend(std::iter::repeat_n(' ', missing));
                self.copied = token.end();
            }
        }
    }

    /// Removes the directives that start at a token. Returns the index of the token after them.
    fn directives(&mut self, first: usize) -> usize {
        let mut found = Vec::new();
        let mut index = first;
        while self.text_at(index) == "@" {
            let (Some(at), Some(name)) = (self.tokens.get(index), self.tokens.get(index + 1)) else { return first + 1 };
            if !name.text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
                return first + 1;
            }
            found.push((position(self.document, at.start), name.text));
            index += 2;
            if self.text_at(index) == "(" {
                let Some(end) = self.closing(index) else { return first + 1 };
                index = end + 1;
            }
        }
        let next = self.text_at(index);
        let is_end = next == "$" || next == ")" || (next.starts_with('"') && self.text_at(index + 1) == "$");
        if let (true, Some(start), Some(last)) = (is_end, self.tokens.get(first), self.tokens.get(index - 1)) {
            self.blank(start.start, last.end());
            self.directives.append(&mut found);
            return index;
        }
        first + 1
    }

    /// The index of the bracket that closes the one at `open`.
    fn closing(&self, open: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for (index, token) in self.tokens.iter().enumerate().skip(open) {
            match token.text {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth = depth.checked_sub(1)?,
                _ => {}
            }
            if depth == 0 {
                return Some(index);
            }
        }
        None
    }

    fn copy_until(&mut self, end: usize) {
        self.text.push_str(self.document.get(self.copied..end).unwrap_or_default());
        self.copied = end;
    }

    /// Replaces a part of the document with spaces. Keeps its line breaks.
    fn blank(&mut self, start: usize, end: usize) {
        self.copy_until(start);
        let removed = self.document.get(start..end).unwrap_or_default();
        self.text.extend(removed.chars().map(|c| if matches!(c, '\n' | '\r') { c } else { ' ' }));
        self.copied = end;
    }
}

fn is_keyword(text: &str) -> bool {
    matches!(text, "query" | "mutation" | "subscription")
}

/// The line and column of a byte offset, as the parser counts them.
fn position(document: &str, byte: usize) -> Pos {
    let before = document.get(..byte).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit(['\n', '\r']).next().unwrap_or_default().chars().count() + 1;
    Pos { line, column }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;

    #[test]
    fn descriptions_become_white_space() {
        for (document, expected) in [
            ("\"who\" query { me }", "      query { me }"),
            ("\"\"\"who\n{\"\"\" query Q { me }", "      \n     query Q { me }"),
            (
                "query { me } # \"no\n\"F\" fragment F on User { id }",
                "query { me } # \"no\n    fragment F on User { id }",
            ),
            ("query Q(\"a\" $a: Int = 1 \"b\" $b: Int) { me }", "query Q(    $a: Int = 1     $b: Int) { me }"),
            ("\"é\" mutation { me }", "    mutation { me }"),
        ] {
            let normalized = normalize(document).text;
            assert_eq!(normalized, expected);
            assert!(parse_query(normalized).is_ok(), "{document}");
        }
    }

    #[test]
    fn other_strings_are_unchanged() {
        for document in [
            "{ me(x: \"query\") { id } }",
            "query($a: [String] = \"x\" $b: Int) { me }",
            "query($a: [String] = [\"x\"] $b: Int) { me }",
            "query @d(a: \"x\") { me } query { me }",
            // Not allowed by the specification: the parser rejects these.
            "\"who\" { me }",
            "\"who\nor\" query { me }",
            "\"\\x\" query { me }",
            "{ \"me\" me }",
            "query(\"a\") { me }",
            "query \"a\" { me }",
        ] {
            assert!(matches!(normalize(document).text, Cow::Borrowed(_)), "{document}");
        }
    }

    #[test]
    fn directives_after_a_default_value_are_returned() {
        let document = "query(\n$a: [Int] = [1] @d(x: [{y: \")\"}]) @e $b: Int = 1 @f\n\"c\" $c: Int = 2 @g) { me }";
        let normalized = normalize(document);
        assert!(!normalized.text.contains(['@', '"']), "{}", normalized.text);
        assert!(parse_query(&normalized.text).is_ok());
        let found: Vec<_> = normalized.directives.iter().map(|(pos, name)| (pos.line, pos.column, *name)).collect();
        assert_eq!(found, [(2, 17, "d"), (2, 35, "e"), (2, 50, "f"), (3, 17, "g")]);
        for malformed in [
            "query($a: Int = 1 @) { me }",
            "query($a: Int = 1 @d x) { me }",
            "query($a: Int = 1 @d(x: [1) { me }",
            "query($a: Int = 1 @d = 2) { me }",
        ] {
            assert!(normalize(malformed).directives.is_empty());
            assert!(parse_query(normalize(malformed).text).is_err());
        }
    }

    /// The positions of all line breaks.
    fn lines(document: &str) -> Vec<(usize, char)> {
        document.chars().enumerate().filter(|(_, c)| matches!(c, '\n' | '\r')).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        /// Rewriting adds no tokens, and each remaining token keeps its position.
        #[test]
        fn rewriting_adds_and_moves_no_tokens(pieces in vec(select(&[
            "query", "fragment F on T", "(", ")", "{", "}", "$a: T", "=", "@d", "[", "]", "\"", "\"\"\"", "\"x\"", "\\", "\\u{1F600}",
            "\\ud83d\\ude00", "\"\\u{22}\"", "\"\\u{5c}\"", "\"\\u{A}\"", "#", "\n", "\r", " ", ",", "1", "é",
        ][..]), 0..12)) {
            let document = pieces.concat();
            let normalized = normalize(&document).text;
            prop_assert_eq!(lines(&document), lines(&normalized));
            prop_assert_eq!(document.chars().count(), normalized.chars().count());
            let after: Vec<_> = tokens(&normalized).map(|token| position(&normalized, token.start)).collect();
            let before: Vec<_> = tokens(&document).map(|token| position(&document, token.start)).collect();
            prop_assert!(after.iter().all(|pos| before.contains(pos)), "{normalized}");
        }
    }
}
