//! The manifest of `TRUSTED_DOCUMENTS`.

use std::{collections::HashMap, path::Path};

use serde::Deserialize;

/// GraphQL documents by the id that clients send instead of the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest(pub HashMap<String, String>);

/// The two formats in use. Both are JSON.
#[derive(Deserialize)]
#[serde(untagged)]
enum Format {
    /// Apollo's `persisted-query-manifest.json`.
    Apollo { format: String, version: u32, operations: Vec<ApolloOperation> },
    /// An object that maps ids to texts, as GraphQL Code Generator and Relay write it.
    Map(HashMap<String, String>),
}

#[derive(Deserialize)]
struct ApolloOperation {
    id: String,
    body: String,
}

const APOLLO_FORMAT: &str = "apollo-persisted-query-manifest";

impl Manifest {
    /// Reads the file.
    ///
    /// # Errors
    /// What is wrong with it, for the operator.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read the file: {error}"))?;
        Self::parse(&text)
    }

    fn parse(json: &str) -> Result<Self, String> {
        let documents: HashMap<String, String> = match serde_json::from_str(json) {
            Ok(Format::Map(documents)) => documents,
            Ok(Format::Apollo { format, version: 1, operations }) if format == APOLLO_FORMAT => {
                let count = operations.len();
                let documents: HashMap<_, _> = operations.into_iter().map(|one| (one.id, one.body)).collect();
                if documents.len() < count {
                    return Err("the manifest lists an id twice".to_owned());
                }
                documents
            }
            Ok(Format::Apollo { format, version, .. }) => {
                return Err(format!("expected version 1 of {APOLLO_FORMAT}, got version {version} of {format}"));
            }
            Err(_) => {
                return Err("expected the manifest of Apollo, or a JSON object that maps ids to documents".to_owned());
            }
        };
        if documents.is_empty() {
            return Err("the manifest lists no documents, so that no request could be executed".to_owned());
        }
        Ok(Self(documents))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_are_read() {
        let expected = Manifest(HashMap::from([("a1".to_owned(), "{ me { id } }".to_owned())]));
        for json in [
            r#"{"a1": "{ me { id } }"}"#,
            r#"{"format": "apollo-persisted-query-manifest", "version": 1,
                "operations": [{"id": "a1", "name": "Me", "type": "query", "body": "{ me { id } }"}]}"#,
        ] {
            assert_eq!(Manifest::parse(json).as_ref(), Ok(&expected), "{json}");
        }
    }

    #[test]
    fn other_manifests_are_refused() {
        let operation = r#"{"id": "a1", "body": "{ me { id } }"}"#;
        for (json, part) in [
            ("", "expected the manifest"),
            ("[]", "expected the manifest"),
            (r#"{"a1": 1}"#, "expected the manifest"),
            ("{}", "no documents"),
            (r#"{"format": "apollo-persisted-query-manifest", "version": 1, "operations": []}"#, "no documents"),
            (r#"{"format": "apollo-persisted-query-manifest", "version": 2, "operations": []}"#, "got version 2"),
            (r#"{"format": "other", "version": 1, "operations": []}"#, "of other"),
            (
                &format!(r#"{{"format": "{APOLLO_FORMAT}", "version": 1, "operations": [{operation}, {operation}]}}"#),
                "twice",
            ),
        ] {
            let error = Manifest::parse(json).unwrap_err();
            assert!(error.contains(part), "{json}: {error}");
        }
    }
}
