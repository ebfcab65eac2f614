//! Mail delivery. Any number of instances may deliver; each mail is leased by one worker at a time.
//!
//! A worker leases a mail by moving `next_attempt_at` past the longest possible attempt. If the worker crashes, another
//! one retries when the lease expires. A mail is sent twice only if the worker crashes after sending it and before
//! deleting its row.

mod deletion;
mod invitation;
mod resolve;
mod sign_in;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt, stream};
use uuid::Uuid;

use self::resolve::resolve;
use crate::{
    App, Result,
    config::{ExposeSecret, SecretString},
    domain::{
        Client, Context, Event, UnitOfWork,
        notifications::{Kind, LinkKind, links},
        throttle,
    },
    entity::{link, mail, mail::Purpose, user},
    mail::{FailureScope, OutgoingMail, SendError},
};

/// Mails that are sent concurrently.
const MAX_CONCURRENT: usize = 4;
/// Mails of one pass.
const BATCH: u64 = 8;

/// The duration of a lease: longer than [`crate::mail::SEND_TIMEOUT`] plus the writes that follow.
const LEASE: TimeDelta = TimeDelta::minutes(3);
/// The wait before the first retry. It doubles with each attempt, up to [`MAX_WAIT`].
const FIRST_WAIT: TimeDelta = TimeDelta::minutes(1);
const MAX_WAIT: TimeDelta = TimeDelta::hours(1);
/// The age at which a mail is no longer useful and is deleted.
const GIVE_UP_AFTER: TimeDelta = TimeDelta::hours(48);

/// Attempts to delete the row of a sent mail, one second apart: enough for a short database outage.
const MAX_RECORD_ATTEMPTS: u32 = 10;

/// The result of a pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Mails that were sent.
    pub sent: u64,
    /// Whether another pass may find due mails. False while the mail server is unreachable.
    pub may_be_more: bool,
}

/// Delivers all due mails, pass by pass. Returns the number of mails sent.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub async fn tick(app: &Arc<App>) -> Result<u64> {
    let mut sent = 0;
    loop {
        let delivered = pass(app).await?;
        sent += delivered.sent;
        if !delivered.may_be_more {
            return Ok(sent);
        }
    }
}

/// Delivers a batch of due mails. A server that also handles requests must pause between two passes. Otherwise a client
/// that requests one mail after another could learn from the wait for the database which addresses have an account.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub async fn pass(app: &Arc<App>) -> Result<Delivered> {
    let is_server_down = AtomicBool::new(false);
    let due = mail::due(app.database.read(), BATCH, app.clock.now()).await?;
    // Before sending, because a slow mail server must not delay it. `due` was read first, so mails that already have an
    // account are sent before those resolved here, even if resolution fails.
    let resolved = resolve(app).await;
    let mut deliveries = stream::iter(due).map(|id| deliver(app, id, &is_server_down)).buffer_unordered(MAX_CONCURRENT);
    let mut delivered = Delivered::default();
    let mut result = Ok(());
    // Runs to the end even after an error: dropping the stream would cancel mails that are being sent.
    while let Some(delivery) = deliveries.next().await {
        match delivery {
            Ok(Delivery::Skipped) => {}
            Ok(delivery) => {
                delivered.may_be_more = true;
                delivered.sent += u64::from(matches!(delivery, Delivery::Sent));
            }
            Err(error) => {
                is_server_down.store(true, Ordering::Relaxed);
                result = Err(error);
            }
        }
    }
    delivered.may_be_more &= !is_server_down.load(Ordering::Relaxed);
    delivered.may_be_more |= resolved? > 0;
    result.map(|()| delivered)
}

/// The result of an attempt to deliver a mail.
enum Delivery {
    /// The mail was sent.
    Sent,
    /// The mail was deleted, or its next attempt was scheduled.
    Done,
    /// The mail was not attempted: it is not due, is leased by another worker, or the mail server is down.
    Skipped,
}

/// A leased mail, ready to be sent.
struct Leased {
    mail: mail::Model,
    outgoing: OutgoingMail,
}

async fn deliver(app: &Arc<App>, id: Uuid, is_server_down: &AtomicBool) -> Result<Delivery> {
    if is_server_down.load(Ordering::Relaxed) || app.outbox.is_closing() {
        return Ok(Delivery::Skipped);
    }
    let now = app.clock.now();
    let Some(mail) = mail::find_due(app.database.read(), id, now).await? else { return Ok(Delivery::Skipped) };
    if !mail.is_resolved() {
        return Ok(Delivery::Skipped);
    }
    // Audit events are attributed to the client that requested the mail.
    let context = Context::of_job(app).with_client(client_of(&mail));
    let mut work = context.begin().await?;
    let leased = match (mail.user_id, mail.invitation_id) {
        (Some(user_id), _) if mail.purpose == Purpose::SignIn => sign_in::lease(&work, mail, user_id, now).await?,
        (Some(user_id), _) => lease(&mut work, mail, user_id, now).await?,
        (None, Some(invitation_id)) => invitation::lease(&work, mail, invitation_id, now).await?,
        (None, None) => deletion::lease(&work, mail, now).await?,
    };
    work.commit().await?;
    let Some(Leased { mail, outgoing }) = leased else { return Ok(Delivery::Done) };
    match app.mailer.send(&outgoing, now).await {
        Ok(()) => {
            app.metrics.mails_sent.inc();
            record_sent(app, &mail).await?;
            Ok(Delivery::Sent)
        }
        Err(error) => {
            if error.scope == FailureScope::Server {
                is_server_down.store(true, Ordering::Relaxed);
            }
            record_failure(app, &mail, &error).await?;
            Ok(Delivery::Done)
        }
    }
}

/// Leases a mail and creates its content. Returns `None` if the mail is obsolete or leased by another worker.
async fn lease(
    work: &mut UnitOfWork<'_>,
    mut mail: mail::Model,
    user_id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<Leased>> {
    let app = work.app();
    // Lock order: the user first, then dependent rows, as in every unit of work, so that two of them cannot deadlock.
    let user = user::lock(work.db(), user_id).await?;
    if !mail::lease(work.db(), &mail, now + LEASE).await? {
        return Ok(None);
    }
    mail.attempts += 1;
    let Some(user) = user.filter(|user| is_needed(&mail, user, now)) else {
        mail::delete(work.db(), mail.id, mail.attempts).await?;
        return Ok(None);
    };
    // The throttle counts a mail once, not once per attempt.
    let is_first = mail.attempts == 1;
    if is_first && !throttle::book_delivery(app, work.db(), (&mail, Some(&user)), now).await? {
        tracing::info!(mail = %mail.id, purpose = ?mail.purpose, "mail dropped: its address has reached the limit");
        mail::delete(work.db(), mail.id, mail.attempts).await?;
        return Ok(None);
    }
    if is_first && mail.purpose == Purpose::ResetPassword {
        work.emit(Event::PasswordResetRequested { user_id });
    }
    let Kind { template, link } = Kind::of(mail.purpose);
    let link = match link {
        Some(link) => {
            let address = (mail.email_key.as_str(), mail.pending_email_id);
            let token = links::create(work.db(), &link, &user, address, now).await?;
            Some(link_to(app, link.page, &token))
        }
        None => None,
    };
    let username = Some(user.username.clone());
    let (to, language) = (mail.email.clone(), mail.language());
    let outgoing = OutgoingMail { id: mail.id, to, language, username, template, link, code: None };
    Ok(Some(Leased { mail, outgoing }))
}

/// Whether a mail is still needed. A notice always is. A link is needed if it matches the account and its change is not
/// done yet.
fn is_needed(mail: &mail::Model, user: &user::Model, now: DateTime<Utc>) -> bool {
    let Some(LinkKind { purpose, .. }) = Kind::of(mail.purpose).link else { return true };
    let is_done = match (purpose, mail.pending_email_id) {
        (link::Purpose::VerifyEmail, None) => user.email_verified_at.is_some(),
        (link::Purpose::VerifyEmail, Some(_)) => user.pending_email_at(now).is_none(),
        (link::Purpose::ResetPassword, _) => false,
    };
    !is_done && links::matches(purpose, user, &mail.email_key, mail.pending_email_id)
}

/// The client that requested a mail.
fn client_of(mail: &mail::Model) -> Client {
    Client {
        ip_address: mail.ip_address.as_ref().and_then(|address| address.parse().ok()),
        user_agent: mail.user_agent.clone(),
        language: mail.language(),
    }
}

fn link_to(app: &App, page: &str, token: &SecretString) -> SecretString {
    format!("{}/{page}?token={}", app.settings.mail.app_url, token.expose_secret()).into()
}

/// Deletes the row of a sent mail. A row that stays would be sent again, so this retries during a short database
/// outage.
async fn record_sent(app: &App, mail: &mail::Model) -> Result<()> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let Err(error) = delete(app, mail).await else { return Ok(()) };
        if attempts == MAX_RECORD_ATTEMPTS {
            let cause = error.cause();
            tracing::error!(mail = %mail.id, cause, "failed to delete a sent mail; it may be sent twice");
            return Err(error);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn delete(app: &App, mail: &mail::Model) -> Result<()> {
    let transaction = app.write().await?;
    mail::delete(&transaction, mail.id, mail.attempts).await?;
    Ok(transaction.commit().await?)
}

/// Schedules a retry, or deletes a mail that cannot be delivered. The log contains the id of the mail, but not its
/// recipient.
async fn record_failure(app: &App, mail: &mail::Model, error: &SendError) -> Result<()> {
    app.metrics.mail_failures.inc();
    let now = app.clock.now();
    let (attempts, purpose, cause) = (mail.attempts, mail.purpose, &error.cause);
    let is_expired = now - mail.created_at >= GIVE_UP_AFTER;
    if is_expired || error.scope == FailureScope::Mailbox {
        tracing::error!(mail = %mail.id, ?purpose, attempts, cause, "mail cannot be delivered and is dropped");
        app.metrics.mails_given_up.inc();
        return delete(app, mail).await;
    }
    let wait = wait(attempts);
    let seconds = wait.num_seconds();
    if app.mailer.is_new_refusal(mail.id, error) {
        tracing::error!(
            mail = %mail.id, ?purpose, attempts, cause, seconds,
            "the mail server rejected a mail for a reason other than its recipient; retrying for two days"
        );
    } else {
        tracing::warn!(mail = %mail.id, ?purpose, attempts, cause, seconds, "mail could not be delivered; retrying");
    }
    let transaction = app.write().await?;
    mail::postpone(&transaction, mail.id, attempts, now + wait).await?;
    Ok(transaction.commit().await?)
}

/// The wait before the next attempt, after `attempts` failed ones.
fn wait(attempts: i32) -> TimeDelta {
    let doublings = u32::try_from(attempts - 1).unwrap_or_default().min(16);
    (FIRST_WAIT * 2_i32.pow(doublings)).min(MAX_WAIT)
}
