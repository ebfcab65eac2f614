//! Trusted documents, also called persisted documents: with `TRUSTED_DOCUMENTS`, only these are executed.

use std::{collections::HashMap, sync::Arc};

use crate::{
    Error, Result,
    config::Manifest,
    graphql::executor::{lexer::tokens, limits},
};

/// The documents of a manifest.
pub(in crate::graphql) struct TrustedDocuments {
    by_id: HashMap<String, Arc<str>>,
    /// By their tokens.
    by_tokens: HashMap<String, Arc<str>>,
}

/// The document of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestDocument {
    /// The request contains the text.
    Text(String),
    /// The request contains the id of a trusted document: `documentId` (GraphQL over HTTP, appendix "Persisted Documents"), or
    /// `extensions.persistedQuery.sha256Hash` of Apollo's and urql's clients.
    Id(String),
}

impl TrustedDocuments {
    pub(in crate::graphql) fn new(manifest: &Manifest) -> Self {
        let mut by_id = HashMap::new();
        let mut by_tokens = HashMap::new();
        for (id, text) in &manifest.0 {
            let shared: Arc<str> = text.as_str().into();
            by_tokens.insert(join_tokens(text), Arc::clone(&shared));
            by_id.insert(id.clone(), shared);
        }
        Self { by_id, by_tokens }
    }

    /// The listed text of a document. White space and comments do not matter. A client's own text is not executed even then, so
    /// that nothing depends on how it is compared.
    ///
    /// # Errors
    /// `PersistedQueryNotInList` or `QueryNotInSafelist`.
    pub(in crate::graphql) fn find(&self, document: &RequestDocument) -> Result<String> {
        let found = match document {
            RequestDocument::Id(id) => {
                // The prefix that the specification gives to hashes.
                let hash = || self.by_id.get(id.strip_prefix("sha256:")?);
                self.by_id.get(id).or_else(hash).ok_or(Error::PersistedQueryNotInList)?
            }
            RequestDocument::Text(text) => {
                limits::check_text(text)?;
                self.by_tokens.get(&join_tokens(text)).ok_or(Error::QueryNotInSafelist)?
            }
        };
        Ok(found.to_string())
    }
}

fn join_tokens(text: &str) -> String {
    let mut joined = String::with_capacity(text.len());
    for token in tokens(text) {
        joined.push_str(token.text);
        joined.push('\n');
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(document: &RequestDocument) -> Option<String> {
        let listed = [("a1", "query Me {\n  me {\n    id\n  }\n}"), ("b2", r#"{ name(of: "a b") }"#)];
        let manifest = Manifest(listed.map(|(id, text)| (id.to_owned(), text.to_owned())).into());
        TrustedDocuments::new(&manifest).find(document).ok()
    }

    #[test]
    fn texts_are_compared_by_their_tokens() {
        for (text, is_trusted) in [
            ("query Me {\n  me {\n    id\n  }\n}", true),
            ("query Me{me{id,}} # Ada", true),
            ("query Me { me { id username } }", false),
            ("query Me { me { i d } }", false),
            ("query me { me { id } }", false),
            ("query Me { me { id } } query Other { me { id } }", false),
            ("", false),
            (r#"{name(of:"a b")}"#, true),
            (r#"{ name(of: "a  b") }"#, false),
            (r#"{ name(of: "ab") }"#, false),
        ] {
            assert_eq!(find(&RequestDocument::Text(text.to_owned())).is_some(), is_trusted, "{text}");
        }
    }

    #[test]
    fn the_listed_text_is_executed() {
        let found = find(&RequestDocument::Text("query Me{me{id}}".to_owned()));
        assert_eq!(found.as_deref(), Some("query Me {\n  me {\n    id\n  }\n}"));
    }

    #[test]
    fn ids_are_compared_byte_for_byte() {
        for (id, is_trusted) in
            [("a1", true), ("sha256:a1", true), ("A1", false), ("a1 ", false), ("", false), ("sha256:", false)]
        {
            assert_eq!(find(&RequestDocument::Id(id.to_owned())).is_some(), is_trusted, "{id}");
        }
    }
}
