//! The development mailbox: the mails that this process has sent, in memory. They contain links, so they are never
//! stored elsewhere.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use aws_lc_rs::constant_time;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    Result,
    mail::{OutgoingMail, Text},
    security::random,
};

/// Maximum number of mails. The oldest are dropped.
const MAX_MAILS: usize = 100;

/// The latest mails, and the key that grants access to them.
pub struct DevMailbox {
    mails: Mutex<VecDeque<SentMail>>,
    key: String,
}

impl fmt::Debug for DevMailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} mails", self.mails().len())
    }
}

/// A mail that was sent.
#[derive(Clone)]
pub struct SentMail {
    /// The mail's id.
    pub id: Uuid,
    /// When it was sent.
    pub sent_at: DateTime<Utc>,
    /// The recipient's address.
    pub to: String,
    /// The rendered text.
    pub text: Text,
}

impl DevMailbox {
    /// Creates an empty mailbox with a random 128-bit key.
    pub(super) fn new() -> Result<Self> {
        let key = URL_SAFE_NO_PAD.encode(random::bytes::<16>()?);
        Ok(Self { mails: Mutex::default(), key })
    }

    /// The key that the URL of the mails must contain. It is shown to the operator at startup.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether `presented` is the key, in constant time.
    #[must_use]
    pub fn is_key(&self, presented: &str) -> bool {
        constant_time::verify_slices_are_equal(presented.as_bytes(), self.key.as_bytes()).is_ok()
    }

    fn mails(&self) -> MutexGuard<'_, VecDeque<SentMail>> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, mail: &OutgoingMail, text: Text, sent_at: DateTime<Utc>) {
        let mut mails = self.mails();
        mails.push_front(SentMail { id: mail.id, sent_at, to: mail.to.clone(), text });
        mails.truncate(MAX_MAILS);
    }

    /// All mails, latest first.
    #[must_use]
    pub fn all(&self) -> Vec<SentMail> {
        self.mails().iter().cloned().collect()
    }

    /// The mail with this id.
    #[must_use]
    pub fn find(&self, id: Uuid) -> Option<SentMail> {
        self.mails().iter().find(|mail| mail.id == id).cloned()
    }
}
