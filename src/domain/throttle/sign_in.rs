//! Limits sign-in attempts by identifier, by network, and by the pair of both.

use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use uuid::Uuid;

use crate::{
    App, Error, Result,
    domain::{
        Client, Context, UnitOfWork,
        identity::TypedIdentifier,
        throttle::{Booking, Counter, Limit, PlainAttempt, book, for_each, lock, network, withdraw},
    },
    entity::{
        throttle,
        user::{self, Identifier},
    },
};

/// Attempts at an identifier from one network. From a network that the owner has used recently, no other limit applies.
fn by_name_and_network(app: &App) -> Limit {
    Limit::new(
        "failed_logins_by_name_and_network",
        app.settings.throttle.limits.failed_logins_by_name_and_network,
        TimeDelta::minutes(15),
    )
}

/// Attempts at an identifier from all networks that its owner has not used recently.
fn by_name(app: &App) -> Limit {
    Limit::new("failed_logins_by_name", app.settings.throttle.limits.failed_logins_by_name, TimeDelta::hours(1))
        .doubling()
}

/// Attempts from a network at any identifier.
fn by_network(app: &App) -> Limit {
    Limit::new("failed_logins_by_network", app.settings.throttle.limits.failed_logins_by_network, TimeDelta::hours(1))
}

/// How long a network counts as familiar after the owner has signed in from it.
const FAMILIAR_FOR: TimeDelta = TimeDelta::days(90);

/// A sign-in that was booked.
#[derive(Debug)]
pub(in crate::domain) struct SignInAttempt {
    /// `None` if attempts are not counted.
    booking: Option<Booking>,
    /// The counter of the identifier.
    identifier: Counter,
    has_failed: AtomicBool,
    has_succeeded: AtomicBool,
}

/// Counts the attempt of a sign-in method. The attempt is booked before the method runs and settled afterwards. It
/// stays counted if the method calls [`SignInAttempt::fail`], and is withdrawn otherwise, so that an outage locks out
/// no user. A method that signs in calls [`SignInAttempt::succeed`] in its transaction instead.
///
/// # Errors
/// RATE_LIMITED, and the errors of the method.
pub(in crate::domain) async fn throttled<T>(
    context: &Context,
    identifier: &TypedIdentifier,
    method: impl AsyncFnOnce(&SignInAttempt) -> Result<T>,
) -> Result<T> {
    let attempt = SignInAttempt::book(context, identifier).await?;
    let result = method(&attempt).await;
    let has_failed = attempt.has_failed.load(Ordering::Relaxed);
    // A sign-in that waits for the second factor has had a correct password.
    let is_correct = matches!(result, Ok(_) | Err(Error::MfaRequired(_)));
    let has_succeeded = is_correct && attempt.has_succeeded.load(Ordering::Relaxed);
    if let Some(booking) = attempt.booking.as_ref().filter(|_| !has_failed && !has_succeeded) {
        withdraw(context, booking).await;
    }
    result
}

impl SignInAttempt {
    /// Books the attempt. Runs the same statements for known and unknown identifiers.
    async fn book(context: &Context, typed: &TypedIdentifier) -> Result<Self> {
        let app = &context.app;
        let identifier = identifier(app, typed);
        let mut attempt = Self {
            booking: None,
            identifier,
            has_failed: AtomicBool::new(false),
            has_succeeded: AtomicBool::new(false),
        };
        if !app.settings.throttle.is_enabled {
            return Ok(attempt);
        }
        let owner = match typed.key() {
            Some(key) => user::find_id(app.database.read(), key).await?,
            None => None,
        };
        let familiar = familiar_network(app, owner.unwrap_or(identifier.id), &context.client);
        let counters = vec![pair(app, identifier.id, &context.client), identifier, any_name(app, &context.client)];
        attempt.booking = Some(book(context, counters, Some(familiar.id)).await?);
        Ok(attempt)
    }

    /// Keeps the attempt counted, because the credentials are incorrect.
    pub(in crate::domain) fn fail(&self) {
        self.has_failed.store(true, Ordering::Relaxed);
    }

    /// Records a successful sign-in in its transaction: clears the counters of the identifier and marks this network as
    /// familiar for all identifiers of the account.
    pub(in crate::domain) async fn succeed(&self, work: &UnitOfWork<'_>, user: &user::Model) -> Result<()> {
        let Some(Booking { counters: booked, at }) = &self.booking else { return Ok(()) };
        let (app, client, now) = (work.app(), &work.context.client, work.now);
        let familiar = familiar_network(app, user.id, client);
        let network = booked.iter().copied().filter(|counter| counter.identifier_id.is_none());
        let own = [pair(app, self.identifier.id, client), self.identifier, familiar];
        let counters: Vec<Counter> = own.into_iter().chain(network).collect();
        let mut rows = lock(work.db(), &counters, now).await?;
        for_each(&counters, &mut rows, |counter, row| {
            if counter.id == familiar.id {
                counter.limit.clear(row, Some(now + FAMILIAR_FOR), now);
            } else if counter.identifier_id.is_some() {
                counter.limit.clear(row, None, now);
            } else {
                counter.limit.withdraw(row, *at, now);
            }
        });
        throttle::save(work.db(), rows).await?;
        self.has_succeeded.store(true, Ordering::Relaxed);
        Ok(())
    }
}

impl PlainAttempt {
    /// Books an attempt at the code in a mail to an address: for the address in this network, and for the network. Runs the same
    /// statements for every address. How many mails are sent to an address limits the attempts from all networks.
    ///
    /// # Errors
    /// RATE_LIMITED.
    pub(in crate::domain) async fn book_mail_code(context: &Context, email_key: &str) -> Result<Self> {
        let (app, client) = (&context.app, &context.client);
        if !app.settings.throttle.is_enabled {
            return Ok(Self { booking: None });
        }
        let key = Identifier::Email(email_key);
        let identifier_id = identifier_id(app, key);
        let owner = user::find_id(app.database.read(), key).await?;
        let familiar = familiar_network(app, owner.unwrap_or(identifier_id), client);
        let id = app.pseudonyms.of(&["mail codes", &identifier_id.simple().to_string(), &network(client)]);
        let limit = by_name_and_network(app);
        let pair = Counter { id, identifier_id: Some(identifier_id), limit, counts_owner: true };
        Ok(Self { booking: Some(book(context, vec![pair, any_name(app, client)], Some(familiar.id)).await?) })
    }
}

/// Marks this network as familiar to the owner, who has registered here or proved their identity without a sign-in.
pub(in crate::domain) async fn remember_network(work: &UnitOfWork<'_>, user: &user::Model) -> Result<()> {
    if !work.app().settings.throttle.is_enabled {
        return Ok(());
    }
    let (familiar, now) = ([familiar_network(work.app(), user.id, &work.context.client)], work.now);
    let mut rows = lock(work.db(), &familiar, now).await?;
    for_each(&familiar, &mut rows, |counter, row| counter.limit.clear(row, Some(now + FAMILIAR_FOR), now));
    Ok(throttle::save(work.db(), rows).await?)
}

/// Deletes the attempts at all identifiers of an account and its familiar networks. Called after the owner or an
/// administrator has set a new password.
pub(in crate::domain) async fn clear_account(work: &UnitOfWork<'_>, user: &user::Model) -> Result<()> {
    let ids = identifiers(user).map(|key| identifier_id(work.app(), key)).collect();
    throttle::clear(work.db(), ids).await?;
    forget_networks(work, user.id).await
}

/// Deletes the familiar networks of an account. Called when all its sessions are revoked.
pub(in crate::domain) async fn forget_networks(work: &UnitOfWork<'_>, user_id: Uuid) -> Result<()> {
    Ok(throttle::forget(work.db(), vec![account_id(work.app(), user_id)]).await?)
}

/// Deletes all counters of an account. Called when the account is deleted.
pub(in crate::domain) async fn forget_account(work: &UnitOfWork<'_>, user: &user::Model) -> Result<()> {
    let app = work.app();
    let identifiers = identifiers(user).map(|key| identifier_id(app, key));
    Ok(throttle::forget(work.db(), identifiers.chain([account_id(app, user.id)]).collect()).await?)
}

/// The identifiers that sign in to an account.
fn identifiers(user: &user::Model) -> impl Iterator<Item = Identifier<'_>> {
    [Some(Identifier::Username(&user.username_key)), user.email_key.as_deref().map(Identifier::Email)]
        .into_iter()
        .flatten()
}

fn identifier_id(app: &App, identifier: Identifier<'_>) -> Uuid {
    match identifier {
        Identifier::Username(key) => app.pseudonyms.of(&["username", key]),
        Identifier::Email(key) => app.pseudonyms.of(&["email", key]),
    }
}

/// The counter of an identifier. Identifiers that no user can have are counted as well.
fn identifier(app: &App, typed: &TypedIdentifier) -> Counter {
    let id = match typed {
        TypedIdentifier::Unknown(text) => app.pseudonyms.of(&["other", text]),
        TypedIdentifier::Username(username) => identifier_id(app, Identifier::Username(&username.key)),
        TypedIdentifier::Email(email) => identifier_id(app, Identifier::Email(&email.key)),
    };
    Counter { id, identifier_id: Some(id), limit: by_name(app), counts_owner: false }
}

/// The counter of a network, for any identifiers.
fn any_name(app: &App, client: &Client) -> Counter {
    let id = app.pseudonyms.of(&["address", &network(client)]);
    Counter { id, identifier_id: None, limit: by_network(app), counts_owner: false }
}

fn pair(app: &App, identifier_id: Uuid, client: &Client) -> Counter {
    let id = app.pseudonyms.of(&["pair", &identifier_id.simple().to_string(), &network(client)]);
    Counter { id, identifier_id: Some(identifier_id), limit: by_name_and_network(app), counts_owner: true }
}

/// A pseudonym of an account. For an unknown identifier, `id` is the pseudonym of the identifier.
fn account_id(app: &App, id: Uuid) -> Uuid {
    app.pseudonyms.of(&["account", &id.simple().to_string()])
}

/// The row that records whether the owner of an account uses a network. It counts no attempts.
pub(super) fn familiar_network(app: &App, id: Uuid, client: &Client) -> Counter {
    let account_id = account_id(app, id);
    let id = app.pseudonyms.of(&["place", &account_id.simple().to_string(), &network(client)]);
    Counter { id, identifier_id: Some(account_id), limit: by_name_and_network(app), counts_owner: true }
}
