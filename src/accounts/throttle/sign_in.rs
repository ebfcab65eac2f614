//! Counting sign-ins: by who is said to sign in, from where, and by both.

use chrono::TimeDelta;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::{Booking, Client, Counter, Limit, book, each, lock, network, withdraw};
use crate::{
    App, Result,
    accounts::input::TypedIdentifier,
    entity::{
        throttle,
        user::{self, Identifier},
    },
};

/// An identifier, from an address. Where its owner has signed in lately, this is all that counts.
const PAIR: Limit = Limit::new(10, TimeDelta::minutes(15));
/// An identifier, from all addresses together where its owner has not signed in lately.
const IDENTIFIER: Limit = Limit::new(50, TimeDelta::hours(1)).doubling();
/// An address, whoever is said to sign in.
const ADDRESS: Limit = Limit::new(100, TimeDelta::hours(1));

/// How long a place is remembered where the owner has signed in.
const FAMILIAR: TimeDelta = TimeDelta::days(90);

/// A sign-in that was booked.
#[derive(Debug)]
pub(in crate::accounts) struct SignInAttempt {
    /// None if nothing is counted here.
    booking: Option<Booking>,
}

impl SignInAttempt {
    /// Books a sign-in by what was typed, whether or not it is somebody's name.
    ///
    /// # Errors
    /// RATE_LIMITED.
    pub(in crate::accounts) async fn book(app: &App, typed: &str, client: &Client) -> Result<Self> {
        if !app.settings.throttle {
            return Ok(Self { booking: None });
        }
        let identifier = identifier(app, typed);
        let address =
            Counter { id: app.pseudonyms.of(&["address", &network(client)]), identifier_id: None, limit: ADDRESS };
        let booking = book(app, vec![pair(app, identifier.id, client), identifier, address]).await?;
        Ok(Self { booking: Some(booking) })
    }

    /// Takes it back: the password was not evaluated, or was right all the same.
    pub(in crate::accounts) async fn withdraw(&self, app: &App) {
        if let Some(booking) = &self.booking {
            withdraw(app, booking).await;
        }
    }

    /// Notes that it was the owner, in the transaction of the sign-in: what was typed is free of all attempts, and from
    /// now on this place is one that the owner uses, by whichever name.
    ///
    /// # Errors
    /// The database's.
    pub(in crate::accounts) async fn succeed(
        &self,
        app: &App,
        transaction: &impl ConnectionTrait,
        typed: &str,
        user: &user::Model,
        client: &Client,
    ) -> Result<()> {
        let Some(Booking { counters: booked, at }) = &self.booking else { return Ok(()) };
        let cleared = identifier(app, typed);
        let own = own_pairs(app, user, client);
        let strange = booked.iter().copied().filter(|counter| counter.identifier_id.is_none());
        let counters: Vec<Counter> = own.iter().copied().chain([cleared]).chain(strange).collect();
        let now = app.clock.now();
        let mut rows = lock(transaction, &counters, now).await?;
        each(&counters, &mut rows, |counter, row| {
            if counter.identifier_id.is_none() {
                counter.limit.withdraw(row, *at, now);
            } else if counter.id == cleared.id {
                counter.limit.clear(row, None, now);
            } else {
                counter.limit.clear(row, Some(now + FAMILIAR), now);
            }
        });
        Ok(throttle::save(transaction, rows).await?)
    }
}

/// Notes that somebody who has just registered is at home here.
///
/// # Errors
/// The database's.
pub(in crate::accounts) async fn settle(
    app: &App,
    transaction: &impl ConnectionTrait,
    user: &user::Model,
    client: &Client,
) -> Result<()> {
    if !app.settings.throttle {
        return Ok(());
    }
    let (own, now) = (own_pairs(app, user, client), app.clock.now());
    let mut rows = lock(transaction, &own, now).await?;
    each(&own, &mut rows, |counter, row| counter.limit.clear(row, Some(now + FAMILIAR), now));
    Ok(throttle::save(transaction, rows).await?)
}

/// Forgets the attempts at an account by all its names, because its owner has shown another proof.
///
/// # Errors
/// The database's.
pub async fn clear_account(app: &App, transaction: &impl ConnectionTrait, user: &user::Model) -> Result<()> {
    Ok(throttle::clear(transaction, identifiers(user).map(|key| identifier_id(app, key)).collect()).await?)
}

/// Forgets where the owner of an account has signed in, because there is no account any more.
///
/// # Errors
/// The database's.
pub(in crate::accounts) async fn forget_account(
    app: &App,
    transaction: &impl ConnectionTrait,
    user: &user::Model,
) -> Result<()> {
    Ok(throttle::forget(transaction, identifiers(user).map(|key| identifier_id(app, key)).collect()).await?)
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

/// What was typed, by the rules of registration. What can be nobody's name is counted like a name.
fn identifier(app: &App, typed: &str) -> Counter {
    let id = match TypedIdentifier::parse(typed) {
        Some(identifier) => identifier_id(app, identifier.key()),
        None => app.pseudonyms.of(&["other", typed]),
    };
    Counter { id, identifier_id: Some(id), limit: IDENTIFIER }
}

fn pair(app: &App, identifier_id: Uuid, client: &Client) -> Counter {
    let id = app.pseudonyms.of(&["pair", &identifier_id.simple().to_string(), &network(client)]);
    Counter { id, identifier_id: Some(identifier_id), limit: PAIR }
}

fn own_pairs(app: &App, user: &user::Model, client: &Client) -> Vec<Counter> {
    identifiers(user).map(|identifier| pair(app, identifier_id(app, identifier), client)).collect()
}
