//! The throttle: how often something may be tried, counted in the database, so that all instances count the same and a
//! restart forgets nothing (OWASP ASVS 5.0 §6.3.1, NIST SP 800-63B-4 §3.2.2).
//!
//! An attempt is booked, and committed, before its password is hashed, and released when it succeeds: however many are
//! made at once, by however many doors, no more are evaluated than the limit. Whether a name exists makes no difference.

mod counter;
mod mail;
mod rename;
mod sign_in;

use chrono::{DateTime, TimeDelta, Utc};
use counter::Limit;
pub(crate) use mail::{MailRequest, book_delivery, book_password_change, drop_undeliverable};
pub(super) use rename::RenameAttempt;
pub use sign_in::clear_account;
pub(super) use sign_in::{SignInAttempt, SignInIdentifier, forget_account, forget_places, settle};
use uuid::Uuid;

use crate::{
    App, Error, Result,
    domain::Client,
    entity::throttle::{self, Model},
};

/// Registrations from a network, taken names included.
fn registrations(app: &App) -> Limit {
    Limit::new(app.settings.throttle_limits.registrations, TimeDelta::hours(1))
}

/// Wrong passwords of a signed-in user.
fn passwords(app: &App) -> Limit {
    Limit::new(app.settings.throttle_limits.wrong_current_passwords, TimeDelta::minutes(15))
}

/// Something that is counted.
#[derive(Clone, Copy, Debug)]
struct Counter {
    id: Uuid,
    /// A pseudonym of the identifier that the attempts are at, if they are at one.
    identifier_id: Option<Uuid>,
    limit: Limit,
    /// Whether attempts from places that the owner uses are counted as well.
    counts_owner: bool,
}

/// Attempts that were taken, each by its counter.
#[derive(Debug)]
struct Booking {
    counters: Vec<Counter>,
    at: DateTime<Utc>,
}

/// Counts one attempt by each counter, or by none of them. If the row `place` says that the owner uses this place, only
/// the counters with `counts_owner` count: what others do elsewhere is not held against the owner, and vice versa.
///
/// # Errors
/// RATE_LIMITED: at least one counter has reached its limit. Refused attempts are not counted.
async fn book(app: &App, mut counters: Vec<Counter>, place: Option<Uuid>) -> Result<Booking> {
    let at = app.clock.now();
    let ids = counters.iter().map(|counter| counter.id).chain(place).collect();
    let rows = throttle::find(app.database.read(), ids).await?;
    if rows.iter().any(|row| Some(row.id) == place && row.familiar_until.is_some_and(|until| until > at)) {
        counters.retain(|counter| counter.counts_owner);
    }
    // Most refusals happen here and cost one read.
    check(&counters, &rows, at)?;

    let transaction = app.write().await?;
    if let Err(refused) = book_in(&transaction, &counters, at).await {
        transaction.rollback().await?;
        return Err(refused);
    }
    transaction.commit().await?;
    Ok(Booking { counters, at })
}

/// Refuses early what [`book_in`] would refuse. Most of those who are refused are refused here, which costs one read.
///
/// # Errors
/// RATE_LIMITED.
async fn refuse(app: &App, counters: &[Counter]) -> Result<()> {
    if counters.is_empty() {
        return Ok(());
    }
    let ids = counters.iter().map(|counter| counter.id).collect();
    check(counters, &throttle::find(app.database.read(), ids).await?, app.clock.now())
}

/// Counts one attempt of each counter in the caller's transaction, or none of them. Returns the highest of their counts.
///
/// # Errors
/// RATE_LIMITED.
async fn book_in(
    transaction: &impl sea_orm::ConnectionTrait,
    counters: &[Counter],
    at: DateTime<Utc>,
) -> Result<usize> {
    if counters.is_empty() {
        return Ok(0);
    }
    let mut rows = lock(transaction, counters, at).await?;
    check(counters, &rows, at)?;
    each(counters, &mut rows, |counter, row| counter.limit.book(row, at));
    let count = rows.iter().map(|row| row.attempts.times().count()).max().unwrap_or_default();
    throttle::save(transaction, rows).await?;
    Ok(count)
}

/// Takes an attempt back that failed for a reason of ours. If that fails as well, it stays counted.
async fn withdraw(app: &App, booking: &Booking) {
    let withdrawn = async {
        let now = app.clock.now();
        let transaction = app.write().await?;
        let mut rows = lock(&transaction, &booking.counters, now).await?;
        each(&booking.counters, &mut rows, |counter, row| counter.limit.withdraw(row, booking.at, now));
        throttle::save(&transaction, rows).await?;
        transaction.commit().await?;
        Ok::<_, Error>(())
    };
    if let Err(error) = withdrawn.await {
        tracing::warn!(cause = error.cause(), "an attempt stays counted, though it was not evaluated");
    }
}

async fn lock(
    transaction: &impl sea_orm::ConnectionTrait,
    counters: &[Counter],
    now: DateTime<Utc>,
) -> Result<Vec<Model>> {
    let empty = counters.iter().map(|counter| Model::empty(counter.id, counter.identifier_id, now)).collect();
    Ok(throttle::lock(transaction, empty).await?)
}

/// Checks that each counter takes another attempt.
///
/// # Errors
/// RATE_LIMITED, with the longest wait.
fn check(counters: &[Counter], rows: &[Model], now: DateTime<Utc>) -> Result<()> {
    let wait = |counter: &Counter| counter.limit.wait(rows.iter().find(|row| row.id == counter.id)?, now);
    match counters.iter().filter_map(wait).max() {
        None => Ok(()),
        Some(wait) => {
            // A second begun is a second to wait.
            let seconds = (wait + TimeDelta::milliseconds(999)).num_seconds();
            Err(Error::RateLimited { retry_after: u32::try_from(seconds).unwrap_or(u32::MAX) })
        }
    }
}

fn each(counters: &[Counter], rows: &mut [Model], mut change: impl FnMut(&Counter, &mut Model)) {
    for row in rows {
        if let Some(counter) = counters.iter().find(|counter| counter.id == row.id) {
            change(counter, row);
        }
    }
}

/// The network that a client's address is of: of IPv6, a customer has at least a /64.
fn network(client: &Client) -> String {
    match client.ip_address {
        None => String::new(),
        Some(std::net::IpAddr::V4(address)) => address.to_string(),
        Some(std::net::IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// Books a registration, whatever becomes of it.
///
/// # Errors
/// RATE_LIMITED.
pub(super) async fn book_registration(app: &App, client: &Client) -> Result<()> {
    PlainAttempt::book(app, &["registrations", &network(client)], registrations(app)).await.map(drop)
}

/// An attempt at something that has one counter.
#[derive(Debug)]
pub struct PlainAttempt {
    /// None if nothing is counted here.
    booking: Option<Booking>,
}

impl PlainAttempt {
    async fn book(app: &App, name: &[&str], limit: Limit) -> Result<Self> {
        if !app.settings.throttle {
            return Ok(Self { booking: None });
        }
        let counter = Counter { id: app.pseudonyms.of(name), identifier_id: None, limit, counts_owner: true };
        Ok(Self { booking: Some(book(app, vec![counter], None).await?) })
    }

    /// Books a guess at the password of somebody who is signed in.
    ///
    /// # Errors
    /// RATE_LIMITED.
    pub async fn book_password(app: &App, user_id: Uuid) -> Result<Self> {
        Self::book(app, &["passwords", &user_id.simple().to_string()], passwords(app)).await
    }

    /// Takes it back: it was right, or not evaluated.
    pub async fn withdraw(&self, app: &App) {
        if let Some(booking) = &self.booking {
            withdraw(app, booking).await;
        }
    }
}
