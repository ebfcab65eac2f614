//! How long an administrator waits for a page of the list of users, by each filter.

use std::time::{Duration, Instant};

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

pub fn measure(target: &Target) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let app = operations::open(&target.url, None).await;
        let context = Context::of_request(&app, Viewer::Anonymous, Client::default());
        let (name, users) = (target.name, target.users);
        println!("\n{name}, {users} users: pages of {PAGE}, the slowest of three orders in two directions");
        println!("| filter | order | median ms | longest ms |\n|---|---|---|---|");
        for (name, filter) in filters(&app.clock.now(), users) {
            let mut slowest: Option<(String, Vec<Duration>)> = None;
            for order in [ListOrder::CreatedAt, ListOrder::Username, ListOrder::LastLoginAt] {
                for descending in [false, true] {
                    let mut times = Vec::new();
                    for _ in 0..RUNS {
                        let start = Instant::now();
                        let administrator = &Administrator::at_command_line();
                        let range = Range::first(PAGE);
                        let page = administration::page(&context, administrator, &filter, (order, descending), range);
                        page.await.unwrap();
                        times.push(start.elapsed());
                    }
                    times.sort();
                    if slowest.as_ref().is_none_or(|(_, slowest)| slowest[RUNS / 2] < times[RUNS / 2]) {
                        slowest = Some((format!("{order:?}{}", if descending { ", descending" } else { "" }), times));
                    }
                }
            }
            let (order, times) = slowest.unwrap();
            let millis = |time: Duration| time.as_secs_f64() * 1e3;
            println!("| {name} | {order} | {:.1} | {:.1} |", millis(times[RUNS / 2]), millis(times[RUNS - 1]));
        }
        app.database.close().await;
    });
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
