//! The throttle: limits attempts. The counters are in the database, so that all instances share them and they survive a
//! restart (OWASP ASVS 5.0 §6.3.1, NIST SP 800-63B-4 §3.2.2).
//!
//! An attempt is booked and committed before its password is hashed, and released if it succeeds. So no more attempts
//! than the limit are evaluated, even if they are concurrent or use different APIs. Unknown names are counted like
//! known ones.

mod counter;
mod mail;
mod rename;
mod sign_in;

use chrono::{DateTime, TimeDelta, Utc};
use counter::Limit;
pub(in crate::domain) use mail::{MailRequest, book_password_change};
pub(crate) use mail::{book_delivery, drop_undeliverable};
pub(in crate::domain) use rename::RenameAttempt;
use sign_in::familiar_network;
pub(in crate::domain) use sign_in::{
    SignInAttempt, clear_account, forget_account, forget_networks, remember_network, throttled,
};
use uuid::Uuid;

use crate::{
    App, Error, Result,
    database::Transaction,
    domain::{Client, Context, UnitOfWork},
    entity::throttle::{self, Model},
};

/// Registrations from a network, including those that fail because the username is taken.
fn registrations(app: &App) -> Limit {
    Limit::new("registrations", app.settings.throttle.limits.registrations, TimeDelta::hours(1))
}

/// Wrong passwords of a signed-in user.
fn passwords(app: &App) -> Limit {
    Limit::new("wrong_current_passwords", app.settings.throttle.limits.wrong_current_passwords, TimeDelta::minutes(15))
}

/// Incorrect codes of second factors, at sign-in and during enrollment.
fn second_factors(app: &App) -> Limit {
    Limit::new("wrong_second_factors", app.settings.throttle.limits.wrong_second_factors, TimeDelta::minutes(15))
        .doubling()
}

/// Invitations by an administrator, including those that fail because an account has the address.
fn invitations(app: &App) -> Limit {
    Limit::new("invitations", app.settings.throttle.limits.invitations, TimeDelta::hours(1))
}

/// Failed sign-ins with providers from a network.
fn provider_sign_ins(app: &App) -> Limit {
    Limit::new(
        "failed_provider_logins_by_network",
        app.settings.throttle.limits.failed_provider_logins_by_network,
        TimeDelta::hours(1),
    )
}

/// A counter of attempts.
#[derive(Clone, Copy, Debug)]
struct Counter {
    id: Uuid,
    /// A pseudonym of the identifier that is attempted, if any.
    identifier_id: Option<Uuid>,
    limit: Limit,
    /// Whether attempts from networks that the owner uses are counted as well.
    counts_owner: bool,
}

/// An attempt that was counted, with its counters.
#[derive(Debug)]
struct Booking {
    counters: Vec<Counter>,
    at: DateTime<Utc>,
}

/// Counts one attempt in all counters, or in none. If the row `familiar` says that the owner uses this network, only
/// the counters with `counts_owner` apply: attempts from other networks do not lock out the owner, and vice versa.
///
/// # Errors
/// RATE_LIMITED if at least one counter has reached its limit. Rejected attempts are not counted.
async fn book(context: &Context, mut counters: Vec<Counter>, familiar: Option<Uuid>) -> Result<Booking> {
    let (app, at) = (&context.app, context.now());
    let ids = counters.iter().map(|counter| counter.id).chain(familiar).collect();
    let rows = throttle::find(app.database.read(), ids).await?;
    if rows.iter().any(|row| Some(row.id) == familiar && row.familiar_until.is_some_and(|until| until > at)) {
        counters.retain(|counter| counter.counts_owner);
    }
    // Rejects most excess attempts at the cost of one read.
    check(app, &counters, &rows, at)?;

    let transaction = app.write().await?;
    if let Err(error) = book_in(app, &transaction, &counters, at).await {
        transaction.rollback().await?;
        return Err(error);
    }
    transaction.commit().await?;
    Ok(Booking { counters, at })
}

/// Rejects early what [`book_in`] would reject, at the cost of one read.
///
/// # Errors
/// RATE_LIMITED.
async fn precheck(context: &Context, counters: &[Counter]) -> Result<()> {
    if counters.is_empty() {
        return Ok(());
    }
    let ids = counters.iter().map(|counter| counter.id).collect();
    check(&context.app, counters, &throttle::find(context.app.database.read(), ids).await?, context.now())
}

/// Counts one attempt in all counters, or in none, in the caller's transaction. Returns the highest count.
///
/// # Errors
/// RATE_LIMITED.
async fn book_in(app: &App, transaction: &Transaction, counters: &[Counter], at: DateTime<Utc>) -> Result<usize> {
    if counters.is_empty() {
        return Ok(0);
    }
    let mut rows = lock(transaction, counters, at).await?;
    check(app, counters, &rows, at)?;
    for_each(counters, &mut rows, |counter, row| counter.limit.book(row, at));
    let count = rows.iter().map(|row| row.attempts.times().count()).max().unwrap_or_default();
    throttle::save(transaction, rows).await?;
    Ok(count)
}

/// Withdraws an attempt that was not evaluated. If the withdrawal fails, the attempt stays counted.
async fn withdraw(context: &Context, booking: &Booking) {
    let withdrawn = async {
        let now = context.now();
        let transaction = context.app.write().await?;
        let mut rows = lock(&transaction, &booking.counters, now).await?;
        for_each(&booking.counters, &mut rows, |counter, row| counter.limit.withdraw(row, booking.at, now));
        throttle::save(&transaction, rows).await?;
        transaction.commit().await?;
        Ok::<_, Error>(())
    };
    if let Err(error) = withdrawn.await {
        tracing::warn!(cause = error.cause(), "failed to withdraw an attempt; it stays counted");
    }
}

async fn lock(transaction: &Transaction, counters: &[Counter], now: DateTime<Utc>) -> Result<Vec<Model>> {
    let empty = counters.iter().map(|counter| Model::empty(counter.id, counter.identifier_id, now)).collect();
    Ok(throttle::lock(transaction, empty).await?)
}

/// Checks that all counters allow another attempt. Counts the limits that do not.
///
/// # Errors
/// RATE_LIMITED, with the longest wait.
fn check(app: &App, counters: &[Counter], rows: &[Model], now: DateTime<Utc>) -> Result<()> {
    let wait = |counter: &Counter| {
        let wait = counter.limit.wait(rows.iter().find(|row| row.id == counter.id)?, now)?;
        app.metrics.count_throttled(counter.limit.name, 1);
        Some(wait)
    };
    match counters.iter().filter_map(wait).max() {
        None => Ok(()),
        Some(wait) => {
            // Rounds up to whole seconds.
            let seconds = (wait + TimeDelta::milliseconds(999)).num_seconds();
            Err(Error::RateLimited { retry_after: u32::try_from(seconds).unwrap_or(u32::MAX) })
        }
    }
}

fn for_each(counters: &[Counter], rows: &mut [Model], mut change: impl FnMut(&Counter, &mut Model)) {
    for row in rows {
        if let Some(counter) = counters.iter().find(|counter| counter.id == row.id) {
            change(counter, row);
        }
    }
}

/// The network of a client's address. For IPv6 the /64, which is the smallest allocation to a customer.
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

/// Books a registration. It is never withdrawn.
///
/// # Errors
/// RATE_LIMITED.
pub(in crate::domain) async fn book_registration(context: &Context) -> Result<()> {
    let name = ["registrations", &network(&context.client)];
    PlainAttempt::book(context, &name, registrations(&context.app)).await.map(drop)
}

/// Books an invitation by an administrator. It is never withdrawn.
///
/// # Errors
/// RATE_LIMITED.
pub(in crate::domain) async fn book_invitation(context: &Context, administrator_id: Uuid) -> Result<()> {
    let name = ["invitations", &administrator_id.simple().to_string()];
    PlainAttempt::book(context, &name, invitations(&context.app)).await.map(drop)
}

/// The counter of incorrect codes of a user.
fn second_factor_counter(app: &App, user_id: Uuid) -> Counter {
    let id = app.pseudonyms.of(&["second factors", &user_id.simple().to_string()]);
    Counter { id, identifier_id: None, limit: second_factors(app), counts_owner: true }
}

/// Deletes the incorrect codes of a user whose second factor was removed by an administrator.
pub(in crate::domain) async fn clear_second_factor(work: &UnitOfWork<'_>, user_id: Uuid) -> Result<()> {
    let counter = [second_factor_counter(work.app(), user_id)];
    let mut rows = lock(work.db(), &counter, work.now).await?;
    for_each(&counter, &mut rows, |counter, row| counter.limit.clear(row, None, work.now));
    Ok(throttle::save(work.db(), rows).await?)
}

/// An attempt with a single counter.
#[derive(Debug)]
pub(in crate::domain) struct PlainAttempt {
    /// `None` if the throttle is disabled.
    booking: Option<Booking>,
}

impl PlainAttempt {
    async fn book(context: &Context, name: &[&str], limit: Limit) -> Result<Self> {
        let id = context.app.pseudonyms.of(name);
        Self::book_counter(context, Counter { id, identifier_id: None, limit, counts_owner: true }).await
    }

    async fn book_counter(context: &Context, counter: Counter) -> Result<Self> {
        if !context.settings().throttle.is_enabled {
            return Ok(Self { booking: None });
        }
        Ok(Self { booking: Some(book(context, vec![counter], None).await?) })
    }

    /// Books an attempt at the password of a signed-in user.
    ///
    /// # Errors
    /// RATE_LIMITED.
    pub(in crate::domain) async fn book_password(context: &Context, user_id: Uuid) -> Result<Self> {
        Self::book(context, &["passwords", &user_id.simple().to_string()], passwords(&context.app)).await
    }

    /// Books a sign-in with a provider, before anything is requested from the provider.
    ///
    /// # Errors
    /// RATE_LIMITED.
    pub(in crate::domain) async fn book_provider(context: &Context) -> Result<Self> {
        Self::book(context, &["provider sign-ins", &network(&context.client)], provider_sign_ins(&context.app)).await
    }

    /// Books an attempt at the second factor of a user, from any client and with any challenge.
    ///
    /// # Errors
    /// RATE_LIMITED.
    pub(in crate::domain) async fn book_second_factor(context: &Context, user_id: Uuid) -> Result<Self> {
        Self::book_counter(context, second_factor_counter(&context.app, user_id)).await
    }

    /// Withdraws an attempt that was correct, in the transaction that follows from it.
    pub(in crate::domain) async fn withdraw_in(&self, work: &UnitOfWork<'_>) -> Result<()> {
        let Some(booking) = &self.booking else { return Ok(()) };
        let mut rows = lock(work.db(), &booking.counters, work.now).await?;
        for_each(&booking.counters, &mut rows, |counter, row| counter.limit.withdraw(row, booking.at, work.now));
        Ok(throttle::save(work.db(), rows).await?)
    }

    /// Withdraws an attempt that was correct or not evaluated.
    pub(in crate::domain) async fn withdraw(&self, context: &Context) {
        if let Some(booking) = &self.booking {
            withdraw(context, booking).await;
        }
    }
}
