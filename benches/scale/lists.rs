//! How long an administrator waits for a page of the list of users, by each filter.

use std::time::Instant;

use chrono::TimeDelta;
use hallpass::domain::{
    Client, Context, Viewer,
    page::Range,
    users::administration::{self, Administrator, Filter, ListOrder, search_terms},
};

use crate::{
    data::{Target, username},
    operations,
};

const PAGE: u64 = 50;
const RUNS: usize = 5;
const NEWEST_FIRST: (ListOrder, bool) = (ListOrder::CreatedAt, true);

pub fn measure(target: &Target) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let app = operations::open(&target.url, None).await;
        let context = Context::of_request(&app, Viewer::Anonymous, Client::default());
        let (name, users) = (target.name, target.users);
        println!("\n{name}, {users} users: pages of {PAGE}, in ms; the slowest of the five other orders");
        println!(
            "| filter | newest first: median | longest | other order | median | longest |\n|---|---|---|---|---|---|"
        );
        for (name, filter) in filters(&app.clock.now(), users) {
            let newest_first = page_times(&context, &filter, NEWEST_FIRST).await;
            let mut others = Vec::new();
            for order in [ListOrder::CreatedAt, ListOrder::Username, ListOrder::LastLoginAt] {
                for descending in [false, true] {
                    if (order, descending) != NEWEST_FIRST {
                        others.push((order, descending, page_times(&context, &filter, (order, descending)).await));
                    }
                }
            }
            let (order, descending, slowest) =
                others.iter().max_by(|a, b| a.2[RUNS / 2].total_cmp(&b.2[RUNS / 2])).unwrap();
            let direction = if *descending { ", descending" } else { "" };
            println!(
                "| {name} | {:.1} | {:.1} | {order:?}{direction} | {:.1} | {:.1} |",
                newest_first[RUNS / 2],
                newest_first[RUNS - 1],
                slowest[RUNS / 2],
                slowest[RUNS - 1]
            );
        }
        app.database.close().await;
    });
}

/// The times of several reads of the first page, in milliseconds, sorted.
async fn page_times(context: &Context, filter: &Filter, order: (ListOrder, bool)) -> [f64; RUNS] {
    let mut times = [0.0; RUNS];
    for time in &mut times {
        let start = Instant::now();
        let administrator = &Administrator::at_command_line();
        administration::page(context, administrator, filter, order, Range::first(PAGE)).await.unwrap();
        *time = start.elapsed().as_secs_f64() * 1e3;
    }
    times.sort_by(f64::total_cmp);
    times
}

/// Filters by one criterion, each with many and with few matches.
fn filters(now: &chrono::DateTime<chrono::Utc>, users: u32) -> Vec<(&'static str, Filter)> {
    let search = |text: &str| Filter { terms: search_terms(text), ..Filter::default() };
    let role = |role: &str| Filter { role: Some(role.to_owned()), ..Filter::default() };
    vec![
        ("none", Filter::default()),
        ("search: a name of all users", search("love")),
        ("search: a name of a twentieth", search("ada")),
        ("search: one username", search(&username(users / 3))),
        ("search: no match", search("nobody")),
        ("search: two names", search("ada lovelace")),
        ("role of all users", role("user")),
        ("role of the oldest fiftieth", role("moderator")),
        ("role of every thousandth", role("admin")),
        ("active", Filter { is_active: Some(true), ..Filter::default() }),
        ("disabled, every hundredth", Filter { is_active: Some(false), ..Filter::default() }),
        ("verified, half", Filter { is_verified: Some(true), ..Filter::default() }),
        ("not verified, half", Filter { is_verified: Some(false), ..Filter::default() }),
        ("created in the last half", Filter { created_after: Some(*now - TimeDelta::days(365)), ..Filter::default() }),
        (
            "created in the first half",
            Filter { created_before: Some(*now - TimeDelta::days(365)), ..Filter::default() },
        ),
        (
            "created in the first hour",
            Filter { created_before: Some(*now - TimeDelta::days(730) + TimeDelta::hours(1)), ..Filter::default() },
        ),
        ("inactive for a year", Filter { inactive_since: Some(*now - TimeDelta::days(365)), ..Filter::default() }),
    ]
}
