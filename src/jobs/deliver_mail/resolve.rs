//! Resolves mail requests to accounts, in batches.
//!
//! A request from a client that is not signed in contains an address but no account. Requests for addresses without an
//! account are dropped in bulk with a constant number of statements, so that a flood of them delays no other mails.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    App, Result,
    database::Transaction,
    domain::{
        identity::Email,
        notifications::{deliverable, own_address},
        throttle,
    },
    entity::{
        mail::{self, Purpose},
        user,
    },
};

/// Requests resolved in one transaction.
const BATCH: u64 = 1000;
/// Pending changes read in one transaction: several accounts may request a change to the same address.
const MAX_PENDING: u64 = 5 * BATCH;

/// Resolves a batch of requests. Returns the number of requests; 0 means that none are left.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub(super) async fn resolve(app: &App) -> Result<usize> {
    let now = app.clock.now();
    let ids = mail::unresolved(app.database.read(), BATCH, now).await?;
    if ids.is_empty() {
        return Ok(0);
    }
    let transaction = app.write().await?;
    let requests = mail::remove_unresolved(&transaction, ids).await?;
    let count = requests.len();
    let accounts = Accounts::find(&transaction, &requests, now).await?;
    let mails = requests.into_iter().filter_map(|request| accounts.resolve(request)).collect();
    let mails = throttle::drop_undeliverable(app, &transaction, mails, now).await?;
    if !mails.is_empty() {
        mail::insert_all(&transaction, mails).await?;
    }
    transaction.commit().await?;
    Ok(count)
}

/// Accounts by their current address and by their pending address.
struct Accounts {
    by_email: HashMap<String, user::Model>,
    by_pending_email: HashMap<String, user::Model>,
}

impl Accounts {
    async fn find(transaction: &Transaction, requests: &[mail::Model], now: DateTime<Utc>) -> Result<Self> {
        let keys = requests.iter().map(|request| request.email_key.as_str()).collect();
        let holders = user::email_holders(transaction, keys).await?;
        let verifications = requests.iter().filter(|request| request.purpose == Purpose::VerifyEmail);
        let keys: Vec<&str> = verifications.map(|request| request.email_key.as_str()).collect();
        let pending = if keys.is_empty() {
            Vec::new()
        } else {
            user::pending_email_holders(transaction, keys, MAX_PENDING, now).await?
        };
        let by_email = holders.into_iter().filter_map(|user| Some((user.email_key.clone()?, user))).collect();
        // The query returns the latest change first. `collect` keeps the last entry of each key, hence `rev`.
        let pending = pending.into_iter().rev();
        let by_pending_email = pending.filter_map(|user| Some((user.pending_email_key.clone()?, user))).collect();
        Ok(Self { by_email, by_pending_email })
    }

    /// Returns the mail to send for a request, with its account.
    fn resolve(&self, request: mail::Model) -> Option<(mail::Model, &user::Model)> {
        let holder = self.by_email.get(&request.email_key);
        let (user, to, pending_email_id) = match request.purpose {
            Purpose::ResetPassword | Purpose::SignIn => own(holder?),
            Purpose::VerifyEmail => match holder.filter(|user| user.email_verified_at.is_none()) {
                Some(holder) => own(holder),
                None => pending(self.by_pending_email.get(&request.email_key)?),
            },
            // These are enqueued with an account and are never unresolved.
            _ => None,
        }?;
        let mail = mail::Model {
            email: deliverable(&to),
            email_key: to.key,
            user_id: Some(user.id),
            pending_email_id,
            ..request
        };
        Some((mail, user))
    }
}

/// The account and the address that a mail goes to, and the change of address that it verifies.
type Recipient<'a> = (&'a user::Model, Email, Option<Uuid>);

fn own(user: &user::Model) -> Option<Recipient<'_>> {
    Some((user, own_address(user)?, None))
}

fn pending(user: &user::Model) -> Option<Recipient<'_>> {
    let to = Email { text: user.pending_email.clone()?, key: user.pending_email_key.clone()? };
    Some((user, to, Some(user.pending_email_id?)))
}
