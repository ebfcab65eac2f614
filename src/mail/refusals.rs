//! Refusals of the mail server that have been logged, so that each is logged as an error once.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use uuid::Uuid;

use crate::mail::{Concern, SendError};

/// Maximum number of mails. The oldest are dropped, and may be logged as an error again.
const MAX_MAILS: usize = 1000;

/// Refusals that this process has logged.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<Logged>);

#[derive(Debug, Default)]
struct Logged {
    /// Why the server refuses all mails.
    server: Option<String>,
    /// Refused mails.
    mails: VecDeque<Uuid>,
}

impl Refusals {
    /// Whether a failure is a refusal that has not been logged yet. It counts as logged from now on.
    pub(super) fn is_new(&self, mail: Uuid, failure: &SendError) -> bool {
        let mut logged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match failure.concern {
            _ if !failure.is_refusal => false,
            Concern::Server => logged.server.replace(failure.cause.clone()).as_ref() != Some(&failure.cause),
            Concern::Mail | Concern::Mailbox if logged.mails.contains(&mail) => false,
            Concern::Mail | Concern::Mailbox => {
                logged.mails.push_front(mail);
                logged.mails.truncate(MAX_MAILS);
                true
            }
        }
    }

    /// Records that the server has accepted a mail. A later refusal of all mails is then logged again.
    pub(super) fn accepted(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).server = None;
    }
}
