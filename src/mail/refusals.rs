//! Which refusals of the mail server are in the log already, so that each is an error there once.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use uuid::Uuid;

use crate::mail::{Concern, SendError};

/// The oldest go when there are more: each of them may be logged as an error again.
const MAX_MAILS: usize = 1000;

/// Refusals that this process has logged.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<Logged>);

#[derive(Debug, Default)]
struct Logged {
    /// Why the server refuses all mails.
    server: Option<String>,
    /// Mails that it refuses.
    mails: VecDeque<Uuid>,
}

impl Refusals {
    /// Whether a failure is a refusal that was not logged before. It counts as logged from now on.
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

    /// The server has accepted a mail: if it refuses all again, that is news.
    pub(super) fn accepted(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).server = None;
    }
}
