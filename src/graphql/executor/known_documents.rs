//! Documents that have been executed before: front ends send the same few again and again, and parsing and validating
//! one costs more than answering it.

use std::sync::Arc;

use quick_cache::{Weighter, sync::Cache};

use crate::graphql::executor::document::Document;

/// Bytes of text that are kept, and of one document. In memory a document takes some ten times its text.
const MAX_BYTES: u64 = 128 * 1024;
const MAX_DOCUMENT: usize = 8 * 1024;
/// What the cache is laid out for; a common document has 500 bytes.
const DOCUMENTS: usize = 256;

/// The documents, by their texts.
pub(in crate::graphql) struct KnownDocuments(Cache<String, Arc<Document>, ByText>);

#[derive(Clone)]
struct ByText;

impl Weighter<String, Arc<Document>> for ByText {
    fn weight(&self, text: &String, _: &Arc<Document>) -> u64 {
        u64::try_from(text.len()).unwrap_or(u64::MAX)
    }
}

impl KnownDocuments {
    pub(in crate::graphql) fn new() -> Self {
        Self(Cache::with_weighter(DOCUMENTS, MAX_BYTES, ByText))
    }

    pub(in crate::graphql) fn get(&self, text: &str) -> Option<Arc<Document>> {
        self.0.get(text)
    }

    /// Whether a document may be kept: it is small, and has no string in it, which may be a password.
    pub(in crate::graphql) fn may_keep(text: &str) -> bool {
        text.len() <= MAX_DOCUMENT && !text.contains('"')
    }

    /// Keeps a document that has passed all checks.
    pub(in crate::graphql) fn keep(&self, text: String, document: Arc<Document>) {
        self.0.insert(text, document);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::graphql::{executor::schema_types::SchemaTypes, sdl};

    fn parsed(text: &str) -> Arc<Document> {
        static TYPES: LazyLock<SchemaTypes> = LazyLock::new(|| SchemaTypes::of(&sdl(), true));
        Arc::new(Document::parse(&TYPES, text).unwrap())
    }

    #[test]
    fn what_may_hold_a_password_is_not_kept() {
        for (text, is_kept) in [
            ("mutation($input: LoginInput!) { login(input: $input) { tokenType } }", true),
            (r#"mutation { login(input: {username: "a", password: "b"}) { tokenType } }"#, false),
            (r#"query($a: X = """b""") { me }"#, false),
        ] {
            assert_eq!(KnownDocuments::may_keep(text), is_kept, "{text}");
        }
    }

    #[test]
    fn there_is_an_end_to_what_is_kept() {
        let known = KnownDocuments::new();
        for number in 0..10_000 {
            let text = format!("{{ me {{ a{number}: id }} }}");
            let document = parsed(&text);
            known.keep(text, document);
        }
        assert!(known.0.weight() <= MAX_BYTES);
        assert!(!KnownDocuments::may_keep(&format!("{{ me }} #{}", "x".repeat(MAX_DOCUMENT))));
    }
}
