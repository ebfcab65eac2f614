//! Limits of mails: how many a client and an account may ask for, and how many of one kind go to one address.
//!
//! Whoever asks is counted when they ask, and may be told to wait. An address is counted when a mail to it is about to
//! be sent, and a mail beyond its limit is dropped silently: an answer that depended on the address would tell who has
//! an account, and would let anybody use up what its owner may ask for.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::{
    App, Error, Result,
    database::Transaction,
    domain::{
        Context, UnitOfWork,
        throttle::{Counter, Limit, PlainAttempt, book_in, network, refuse},
    },
    entity::{
        mail::{self, Purpose},
        throttle, user,
    },
};

/// Mails that are asked for from a network, registrations included.
fn by_network(app: &App) -> Limit {
    Limit::new(app.settings.throttle.limits.mail_requests_by_network, TimeDelta::hours(1))
}

/// Mails that an account asks for, its registration included.
fn by_account(app: &App) -> Limit {
    Limit::new(app.settings.throttle.limits.mail_requests_by_account, TimeDelta::hours(24))
}

/// Mails of one kind that are sent to one address. A link to reset a password is good for as long as this window, so an
/// owner whose mail is dropped has been sent another link that is still good.
fn to_address(app: &App) -> Limit {
    Limit::new(app.settings.throttle.limits.mails_to_address, TimeDelta::hours(1))
}

/// Changes of a password by its owner, each of which sends a notice.
fn password_changes(app: &App) -> Limit {
    Limit::new(app.settings.throttle.limits.password_changes, TimeDelta::hours(24))
}

/// A request for a mail, not counted yet.
#[derive(Debug)]
pub(in crate::domain) struct MailRequest {
    /// Empty if nothing is counted here.
    counters: Vec<Counter>,
}

impl MailRequest {
    /// A request by a client, and by the account that it is signed in to.
    pub(in crate::domain) fn new(context: &Context, account_id: Option<Uuid>) -> Self {
        let app = &context.app;
        if !app.settings.throttle.is_enabled {
            return Self { counters: Vec::new() };
        }
        let counter = |name: &str, whose: &str, limit| Counter {
            id: app.pseudonyms.of(&[name, whose]),
            identifier_id: None,
            limit,
            counts_owner: true,
        };
        let network = counter("mail requests of network", &network(&context.client), by_network(app));
        let account =
            account_id.map(|id| counter("mail requests of account", &id.simple().to_string(), by_account(app)));
        Self { counters: [Some(network), account].into_iter().flatten().collect() }
    }

    /// The same, refused early if it has no chance, so that a flood of requests opens no transactions.
    ///
    /// # Errors
    /// RATE_LIMITED.
    pub(in crate::domain) async fn checked(context: &Context, account_id: Option<Uuid>) -> Result<Self> {
        let request = Self::new(context, account_id);
        refuse(context, &request.counters).await?;
        Ok(request)
    }

    /// Counts it in the transaction that writes the mail. Returns the mail's [round](mail::Model::round).
    ///
    /// # Errors
    /// RATE_LIMITED; then the transaction must be rolled back, or write no mail.
    pub(in crate::domain) async fn book(self, work: &UnitOfWork<'_>) -> Result<i32> {
        let count = book_in(work.db(), &self.counters, work.now).await?;
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }
}

/// Counts a mail that is about to be sent. False if its address has had as many of its kind as the limit allows: then it
/// must not be sent.
pub(crate) async fn book_delivery(
    app: &App,
    transaction: &Transaction,
    (mail, user): (&mail::Model, &user::Model),
    now: DateTime<Utc>,
) -> Result<bool> {
    if !app.settings.throttle.is_enabled {
        return Ok(true);
    }
    match book_in(transaction, &[recipient(app, mail, user)], now).await {
        Ok(_) => Ok(true),
        Err(Error::RateLimited { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Drops those of many mails that [`book_delivery`] would refuse, by one statement. It counts nothing.
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
    let ids: Vec<Uuid> = mails.iter().map(|(mail, user)| recipient(app, mail, user).id).collect();
    let rows = throttle::find(db, ids.clone()).await?;
    let mut room: HashMap<Uuid, usize> = rows.iter().map(|row| (row.id, limit.room(row, now))).collect();
    let has_room = |id: Uuid| {
        let room = room.entry(id).or_insert_with(|| limit.room(&throttle::Model::empty(id, None, now), now));
        let has_room = *room > 0;
        *room = room.saturating_sub(1);
        has_room
    };
    let mails = ids.into_iter().map(has_room).zip(mails);
    let mails: Vec<_> = mails.filter_map(|(has_room, (mail, _))| has_room.then_some(mail)).collect();
    if mails.len() < total {
        tracing::info!(
            dropped = total - mails.len(),
            "mails were dropped: their addresses have had as many as the limit allows"
        );
    }
    Ok(mails)
}

/// The counter of the address that a mail goes to. Mails to the address of an account and to one that it may move to are
/// of two kinds, so that nobody who wants to move to an address uses up the mails of its owner.
fn recipient(app: &App, mail: &mail::Model, user: &user::Model) -> Counter {
    let is_own = user.email_key.as_ref() == Some(&mail.email_key);
    let kind = match mail.purpose {
        Purpose::VerifyEmail if is_own => "verify address",
        Purpose::VerifyEmail => "verify new address",
        Purpose::ResetPassword => "reset password",
        Purpose::PasswordChanged => "password changed",
        Purpose::EmailChanged => "address changed",
    };
    Counter {
        id: app.pseudonyms.of(&["mails to address", kind, &mail.email_key]),
        identifier_id: None,
        limit: to_address(app),
        counts_owner: true,
    }
}

/// Counts a change of a password by its owner.
///
/// # Errors
/// RATE_LIMITED.
pub(in crate::domain) async fn book_password_change(context: &Context, user_id: Uuid) -> Result<()> {
    let name = ["password changes", &user_id.simple().to_string()];
    PlainAttempt::book(context, &name, password_changes(&context.app)).await.map(drop)
}
