//! Counting sign-ins: by who is said to sign in, from where, and by both.

use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use uuid::Uuid;

use crate::{
    App, Result,
    domain::{
        Client, Context, UnitOfWork,
        identity::TypedIdentifier,
        throttle::{Booking, Counter, Limit, book, each, lock, network, withdraw},
    },
    entity::{
        throttle,
        user::{self, Identifier},
    },
};

/// An identifier, from a network. Where its owner has signed in lately, this is all that counts.
fn by_name_and_network(app: &App) -> Limit {
    Limit::new(app.settings.throttle.limits.failed_logins_by_name_and_network, TimeDelta::minutes(15))
}

/// An identifier, from all networks together where its owner has not signed in lately.
fn by_name(app: &App) -> Limit {
    Limit::new(app.settings.throttle.limits.failed_logins_by_name, TimeDelta::hours(1)).doubling()
}

/// A network, whoever is said to sign in.
fn by_network(app: &App) -> Limit {
    Limit::new(app.settings.throttle.limits.failed_logins_by_network, TimeDelta::hours(1))
}

/// How long a place is remembered where the owner has signed in.
const FAMILIAR: TimeDelta = TimeDelta::days(90);

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

/// Counts the attempt of a sign-in method. It is booked before the method runs, and settled afterwards: it stays counted
/// if the method has called [`SignInAttempt::fail`], and is withdrawn otherwise, so that an outage locks nobody out. A
/// method that signs in calls [`SignInAttempt::succeed`] in its transaction instead.
///
/// # Errors
/// RATE_LIMITED; those of the method.
pub(in crate::domain) async fn throttled<T>(
    context: &Context,
    identifier: &TypedIdentifier,
    method: impl AsyncFnOnce(&SignInAttempt) -> Result<T>,
) -> Result<T> {
    let attempt = SignInAttempt::book(context, identifier).await?;
    let result = method(&attempt).await;
    let has_failed = attempt.has_failed.load(Ordering::Relaxed);
    let has_succeeded = result.is_ok() && attempt.has_succeeded.load(Ordering::Relaxed);
    if let Some(booking) = attempt.booking.as_ref().filter(|_| !has_failed && !has_succeeded) {
        withdraw(context, booking).await;
    }
    result
}

impl SignInAttempt {
    /// An identifier that no user has takes the same statements as one that a user has.
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
        let place = place(app, owner.unwrap_or(identifier.id), &context.client);
        let address = Counter {
            id: app.pseudonyms.of(&["address", &network(&context.client)]),
            identifier_id: None,
            limit: by_network(app),
            counts_owner: false,
        };
        let counters = vec![pair(app, identifier.id, &context.client), identifier, address];
        attempt.booking = Some(book(context, counters, Some(place.id)).await?);
        Ok(attempt)
    }

    /// Keeps the attempt counted: the credentials were wrong.
    pub(in crate::domain) fn fail(&self) {
        self.has_failed.store(true, Ordering::Relaxed);
    }

    /// Records in the transaction of the sign-in that it was the owner: clears the counters of the identifier, and makes
    /// this a place that the owner uses, whichever identifier they enter next time.
    pub(in crate::domain) async fn succeed(&self, work: &UnitOfWork<'_>, user: &user::Model) -> Result<()> {
        let Some(Booking { counters: booked, at }) = &self.booking else { return Ok(()) };
        let (app, client, now) = (work.app(), &work.context.client, work.now);
        let place = place(app, user.id, client);
        let address = booked.iter().copied().filter(|counter| counter.identifier_id.is_none());
        let own = [pair(app, self.identifier.id, client), self.identifier, place];
        let counters: Vec<Counter> = own.into_iter().chain(address).collect();
        let mut rows = lock(work.db(), &counters, now).await?;
        each(&counters, &mut rows, |counter, row| {
            if counter.id == place.id {
                counter.limit.clear(row, Some(now + FAMILIAR), now);
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

/// Makes this a place that the owner uses: they have just registered here, or proved to be the owner without a sign-in.
pub(in crate::domain) async fn remember_place(work: &UnitOfWork<'_>, user: &user::Model) -> Result<()> {
    if !work.app().settings.throttle.is_enabled {
        return Ok(());
    }
    let (place, now) = ([place(work.app(), user.id, &work.context.client)], work.now);
    let mut rows = lock(work.db(), &place, now).await?;
    each(&place, &mut rows, |counter, row| counter.limit.clear(row, Some(now + FAMILIAR), now));
    Ok(throttle::save(work.db(), rows).await?)
}

/// Forgets the attempts at an account by all its identifiers, and the places that its owner uses, because the owner or an
/// administrator has set another password.
pub(in crate::domain) async fn clear_account(work: &UnitOfWork<'_>, user: &user::Model) -> Result<()> {
    let ids = identifiers(user).map(|key| identifier_id(work.app(), key)).collect();
    throttle::clear(work.db(), ids).await?;
    forget_places(work, user.id).await
}

/// Forgets the places that the owner of an account uses, because all its sessions end.
pub(in crate::domain) async fn forget_places(work: &UnitOfWork<'_>, user_id: Uuid) -> Result<()> {
    Ok(throttle::forget(work.db(), vec![account_id(work.app(), user_id)]).await?)
}

/// Forgets everything about an account, because it is deleted.
pub(in crate::domain) async fn forget_account(work: &UnitOfWork<'_>, user: &user::Model) -> Result<()> {
    let app = work.app();
    let identifiers = identifiers(user).map(|key| identifier_id(app, key));
    Ok(throttle::forget(work.db(), identifiers.chain([account_id(app, user.id)]).collect()).await?)
}

/// What an account is signed in to by.
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

/// An identifier that no user can have is counted like one that a user has.
fn identifier(app: &App, typed: &TypedIdentifier) -> Counter {
    let id = match typed {
        TypedIdentifier::Unknown(text) => app.pseudonyms.of(&["other", text]),
        TypedIdentifier::Username(username) => identifier_id(app, Identifier::Username(&username.key)),
        TypedIdentifier::Email(email) => identifier_id(app, Identifier::Email(&email.key)),
    };
    Counter { id, identifier_id: Some(id), limit: by_name(app), counts_owner: false }
}

fn pair(app: &App, identifier_id: Uuid, client: &Client) -> Counter {
    let id = app.pseudonyms.of(&["pair", &identifier_id.simple().to_string(), &network(client)]);
    Counter { id, identifier_id: Some(identifier_id), limit: by_name_and_network(app), counts_owner: true }
}

/// A pseudonym of an account by its id, or of an identifier that nobody has by its own pseudonym.
fn account_id(app: &App, id: Uuid) -> Uuid {
    app.pseudonyms.of(&["account", &id.simple().to_string()])
}

/// The row of an account and a network, which says whether the owner uses this place. It counts no attempts.
fn place(app: &App, id: Uuid, client: &Client) -> Counter {
    let account_id = account_id(app, id);
    let id = app.pseudonyms.of(&["place", &account_id.simple().to_string(), &network(client)]);
    Counter { id, identifier_id: Some(account_id), limit: by_name_and_network(app), counts_owner: true }
}
