//! Metrics of GraphQL operations.

use std::collections::HashMap;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

use super::labels::Outcome;
use crate::error::ErrorCode;

/// The field of operations that select none that exists.
const NO_FIELD: &str = "none";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    field: String,
    code: Outcome,
}

/// GraphQL operations by root field and code. The names that clients give to operations are not counted.
#[derive(Debug)]
pub struct OperationMetrics(Family<OperationLabels, Counter>);

/// The root fields of the schema, with the counters of their successful operations.
#[derive(Debug)]
pub struct KnownFields(HashMap<String, Counter>);

impl OperationMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let operations = Family::default();
        let help = "GraphQL operations, by root field and by OK or the code of its first error";
        registry.register("graphql_operations", help, operations.clone());
        Self(operations)
    }

    /// Creates the counters of the root fields, so that they start at zero.
    #[must_use]
    pub fn known<'a>(&self, fields: impl Iterator<Item = &'a str>) -> KnownFields {
        let counter = |field: &str| {
            let labels = OperationLabels { field: field.to_owned(), code: Outcome(None) };
            (field.to_owned(), self.0.get_or_create_owned(&labels))
        };
        KnownFields(fields.map(counter).collect())
    }

    /// Counts an operation for one of its root fields. Fields that are not in the schema count as one.
    pub fn count(&self, known: &KnownFields, field: Option<&str>, error: Option<ErrorCode>) {
        let known = field.and_then(|field| known.0.get_key_value(field));
        match (known, error) {
            (Some((_, succeeded)), None) => drop(succeeded.inc()),
            (known, _) => {
                let field = known.map_or(NO_FIELD, |(field, _)| field).to_owned();
                self.0.get_or_create(&OperationLabels { field, code: Outcome(error) }).inc();
            }
        }
    }
}
