//! The mail servers, which are tried in order.
//!
//! If a server fails before it has taken the content of a mail, the next one is tried in the same attempt. If a server refuses
//! the recipient or the mail, no other server is asked. A server that has failed is tried last for a minute, so that an outage
//! delays the other mails by at most one time limit.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use lettre::{Message, transport::smtp};

use crate::{
    config::Settings,
    mail::{FailureScope, OutgoingMail, SendError, smtp::Client},
};

/// Time limit for sending one mail, by all servers together.
pub const SEND_TIMEOUT: Duration = Duration::from_mins(2);
/// Time limit for each server, if its share of [`SEND_TIMEOUT`] is not smaller.
const SERVER_TIMEOUT: Duration = Duration::from_mins(1);
/// How long a server that has failed is tried last.
const TRY_LAST_FOR: TimeDelta = TimeDelta::minutes(1);

/// All mail servers, at least one.
#[derive(Debug)]
pub(super) struct Relay {
    servers: Vec<Server>,
    timeout: Duration,
}

#[derive(Debug)]
struct Server {
    client: Client,
    failure: Mutex<Option<Failure>>,
}

/// The latest failure of a server that has not worked since.
#[derive(Debug)]
struct Failure {
    at: DateTime<Utc>,
    cause: String,
}

impl Relay {
    /// Loads the TLS configuration. Does not connect. `None` without servers.
    pub(super) fn new(settings: &Settings) -> Result<Option<Self>, smtp::Error> {
        let servers = settings.mail.smtp.iter().map(|server| {
            let client = Client::new(server, &settings.server.public_url)?;
            Ok(Server { client, failure: Mutex::default() })
        });
        let servers = servers.collect::<Result<Vec<_>, smtp::Error>>()?;
        let Ok(count @ 1..) = u32::try_from(servers.len()) else { return Ok(None) };
        Ok(Some(Self { servers, timeout: SERVER_TIMEOUT.min(SEND_TIMEOUT / count) }))
    }

    /// Sends a message by the first server that works.
    ///
    /// # Errors
    /// If no server works, the causes of all of them.
    pub(super) async fn send(
        &self,
        mail: &OutgoingMail,
        message: &Message,
        now: DateTime<Utc>,
    ) -> Result<(), SendError> {
        let mut failed: Option<SendError> = None;
        let mut order: Vec<&Server> = self.servers.iter().collect();
        // Stable, so the order of the settings decides otherwise.
        order.sort_by_key(|server| server.has_failed_recently(now));
        for server in order {
            let Err(attempt) = server.client.send(message, self.timeout).await else {
                server.record_success();
                return Ok(());
            };
            if attempt.error.scope != FailureScope::Server && !attempt.can_use_another {
                server.record_success();
                return Err(attempt.error);
            }
            let error = self.name(server, attempt.error);
            if server.record_failure(&error, now) && self.servers.len() > 1 {
                log(mail, &error);
            }
            let error = match failed {
                Some(earlier) => join(&earlier, &error),
                None => error,
            };
            if !attempt.can_use_another {
                return Err(error);
            }
            failed = Some(error);
        }
        let cause = || "no mail server is configured".to_owned();
        Err(failed.unwrap_or_else(|| SendError { scope: FailureScope::Server, is_refusal: false, cause: cause() }))
    }

    /// Adds the name of the server to the cause if there are several.
    fn name(&self, server: &Server, error: SendError) -> SendError {
        if self.servers.len() == 1 {
            return error;
        }
        SendError { cause: format!("{}: {}", server.client, error.cause), ..error }
    }
}

impl Server {
    fn has_failed_recently(&self, now: DateTime<Utc>) -> bool {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.as_ref().is_some_and(|failure| now < failure.at + TRY_LAST_FOR)
    }

    fn record_success(&self) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Returns whether the cause is new.
    fn record_failure(&self, error: &SendError, now: DateTime<Utc>) -> bool {
        let failure = Failure { at: now, cause: error.cause.clone() };
        let earlier = self.failure.lock().unwrap_or_else(PoisonError::into_inner).replace(failure);
        earlier.is_none_or(|earlier| earlier.cause != error.cause)
    }
}

/// Logs a failure that another server may make up for, so that the operator learns of it.
fn log(mail: &OutgoingMail, error: &SendError) {
    let id = mail.id;
    if error.is_refusal {
        tracing::error!(mail = %id, cause = error.cause, "a mail server refuses to be used");
    } else {
        tracing::warn!(mail = %id, cause = error.cause, "a mail server failed");
    }
}

/// The error if two servers have failed.
fn join(first: &SendError, second: &SendError) -> SendError {
    SendError {
        scope: if first.scope == second.scope { first.scope } else { FailureScope::Mail },
        is_refusal: first.is_refusal || second.is_refusal,
        cause: format!("{}; {}", first.cause, second.cause),
    }
}
