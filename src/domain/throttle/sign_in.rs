//! Counting sign-ins: by who is said to sign in, from where, and by both.

use chrono::TimeDelta;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::{
    App, Result,
    domain::{
        identity::TypedIdentifier,
        throttle::{Booking, Client, Counter, Limit, book, each, lock, network, withdraw},
    },
    entity::{
        throttle,
        user::{self, Identifier},
    },
};

/// An identifier, from a network. Where its owner has signed in lately, this is all that counts.
fn by_name_and_network(app: &App) -> Limit {
    Limit::new(app.settings.throttle_limits.failed_logins_by_name_and_network, TimeDelta::minutes(15))
}

/// An identifier, from all networks together where its owner has not signed in lately.
fn by_name(app: &App) -> Limit {
    Limit::new(app.settings.throttle_limits.failed_logins_by_name, TimeDelta::hours(1)).doubling()
}

/// A network, whoever is said to sign in.
fn by_network(app: &App) -> Limit {
    Limit::new(app.settings.throttle_limits.failed_logins_by_network, TimeDelta::hours(1))
}

/// How long a place is remembered where the owner has signed in.
const FAMILIAR: TimeDelta = TimeDelta::days(90);

/// What someone types to say who they are, parsed: the text itself, which may be as large as a request, is not held while
/// the request waits for a hash.
#[derive(Debug)]
pub(in crate::domain) struct SignInIdentifier {
    /// `None` if it can be nobody's.
    typed: Option<TypedIdentifier>,
    /// What attempts are counted by.
    id: Uuid,
}

impl SignInIdentifier {
    /// Parses an identifier by the rules of registration. What can be nobody's name is counted like a name.
    pub(in crate::domain) fn parse(app: &App, text: &str) -> Self {
        let typed = TypedIdentifier::parse(text);
        let id = match &typed {
            Some(identifier) => identifier_id(app, identifier.key()),
            None => app.pseudonyms.of(&["other", text.trim()]),
        };
        Self { typed, id }
    }

    /// The key to look for.
    pub(in crate::domain) fn key(&self) -> Option<Identifier<'_>> {
        self.typed.as_ref().map(TypedIdentifier::key)
    }

    fn counter(&self, app: &App) -> Counter {
        Counter { id: self.id, identifier_id: Some(self.id), limit: by_name(app), counts_owner: false }
    }
}

/// A sign-in that was booked.
#[derive(Debug)]
pub(in crate::domain) struct SignInAttempt {
    /// None if nothing is counted here.
    booking: Option<Booking>,
}

impl SignInAttempt {
    /// Books a sign-in by its identifier. An identifier that nobody has takes the same statements as one that somebody
    /// has.
    ///
    /// # Errors
    /// RATE_LIMITED.
    pub(in crate::domain) async fn book(app: &App, identifier: &SignInIdentifier, client: &Client) -> Result<Self> {
        if !app.settings.throttle {
            return Ok(Self { booking: None });
        }
        let owner = match identifier.key() {
            Some(key) => user::find_id(app.database.read(), key).await?,
            None => None,
        };
        let place = place(app, owner.unwrap_or(identifier.id), client);
        let address = Counter {
            id: app.pseudonyms.of(&["address", &network(client)]),
            identifier_id: None,
            limit: by_network(app),
            counts_owner: false,
        };
        let counters = vec![pair(app, identifier.id, client), identifier.counter(app), address];
        Ok(Self { booking: Some(book(app, counters, Some(place.id)).await?) })
    }

    /// Takes it back: the password was not evaluated, or was right all the same.
    pub(in crate::domain) async fn withdraw(&self, app: &App) {
        if let Some(booking) = &self.booking {
            withdraw(app, booking).await;
        }
    }

    /// Records in the transaction of the sign-in that it was the owner: clears the counters of what was typed, and makes
    /// this place one that the owner uses, whichever identifier they type next time.
    ///
    /// # Errors
    /// Returns an error if the query fails.
    pub(in crate::domain) async fn succeed(
        &self,
        app: &App,
        transaction: &impl ConnectionTrait,
        identifier: &SignInIdentifier,
        user: &user::Model,
        client: &Client,
    ) -> Result<()> {
        let Some(Booking { counters: booked, at }) = &self.booking else { return Ok(()) };
        let place = place(app, user.id, client);
        let address = booked.iter().copied().filter(|counter| counter.identifier_id.is_none());
        let counters: Vec<Counter> =
            [pair(app, identifier.id, client), identifier.counter(app), place].into_iter().chain(address).collect();
        let now = app.clock.now();
        let mut rows = lock(transaction, &counters, now).await?;
        each(&counters, &mut rows, |counter, row| {
            if counter.id == place.id {
                counter.limit.clear(row, Some(now + FAMILIAR), now);
            } else if counter.identifier_id.is_some() {
                counter.limit.clear(row, None, now);
            } else {
                counter.limit.withdraw(row, *at, now);
            }
        });
        Ok(throttle::save(transaction, rows).await?)
    }
}

/// Makes this place one that the owner uses: they have just registered here, or proved to be the owner without a sign-in.
///
/// # Errors
/// Returns an error if the query fails.
pub(in crate::domain) async fn settle(
    app: &App,
    transaction: &impl ConnectionTrait,
    user: &user::Model,
    client: &Client,
) -> Result<()> {
    if !app.settings.throttle {
        return Ok(());
    }
    let (place, now) = ([place(app, user.id, client)], app.clock.now());
    let mut rows = lock(transaction, &place, now).await?;
    each(&place, &mut rows, |counter, row| counter.limit.clear(row, Some(now + FAMILIAR), now));
    Ok(throttle::save(transaction, rows).await?)
}

/// Forgets the attempts at an account by all its identifiers, and the places that its owner uses, because the owner or an
/// administrator has set another password.
///
/// # Errors
/// Returns an error if the query fails.
pub async fn clear_account(app: &App, transaction: &impl ConnectionTrait, user: &user::Model) -> Result<()> {
    throttle::clear(transaction, identifiers(user).map(|key| identifier_id(app, key)).collect()).await?;
    forget_places(app, transaction, user.id).await
}

/// Forgets the places that the owner of an account uses, because all its sessions end.
///
/// # Errors
/// Returns an error if the query fails.
pub(in crate::domain) async fn forget_places(
    app: &App,
    transaction: &impl ConnectionTrait,
    user_id: Uuid,
) -> Result<()> {
    Ok(throttle::forget(transaction, vec![account_id(app, user_id)]).await?)
}

/// Forgets everything about an account, because it is deleted.
///
/// # Errors
/// Returns an error if the query fails.
pub(in crate::domain) async fn forget_account(
    app: &App,
    transaction: &impl ConnectionTrait,
    user: &user::Model,
) -> Result<()> {
    let identifiers = identifiers(user).map(|key| identifier_id(app, key));
    Ok(throttle::forget(transaction, identifiers.chain([account_id(app, user.id)]).collect()).await?)
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
