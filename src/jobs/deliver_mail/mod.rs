//! Delivery: any number of instances may be at it; each mail is taken by one of them at a time.
//!
//! A mail is taken by moving the time of its next try beyond what a try may take. Who dies meanwhile is followed by
//! another one then; only who dies between sending and noting it makes a mail arrive twice.

mod resolve;

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
    domain::{Client, Context, Event, UnitOfWork, notifications::links, throttle},
    entity::{link, mail, mail::Purpose, user},
    mail::{Concern, Notification, OutgoingMail, SendError},
};

/// Mails on their way at a time.
const AT_ONCE: usize = 4;
/// Mails of one pass.
const BATCH: u64 = 8;

/// How long a taken mail is left alone: more than [`crate::mail::SEND_TIMEOUT`] and what is written afterwards.
const LEASE: TimeDelta = TimeDelta::minutes(3);
/// Waits between tries: the first, doubled each time, up to the longest.
const FIRST_WAIT: TimeDelta = TimeDelta::minutes(1);
const MAX_WAIT: TimeDelta = TimeDelta::hours(1);
/// After so long nobody waits for a mail any more.
const GIVE_UP_AFTER: TimeDelta = TimeDelta::hours(48);

/// How often it is noted that a mail was sent, a second apart: while the database is away for a moment.
const MAX_NOTES: u32 = 10;

/// What became of a pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Mails that are on their way.
    pub sent: u64,
    /// Whether there may be more to do at once. Not so while the mail server is out of reach: the rest then waits.
    pub may_be_more: bool,
}

/// Delivers all that is due, one pass after the other. Returns how many mails were sent.
///
/// # Errors
/// SERVICE_UNAVAILABLE, when the database is out of reach.
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

/// Delivers some of what is due. Whoever serves at the same time pauses between two passes: who asks for mails one after
/// the other would else find out, by how long the next request waits for the database, which of them somebody gets.
///
/// # Errors
/// SERVICE_UNAVAILABLE, when the database is out of reach.
pub async fn pass(app: &Arc<App>) -> Result<Delivered> {
    let is_server_down = AtomicBool::new(false);
    let due = mail::due(app.database.read(), BATCH, app.clock.now()).await?;
    // Before anything is sent, because a slow mail server must not delay it. Mails that have an account already leave
    // before those that get one here, whatever comes of it.
    let resolved = resolve(app).await;
    let mut outcomes = stream::iter(due).map(|id| deliver(app, id, &is_server_down)).buffer_unordered(AT_ONCE);
    let mut delivered = Delivered::default();
    let mut result = Ok(());
    // To the end, whatever happens to one of them: what is on its way must not be dropped.
    while let Some(outcome) = outcomes.next().await {
        match outcome {
            Ok(Delivery::Left) => {}
            Ok(outcome) => {
                delivered.may_be_more = true;
                delivered.sent += u64::from(matches!(outcome, Delivery::Sent));
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

/// What became of a mail.
enum Delivery {
    /// It is on its way.
    Sent,
    /// There is less to do than before.
    Done,
    /// It waits, or somebody else has it.
    Left,
}

/// A leased mail, ready to be sent.
struct Leased {
    mail: mail::Model,
    letter: OutgoingMail,
}

async fn deliver(app: &Arc<App>, id: Uuid, is_server_down: &AtomicBool) -> Result<Delivery> {
    if is_server_down.load(Ordering::Relaxed) || app.outbox.is_closing() {
        return Ok(Delivery::Left);
    }
    let now = app.clock.now();
    let Some(mail) = mail::find_due(app.database.read(), id, now).await? else { return Ok(Delivery::Left) };
    let Some(user_id) = mail.user_id else { return Ok(Delivery::Left) };
    // What happens now was requested by the client of the mail.
    let context = Context::of_job(app).with_client(client_of(&mail));
    let mut work = context.begin().await?;
    let leased = lease(&mut work, mail, user_id, now).await?;
    work.commit().await?;
    let Some(Leased { mail, letter }) = leased else { return Ok(Delivery::Done) };
    match app.mailer.send(&letter, now).await {
        Ok(()) => {
            note_sent(app, &mail).await?;
            Ok(Delivery::Sent)
        }
        Err(failure) => {
            if failure.concern == Concern::Server {
                is_server_down.store(true, Ordering::Relaxed);
            }
            note_failure(app, &mail, &failure).await?;
            Ok(Delivery::Done)
        }
    }
}

/// Leases a mail, and makes its content. `None` if there is nothing to send any more, or another worker has it.
async fn lease(
    work: &mut UnitOfWork<'_>,
    mut mail: mail::Model,
    user_id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<Leased>> {
    let app = work.app();
    // The user before what belongs to them, as everywhere, so that two units of work that change both do not wait for each
    // other.
    let user = user::lock(work.db(), user_id).await?;
    if !mail::lease(work.db(), &mail, now + LEASE).await? {
        return Ok(None);
    }
    mail.attempts += 1;
    let Some(user) = user.filter(|user| is_needed(&mail, user, now)) else {
        mail::delete(work.db(), mail.id, mail.attempts).await?;
        return Ok(None);
    };
    // Counted once, however often it is tried.
    let is_first = mail.attempts == 1;
    if is_first && !throttle::book_delivery(app, work.db(), (&mail, &user), now).await? {
        tracing::info!(mail = %mail.id, purpose = ?mail.purpose, "a mail was dropped: its address has reached its limit");
        mail::delete(work.db(), mail.id, mail.attempts).await?;
        return Ok(None);
    }
    if is_first && mail.purpose == Purpose::ResetPassword {
        work.emit(Event::PasswordResetRequested { user_id });
    }
    let db = work.db();
    let create_link = |purpose| links::create(db, purpose, &user, (&mail.email_key, mail.pending_email_id), now);
    let news = match mail.purpose {
        Purpose::VerifyEmail => {
            let token = create_link(link::Purpose::VerifyEmail).await?;
            Notification::VerifyEmail { link: address_of(app, "verify-email", &token) }
        }
        Purpose::ResetPassword => {
            let token = create_link(link::Purpose::ResetPassword).await?;
            Notification::ResetPassword { link: address_of(app, "reset-password", &token) }
        }
        Purpose::PasswordChanged => Notification::PasswordChanged,
        Purpose::EmailChanged => Notification::EmailChanged,
    };
    let username = user.username.clone();
    let letter =
        OutgoingMail { id: mail.id, to: mail.email.clone(), language: mail.language(), username, notification: news };
    Ok(Some(Leased { mail, letter }))
}

/// Whether a mail still has something to bring.
fn is_needed(mail: &mail::Model, user: &user::Model, now: DateTime<Utc>) -> bool {
    let request = mail.pending_email_id;
    match mail.purpose {
        Purpose::VerifyEmail => {
            let is_done = match request {
                None => user.email_verified_at.is_some(),
                Some(_) => user.pending_email_at(now).is_none(),
            };
            !is_done && links::fits(link::Purpose::VerifyEmail, user, &mail.email_key, request)
        }
        Purpose::ResetPassword => links::fits(link::Purpose::ResetPassword, user, &mail.email_key, request),
        Purpose::PasswordChanged | Purpose::EmailChanged => true,
    }
}

/// The client that asked for a mail.
fn client_of(mail: &mail::Model) -> Client {
    Client {
        ip_address: mail.ip_address.as_ref().and_then(|address| address.parse().ok()),
        user_agent: mail.user_agent.clone(),
        language: mail.language(),
    }
}

fn address_of(app: &App, page: &str, token: &SecretString) -> SecretString {
    format!("{}/{page}?token={}", app.settings.mail.app_url, token.expose_secret()).into()
}

/// Notes that a mail was sent. Until that is noted it would be sent again, so the database may be away for a moment.
async fn note_sent(app: &App, mail: &mail::Model) -> Result<()> {
    let mut notes = 0;
    loop {
        notes += 1;
        let Err(error) = forget(app, mail).await else { return Ok(()) };
        if notes == MAX_NOTES {
            tracing::error!(mail = %mail.id, cause = error.cause(), "a mail was sent and can't be noted: it may come again");
            return Err(error);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn forget(app: &App, mail: &mail::Model) -> Result<()> {
    let transaction = app.write().await?;
    mail::delete(&transaction, mail.id, mail.attempts).await?;
    Ok(transaction.commit().await?)
}

/// Puts a mail off, or gives it up. The log is told what happened, and to which mail, but not whose it is.
async fn note_failure(app: &App, mail: &mail::Model, failure: &SendError) -> Result<()> {
    let now = app.clock.now();
    let (attempts, purpose, cause) = (mail.attempts, mail.purpose, &failure.cause);
    let is_over = now - mail.created_at >= GIVE_UP_AFTER;
    if is_over || failure.concern == Concern::Mailbox {
        tracing::error!(mail = %mail.id, ?purpose, attempts, cause, "a mail can't be delivered and is given up");
        return forget(app, mail).await;
    }
    let wait = wait(attempts);
    let seconds = wait.num_seconds();
    if app.mailer.is_new_refusal(mail.id, failure) {
        tracing::error!(
            mail = %mail.id, ?purpose, attempts, cause, seconds,
            "the mail server refuses a mail for a reason that is not its recipient's; it is tried again for two days"
        );
    } else {
        tracing::warn!(mail = %mail.id, ?purpose, attempts, cause, seconds, "a mail could not be delivered and waits");
    }
    let transaction = app.write().await?;
    mail::put_off(&transaction, mail.id, attempts, now + wait).await?;
    Ok(transaction.commit().await?)
}

/// How long to wait after so many tries.
fn wait(attempts: i32) -> TimeDelta {
    let doublings = u32::try_from(attempts - 1).unwrap_or_default().min(16);
    (FIRST_WAIT * 2_i32.pow(doublings)).min(MAX_WAIT)
}
