//! The mails that this process has sent, for whoever develops against it. They hold links, so they are in memory alone.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Letter, Text};

/// The oldest go when there are more.
const MOST: usize = 100;

/// The latest mails.
#[derive(Default)]
pub struct Kept(Mutex<VecDeque<KeptMail>>);

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
    fn mails(&self) -> MutexGuard<'_, VecDeque<KeptMail>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn keep(&self, letter: &Letter, text: Text, sent_at: DateTime<Utc>) {
        let mut mails = self.mails();
        mails.push_front(KeptMail { id: letter.id, sent_at, to: letter.to.clone(), text });
        mails.truncate(MOST);
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
