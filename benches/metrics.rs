//! The cost of counting a request, in nanoseconds and relative to a bare axum handler. `benches/README.md` describes it.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints its result, and a panic ends it")]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use axum::{Router, body::Body, http::Request, routing::get};
use hallpass::metrics::{HashMetrics, Metrics, WaitMetrics};
use tower::ServiceExt;

/// Measurements, of which the fastest counts, so that other load distorts the result little.
const ROUNDS: u32 = 20;
const TIMES: u32 = 50_000;

/// Counting may take at most this long per request.
const LIMIT: Duration = Duration::from_micros(1);

fn main() {
    let metrics = Metrics::new(&HashMetrics::default(), &WaitMetrics::default());
    let fields = ["me", "login", "serverInfo"];
    let known = metrics.operations.known(fields.into_iter());
    // Other routes and statuses, as on a server that runs.
    for number in 0..60 {
        let route = format!("/users/{{id}}/{number}");
        metrics.requests.count(Some(&route), "GET", 200, None, Duration::from_millis(1));
    }
    let counted = fastest(|| {
        let duration = black_box(Duration::from_micros(25));
        metrics.requests.count(black_box(Some("/graphql")), black_box("POST"), 200, None, duration);
        metrics.operations.count(&known, black_box(Some("me")), None);
    });

    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let router = Router::new().route("/", get(async || r#"{"data":null}"#));
    let bare = fastest(|| {
        let request = Request::builder().uri("/").body(Body::empty()).unwrap();
        black_box(runtime.block_on(router.clone().oneshot(request)).unwrap());
    });

    let ratio = counted.as_secs_f64() / bare.as_secs_f64();
    println!("counting a request    {:>6} ns", counted.as_nanos());
    println!("bare axum, no network {:>6} ns", bare.as_nanos());
    println!("ratio                 {ratio:>6.2}");
    assert!(counted < LIMIT, "counting a request takes longer than {LIMIT:?}");
}

/// The time of one call, in the fastest round.
fn fastest(mut work: impl FnMut()) -> Duration {
    let round = |_| {
        let start = Instant::now();
        (0..TIMES).for_each(|_| work());
        start.elapsed() / TIMES
    };
    (0..ROUNDS).map(round).min().unwrap_or_default()
}
