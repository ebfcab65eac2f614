//! A cache of executed documents. Front ends send the same few documents repeatedly, and parsing and validating one
//! costs more than executing it.

use std::sync::Arc;

use quick_cache::{Weighter, sync::Cache};

use crate::graphql::executor::document::Document;

/// Maximum size of all cached texts and of one document, in bytes. A parsed document needs about ten times the memory.
const MAX_BYTES: u64 = 128 * 1024;
const MAX_DOCUMENT: usize = 8 * 1024;
/// The expected number of documents. A typical document has 500 bytes.
const EXPECTED_DOCUMENTS: usize = 256;

/// Parsed documents by text.
pub(in crate::graphql) struct KnownDocuments(Cache<String, Arc<Document>, TextLength>);

#[derive(Clone)]
struct TextLength;

impl Weighter<String, Arc<Document>> for TextLength {
    fn weight(&self, text: &String, _: &Arc<Document>) -> u64 {
        u64::try_from(text.len()).unwrap_or(u64::MAX)
    }
}

impl KnownDocuments {
    pub(in crate::graphql) fn new() -> Self {
        Self(Cache::with_weighter(EXPECTED_DOCUMENTS, MAX_BYTES, TextLength))
    }

    pub(in crate::graphql) fn get(&self, text: &str) -> Option<Arc<Document>> {
        self.0.get(text)
    }

    /// Whether a document may be cached: it is small and contains no strings, which could be passwords.
    pub(in crate::graphql) fn may_keep(text: &str) -> bool {
        text.len() <= MAX_DOCUMENT && !text.contains('"')
    }

    /// Caches a document that has passed all checks.
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
    fn documents_with_strings_are_not_cached() {
        for (text, is_kept) in [
            ("mutation($input: LoginInput!) { login(input: $input) { tokenType } }", true),
            (r#"mutation { login(input: {username: "a", password: "b"}) { tokenType } }"#, false),
            (r#"query($a: X = """b""") { me }"#, false),
        ] {
            assert_eq!(KnownDocuments::may_keep(text), is_kept, "{text}");
        }
    }

    #[test]
    fn cache_size_is_limited() {
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
