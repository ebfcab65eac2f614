//! Metrics of requests to the API.

use std::time::Duration;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::{Registry, Unit},
};

use super::labels::{Histograms, Outcome};
use crate::error::ErrorCode;

/// Upper bounds of the buckets for requests, in seconds. A request takes at most 16, including the time for its body.
const BUCKETS: [f64; 11] = [0.001, 0.0025, 0.01, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 6.0, 16.0];

/// The methods that are counted by name. All others, which clients can make up, are `other`.
const METHODS: [&str; 7] = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"];

/// The route of requests that match none.
const NO_ROUTE: &str = "none";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    method: &'static str,
    status: u16,
}

/// Requests by route, method and status, and their durations by route.
#[derive(Debug)]
pub struct RequestMetrics {
    requests: Family<RequestLabels, Counter>,
    durations: Histograms<String>,
    errors: Family<[(&'static str, Outcome); 1], Counter>,
}

impl RequestMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let requests = Family::default();
        registry.register("http_requests", "Requests, by route, method and status", requests.clone());
        let durations = Family::new_with_constructor(histogram as fn() -> Histogram);
        registry.register_with_unit(
            "http_request_duration",
            "Time from the head of a request to its response, by route",
            Unit::Seconds,
            durations.clone(),
        );
        let errors = Family::default();
        // Those that alerts are about start at zero.
        for code in [ErrorCode::InternalServerError, ErrorCode::ServiceUnavailable] {
            drop(errors.get_or_create(&[("code", Outcome(Some(code)))]));
        }
        registry.register(
            "http_errors",
            "Requests with an error, by its code; in GraphQL the first one",
            errors.clone(),
        );
        Self { requests, durations, errors }
    }

    /// Counts a request. `route` is the pattern of the route that it matched.
    pub fn count(&self, route: Option<&str>, method: &str, status: u16, error: Option<ErrorCode>, duration: Duration) {
        let route = route.unwrap_or(NO_ROUTE).to_owned();
        let method = known_method(method).unwrap_or("other");
        let labels = RequestLabels { route, method, status };
        self.requests.get_or_create(&labels).inc();
        self.durations.get_or_create(&[("route", labels.route)]).observe(duration.as_secs_f64());
        if error.is_some() {
            self.errors.get_or_create(&[("code", Outcome(error))]).inc();
        }
    }
}

/// The name of a method that is not made up by a client.
#[must_use]
pub fn known_method(method: &str) -> Option<&'static str> {
    METHODS.into_iter().find(|known| *known == method)
}

fn histogram() -> Histogram {
    Histogram::new(BUCKETS)
}
