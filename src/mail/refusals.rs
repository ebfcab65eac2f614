//! Refusals of the mail server that have been logged, so that each is logged as an error once.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use uuid::Uuid;

use crate::mail::{FailureScope, SendError};

/// Maximum number of mails. The oldest are dropped, and may be logged as an error again.
const MAX_MAILS: usize = 1000;

/// Refusals that this process has logged.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<Logged>);

#[derive(Debug, Default)]
struct Logged {
    /// The cause, if the server refuses all mails.
    server: Option<String>,
    /// Refused mails.
    mails: VecDeque<Uuid>,
}

impl Refusals {
    /// Whether an error is a refusal that has not been logged yet. It counts as logged afterwards.
    pub(super) fn is_new(&self, mail: Uuid, error: &SendError) -> bool {
        let mut logged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match error.scope {
            _ if !error.is_refusal => false,
            FailureScope::Server => logged.server.replace(error.cause.clone()).as_ref() != Some(&error.cause),
            FailureScope::Mail | FailureScope::Mailbox if logged.mails.contains(&mail) => false,
            FailureScope::Mail | FailureScope::Mailbox => {
                logged.mails.push_front(mail);
                logged.mails.truncate(MAX_MAILS);
                true
            }
        }
    }

    /// Records that the server has accepted a mail. If it later refuses all mails, that is logged again.
    pub(super) fn record_success(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).server = None;
    }
}
