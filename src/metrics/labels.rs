//! Labels of the families.

use std::fmt::{self, Write};

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder},
    metrics::{family::Family, histogram::Histogram},
};

use crate::error::ErrorCode;

/// Histograms with one label.
pub(super) type Histograms<V> = Family<[(&'static str, V); 1], Histogram, fn() -> Histogram>;

/// `OK`, or the code of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Outcome(pub Option<ErrorCode>);

impl EncodeLabelValue for Outcome {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        match self.0 {
            None => encoder.write_str("OK"),
            Some(code) => write!(encoder, "{code}"),
        }
    }
}

/// The labels of a sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SignInLabels {
    /// The method, such as `password`.
    pub method: &'static str,
    /// How it ended.
    pub outcome: Outcome,
}

/// The label of a refused attempt.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct LimitName {
    /// The limit, named as its setting without `LIMIT_` and the period.
    pub limit: &'static str,
}

/// The labels of a run of a job.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct JobRun {
    /// The job. Prometheus has a label `job` of its own.
    pub task: &'static str,
    /// `success` or `failure`.
    pub result: &'static str,
}
