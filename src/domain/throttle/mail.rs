//! Limits of mails: how many a client and an account may request, and how many of one kind are sent to one address.
//!
//! The client and the account are counted at the request, which may fail with RATE_LIMITED. The address is counted when
//! the mail is about to be sent, and a mail beyond the limit is dropped silently. A response that depended on the
//! address would reveal which addresses have an account, and would let anyone use up the limit of the owner.
//!
//! Of all mails of one kind to an address, the owner can use any, except those for sign-in: only the client that asked can use
//! them. So those that are requested from a network which the owner uses have a counter of their own. Requests from other networks
//! do not use up their limit.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::{
    App, Error, Result,
    database::Transaction,
    domain::{
        Client, Context, UnitOfWork,
        notifications::Kind,
        throttle::{Counter, Limit, PlainAttempt, book_in, familiar_network, network, precheck},
    },
    entity::{mail, mail::Purpose, throttle, user},
};

/// Mails requested from a network, including those of registrations.
fn by_network(app: &App) -> Limit {
    Limit::new("mail_requests_by_network", app.settings.throttle.limits.mail_requests_by_network, TimeDelta::hours(1))
}

/// Mails requested by an account, including that of its registration.
fn by_account(app: &App) -> Limit {
    Limit::new("mail_requests_by_account", app.settings.throttle.limits.mail_requests_by_account, TimeDelta::hours(24))
}

/// Mails of one kind that are sent to one address. A password reset link is valid for as long as this window, so an
/// owner whose mail is dropped has already received a link that is still valid.
fn to_address(app: &App) -> Limit {
    Limit::new("mails_to_address", app.settings.throttle.limits.mails_to_address, TimeDelta::hours(1))
}

/// Password changes by the owner, each of which sends a notice.
fn password_changes(app: &App) -> Limit {
    Limit::new("password_changes", app.settings.throttle.limits.password_changes, TimeDelta::hours(24))
}

/// A request for a mail that is not counted yet.
#[derive(Debug)]
pub(in crate::domain) struct MailRequest {
    /// Empty if the throttle is disabled.
    counters: Vec<Counter>,
}

impl MailRequest {
    /// Creates a request by a client, and by the account if it is signed in.
    pub(in crate::domain) fn new(context: &Context, account_id: Option<Uuid>) -> Self {
        let app = &context.app;
        if !app.settings.throttle.is_enabled {
            return Self { counters: Vec::new() };
        }
        let counter = |name: &str, subject: &str, limit| Counter {
            id: app.pseudonyms.of(&[name, subject]),
            identifier_id: None,
            limit,
            counts_owner: true,
        };
        let network = counter("mail requests of network", &network(&context.client), by_network(app));
        let account =
            account_id.map(|id| counter("mail requests of account", &id.simple().to_string(), by_account(app)));
        Self { counters: [Some(network), account].into_iter().flatten().collect() }
    }

    /// Like [`Self::new`], but fails early if a limit is reached, so that a flood of requests opens no transactions.
    ///
    /// # Errors
    /// RATE_LIMITED.
    pub(in crate::domain) async fn checked(context: &Context, account_id: Option<Uuid>) -> Result<Self> {
        let request = Self::new(context, account_id);
        precheck(context, &request.counters).await?;
        Ok(request)
    }

    /// Counts the request in the transaction that writes the mail. Returns the mail's [round](mail::Model::round).
    ///
    /// # Errors
    /// RATE_LIMITED. The caller must then roll back, or not write the mail.
    pub(in crate::domain) async fn book(self, work: &UnitOfWork<'_>) -> Result<i32> {
        let count = book_in(work.app(), work.db(), &self.counters, work.now).await?;
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }
}

/// Counts a mail that is about to be sent. `user` is `None` for a mail that concerns no account. Returns false if its address
/// has reached the limit for this kind of mail; the mail must then not be sent.
pub(crate) async fn book_delivery(
    app: &App,
    transaction: &Transaction,
    (mail, user): (&mail::Model, Option<&user::Model>),
    now: DateTime<Utc>,
) -> Result<bool> {
    if !app.settings.throttle.is_enabled {
        return Ok(true);
    }
    let with_user: Vec<_> = user.map(|user| (mail, user)).into_iter().collect();
    let familiar = from_familiar_networks(app, transaction, &with_user, now).await?;
    match book_in(app, transaction, &[recipient(app, mail, user, &familiar)], now).await {
        Ok(_) => Ok(true),
        Err(Error::RateLimited { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Drops the mails that [`book_delivery`] would reject, with at most two statements. Counts nothing.
pub(crate) async fn drop_undeliverable(
    app: &App,
    db: &Transaction,
    mails: Vec<(mail::Model, &user::Model)>,
    now: DateTime<Utc>,
) -> Result<Vec<mail::Model>> {
    if !app.settings.throttle.is_enabled || mails.is_empty() {
        return Ok(mails.into_iter().map(|(mail, _)| mail).collect());
    }
    let total = mails.len();
    let limit = to_address(app);
    let with_user: Vec<_> = mails.iter().map(|(mail, user)| (mail, *user)).collect();
    let familiar = from_familiar_networks(app, db, &with_user, now).await?;
    let ids: Vec<Uuid> = mails.iter().map(|(mail, user)| recipient(app, mail, Some(user), &familiar).id).collect();
    let rows = throttle::find(db, ids.clone()).await?;
    let mut remaining: HashMap<Uuid, usize> = rows.iter().map(|row| (row.id, limit.remaining(row, now))).collect();
    let is_allowed = |id: Uuid| {
        let empty = || limit.remaining(&throttle::Model::empty(id, None, now), now);
        let remaining = remaining.entry(id).or_insert_with(empty);
        let is_allowed = *remaining > 0;
        *remaining = remaining.saturating_sub(1);
        is_allowed
    };
    let mails = ids.into_iter().map(is_allowed).zip(mails);
    let mails: Vec<_> = mails.filter_map(|(is_allowed, (mail, _))| is_allowed.then_some(mail)).collect();
    let dropped = total - mails.len();
    if dropped > 0 {
        app.metrics.count_throttled(limit.name, u64::try_from(dropped).unwrap_or(u64::MAX));
        tracing::info!(dropped, "mails dropped: their addresses have reached the limit");
    }
    Ok(mails)
}

/// The counter of the recipient's address. Mails to an account's own address and to its pending address are different
/// kinds, so that requests to change to an address do not use up the limit of its owner. `familiar` is the result of
/// [`from_familiar_networks`].
fn recipient(app: &App, mail: &mail::Model, user: Option<&user::Model>, familiar: &HashSet<Uuid>) -> Counter {
    let whose = match user {
        Some(user) if user.email_key.as_ref() == Some(&mail.email_key) => "own",
        Some(_) => "pending",
        None => "none",
    };
    let network = familiar.contains(&mail.id).then(|| network(&client_of(mail)));
    let name = ["mails to address", Kind::of(mail.purpose).template, whose, &mail.email_key];
    let name: Vec<&str> = name.into_iter().chain(network.as_deref()).collect();
    Counter { id: app.pseudonyms.of(&name), identifier_id: None, limit: to_address(app), counts_owner: true }
}

/// The ids of those mails for sign-in that were requested from a network which the owner of the account uses.
async fn from_familiar_networks(
    app: &App,
    db: &Transaction,
    mails: &[(&mail::Model, &user::Model)],
    now: DateTime<Utc>,
) -> Result<HashSet<Uuid>> {
    let sign_ins = mails.iter().filter(|(mail, _)| mail.purpose == Purpose::SignIn);
    let networks: Vec<(Uuid, Uuid)> =
        sign_ins.map(|(mail, user)| (mail.id, familiar_network(app, user.id, &client_of(mail)).id)).collect();
    if networks.is_empty() {
        return Ok(HashSet::new());
    }
    let rows = throttle::find(db, networks.iter().map(|(_, network)| *network).collect()).await?;
    let is_familiar = |row: &throttle::Model| row.familiar_until.is_some_and(|until| until > now);
    let familiar: HashSet<Uuid> = rows.iter().filter(|row| is_familiar(row)).map(|row| row.id).collect();
    Ok(networks.into_iter().filter(|(_, network)| familiar.contains(network)).map(|(mail, _)| mail).collect())
}

/// The client that requested a mail, as far as it is counted.
fn client_of(mail: &mail::Model) -> Client {
    Client::new(mail.ip_address.as_ref().and_then(|address| address.parse().ok()), None)
}

/// Counts a password change by the owner.
///
/// # Errors
/// RATE_LIMITED.
pub(in crate::domain) async fn book_password_change(context: &Context, user_id: Uuid) -> Result<()> {
    let name = ["password changes", &user_id.simple().to_string()];
    PlainAttempt::book(context, &name, password_changes(&context.app)).await.map(drop)
}
