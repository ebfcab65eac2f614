//! Who holds which id, username and address.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, RandomState},
};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    domain::users::import::{RecordError, record::ParsedUser},
    entity::user::Model,
    error::{ErrorCode, Field, InputError},
};

/// Those who are known, by what is unique. What is kept of each are some 100 bytes, without names and hashes, so that a
/// rehearsal with millions goes on; that two of a million look the same has a chance of one in ten millions.
#[derive(Debug, Default)]
pub struct Known {
    state: RandomState,
    ids: HashSet<Uuid>,
    usernames: HashMap<u64, Person>,
    emails: HashSet<u64>,
}

#[derive(Debug)]
struct Person {
    id: Uuid,
    hash: u64,
    created_at: DateTime<Utc>,
}

impl Known {
    pub(super) fn add(&mut self, user: &Model) {
        let person =
            Person { id: user.id, hash: self.state.hash_one(&user.password_hash), created_at: user.created_at };
        self.ids.insert(user.id);
        self.usernames.insert(self.state.hash_one(&user.username_key), person);
        self.emails.extend(user.email_key.as_ref().map(|key| self.state.hash_one(key)));
    }

    /// Whether this is one of them: who has signed in since has another hash, and is known by the time.
    pub(super) fn has(&self, ParsedUser { user, is_dated, .. }: &ParsedUser) -> bool {
        self.usernames.get(&self.state.hash_one(&user.username_key)).is_some_and(|person| {
            person.id == user.id
                || person.hash == self.state.hash_one(&user.password_hash)
                || (*is_dated && person.created_at == user.created_at)
        })
    }

    /// What of theirs is taken by somebody else.
    pub(super) fn in_the_way(&self, ParsedUser { user, .. }: &ParsedUser) -> Vec<RecordError> {
        let id = self.ids.contains(&user.id).then(|| RecordError::new("id", "There is somebody else with this id."));
        let username = self.usernames.contains_key(&self.state.hash_one(&user.username_key));
        let username = username.then(|| InputError::new(ErrorCode::UsernameTaken, Field::Username).into());
        let email = user.email_key.as_ref().is_some_and(|key| self.emails.contains(&self.state.hash_one(key)));
        let email = email.then(|| RecordError::new("email", "There is an account with this e-mail address."));
        [id, username, email].into_iter().flatten().collect()
    }
}

/// Parts those who can be written together from those who have something in common with one before them.
pub(super) fn first_of_each(newcomers: Vec<ParsedUser>) -> (Vec<ParsedUser>, Vec<ParsedUser>) {
    let mut known = Known::default();
    newcomers.into_iter().partition(|newcomer| {
        let is_first = known.in_the_way(newcomer).is_empty();
        if is_first {
            known.add(&newcomer.user);
        }
        is_first
    })
}
