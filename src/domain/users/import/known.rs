//! The ids, usernames, addresses and identities that are taken.

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
    security::link_token::TokenHash,
};

/// Users, indexed by their unique values. Takes about 100 bytes for each user, without names and password hashes, so that a
/// dry run works with millions of users. The probability of a collision among a million is one in ten million.
#[derive(Debug, Default)]
pub struct Known {
    state: RandomState,
    ids: HashSet<Uuid>,
    usernames: HashMap<u64, KnownUser>,
    /// The usernames of the users with these addresses.
    emails: HashMap<u64, u64>,
    identities: HashSet<u64>,
}

#[derive(Debug)]
struct KnownUser {
    id: Uuid,
    password_hash: u64,
    created_at: DateTime<Utc>,
}

impl Known {
    pub(super) fn add(&mut self, parsed: &ParsedUser) {
        self.add_user(&parsed.user);
        parsed.identities.iter().for_each(|identity| self.add_identity(&identity.identity_hash));
    }

    pub(super) fn add_identity(&mut self, hash: &TokenHash) {
        self.identities.insert(self.state.hash_one(hash));
    }

    pub(super) fn add_user(&mut self, user: &Model) {
        let password_hash = self.state.hash_one(&user.password_hash);
        let known = KnownUser { id: user.id, password_hash, created_at: user.created_at };
        self.ids.insert(user.id);
        let username = self.state.hash_one(&user.username_key);
        self.usernames.insert(username, known);
        self.emails.extend(user.email_key.as_ref().map(|key| (self.state.hash_one(key), username)));
    }

    /// Whether a parsed user was imported before: same username, and same id, password hash or creation time. A sign-in
    /// may have replaced the hash; the creation time then identifies the user. If the username was made, the address is compared
    /// instead, and the id is enough.
    pub(super) fn has(&self, ParsedUser { user, has_created_at, made_username, .. }: &ParsedUser) -> bool {
        let username = if made_username.is_some() {
            if self.ids.contains(&user.id) {
                return true;
            }
            let email_key = user.email_key.as_ref().map(|key| self.state.hash_one(key));
            email_key.and_then(|key| self.emails.get(&key).copied())
        } else {
            Some(self.state.hash_one(&user.username_key))
        };
        username.and_then(|username| self.usernames.get(&username)).is_some_and(|known| {
            known.id == user.id
                || known.password_hash == self.state.hash_one(&user.password_hash)
                || (*has_created_at && known.created_at == user.created_at)
        })
    }

    /// The error for a username that is taken.
    pub(super) fn username_taken() -> RecordError {
        InputError::new(ErrorCode::UsernameTaken, Field::Username).into()
    }

    /// Returns an error for each unique value of a parsed user that is taken.
    pub(super) fn conflicts(&self, ParsedUser { user, identities, .. }: &ParsedUser) -> Vec<RecordError> {
        let id = self.ids.contains(&user.id).then(|| RecordError::new("id", "Another account has this id."));
        let username = self.usernames.contains_key(&self.state.hash_one(&user.username_key));
        let username = username.then(Self::username_taken);
        let email = user.email_key.as_ref().is_some_and(|key| self.emails.contains_key(&self.state.hash_one(key)));
        let email = email.then(|| RecordError::new("email", "Another account has this e-mail address."));
        let is_taken = |hash: &TokenHash| self.identities.contains(&self.state.hash_one(hash));
        let identity = identities.iter().any(|identity| is_taken(&identity.identity_hash));
        let identity = identity.then(|| RecordError::new("identities", "Another account has one of these identities."));
        [id, username, email, identity].into_iter().flatten().collect()
    }
}

/// Splits users into those that can be inserted together and those that conflict with an earlier one.
pub(super) fn partition_conflicting(users: Vec<ParsedUser>) -> (Vec<ParsedUser>, Vec<ParsedUser>) {
    let mut known = Known::default();
    users.into_iter().partition(|parsed| {
        let is_first = known.conflicts(parsed).is_empty();
        if is_first {
            known.add(parsed);
        }
        is_first
    })
}
