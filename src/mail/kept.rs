//! The mails that this process has sent, for whoever develops against it. They hold links, so they are in memory alone.

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

/// The oldest go when there are more.
const MAX_KEPT: usize = 100;

/// The latest mails, and the key that opens them.
pub struct Kept {
    mails: Mutex<VecDeque<KeptMail>>,
    key: String,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} mails", self.mails().len())
    }
}

/// A mail that was sent.
#[derive(Clone)]
pub struct KeptMail {
    /// Its name.
    pub id: Uuid,
    /// When it was sent.
    pub sent_at: DateTime<Utc>,
    /// Where to.
    pub to: String,
    /// What it says.
    pub text: Text,
}

impl Kept {
    /// No mails yet, and a key of 128 random bits.
    pub(super) fn new() -> Result<Self> {
        let key = URL_SAFE_NO_PAD.encode(random::bytes::<16>()?);
        Ok(Self { mails: Mutex::default(), key })
    }

    /// What the address of the mails must have, for whoever started this process.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether this is the key. It takes as long for all keys of its length.
    #[must_use]
    pub fn is_key(&self, presented: &str) -> bool {
        constant_time::verify_slices_are_equal(presented.as_bytes(), self.key.as_bytes()).is_ok()
    }

    fn mails(&self) -> MutexGuard<'_, VecDeque<KeptMail>> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn keep(&self, letter: &OutgoingMail, text: Text, sent_at: DateTime<Utc>) {
        let mut mails = self.mails();
        mails.push_front(KeptMail { id: letter.id, sent_at, to: letter.to.clone(), text });
        mails.truncate(MAX_KEPT);
    }

    /// All of them, the latest first.
    #[must_use]
    pub fn all(&self) -> Vec<KeptMail> {
        self.mails().iter().cloned().collect()
    }

    /// One of them.
    #[must_use]
    pub fn find(&self, id: Uuid) -> Option<KeptMail> {
        self.mails().iter().find(|mail| mail.id == id).cloned()
    }
}
