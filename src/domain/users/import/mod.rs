//! Bulk import of users from other software, with their password hashes.
//!
//! The unique indexes decide whether a username or address is free. A batch is inserted as a whole. If that violates an
//! index, the conflicting users are looked up and reported, and the others are inserted again. A user from an earlier,
//! interrupted import is not an error, so the same file can be imported again. A username that was made from an address gets a suffix if
//! it is taken.

mod columns;
mod identities;
mod known;
mod made_username;
mod record;
mod texts;

pub use columns::{Column, Record};
pub use known::Known;
use made_username::MadeUsername;
use record::ParsedUser;
pub use record::RecordError;

use crate::{
    App, Error, Result,
    database::error::is_unique_violation,
    domain::{Context, Event, users::administration::Administrator},
    entity::{identity, user},
};

/// Records of one batch: few enough for the bind limit of a statement and for a short transaction.
pub const BATCH: usize = 1000;

/// Retries after a unique violation whose conflicting rows had disappeared before they were looked up.
const MAX_CONFLICT_RETRIES: u32 = 3;

/// A line number, and the record of the line or the error that prevented reading it.
pub type Line = (u64, Result<Record, RecordError>);

/// The result of a batch.
#[derive(Debug, Default)]
pub struct BatchResult {
    /// Accounts that were created. In a dry run, accounts that would be created.
    pub imported: u64,
    /// Users that were imported before: same username, and same id, password hash or creation time.
    pub already_there: u64,
    /// Lines that were rejected, with all their errors.
    pub refused: Vec<(u64, Vec<RecordError>)>,
}

/// Records that were parsed.
#[derive(Debug)]
pub struct Batch {
    users: Vec<ParsedUser>,
    result: BatchResult,
}

impl Batch {
    /// Parses the records, without the database.
    ///
    /// # Errors
    /// Internal if the system has no random bytes for ids.
    pub fn parse(context: &Context, lines: Vec<Line>) -> Result<Self> {
        let now = context.now();
        let mut batch = Self { users: Vec::with_capacity(lines.len()), result: BatchResult::default() };
        for (line, record) in lines {
            let parsed = match record {
                Ok(record) => record::parse(line, record, context.settings(), now)?,
                Err(error) => Err(vec![error]),
            };
            match parsed {
                Ok(user) => batch.users.push(user),
                Err(errors) => batch.result.refused.push((line, errors)),
            }
        }
        Ok(batch)
    }

    /// The users of the batch.
    #[must_use]
    pub fn known_users(&self) -> Known {
        let mut known = Known::default();
        self.users.iter().for_each(|parsed| known.add(parsed));
        known
    }

    /// Whether a user of the batch conflicts with one of `others`. Such batches must be inserted in order, so that the
    /// first line gets the username.
    #[must_use]
    pub fn conflicts_with(&self, others: &Known) -> bool {
        self.users.iter().any(|parsed| !others.conflicts(parsed).is_empty())
    }
}

/// The number of batches to insert concurrently.
#[must_use]
pub fn max_parallel_batches(app: &App) -> usize {
    // PostgreSQL runs each transaction in its own process. SQLite has one writer, and InnoDB locks index gaps, so that
    // two batches may deadlock.
    if app.database.is_postgres() { 3 } else { 1 }
}

/// Creates all accounts of a batch that do not conflict, in one or more transactions, each with an event.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable. A part of the batch may have been committed.
pub async fn import(context: &Context, administrator: &Administrator, batch: Batch) -> Result<BatchResult> {
    let Batch { users: mut pending, mut result } = batch;
    let mut conflict_retries = 0;
    while !pending.is_empty() {
        let (batch, later) = known::partition_conflicting(pending);
        if insert(context, administrator, &batch).await? {
            result.imported += batch.len() as u64;
            pending = later;
            continue;
        }
        // Checks `later` as well: a line that repeats the username of a rejected line must be reported too.
        pending = batch.into_iter().chain(later).collect();
        pending.sort_unstable_by_key(|parsed| parsed.line);
        let holders = holders(&context.app, &pending).await?;
        let mut is_changed = false;
        pending.retain_mut(|parsed| {
            let resolution = result.resolve(&[&holders], parsed);
            is_changed |= resolution != Resolution::Free;
            resolution != Resolution::Done
        });
        conflict_retries += u32::from(!is_changed);
        if conflict_retries > MAX_CONFLICT_RETRIES {
            return Err(Error::unavailable(
                1,
                "unique violations without a conflicting row; usernames change concurrently",
            ));
        }
    }
    result.refused.sort_unstable_by_key(|(line, _)| *line);
    Ok(result)
}

/// Returns the result that an import of the batch would have, and writes nothing. `before` holds the users of the
/// previous batches; the users of this batch are added.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub async fn dry_run(context: &Context, _: &Administrator, before: &mut Known, batch: Batch) -> Result<BatchResult> {
    let Batch { users, mut result } = batch;
    let holders = holders(&context.app, &users).await?;
    for mut parsed in users {
        let resolution = loop {
            match result.resolve(&[&holders, before], &mut parsed) {
                Resolution::Renamed => {}
                resolution => break resolution,
            }
        };
        if resolution == Resolution::Free {
            result.imported += 1;
            before.add(&parsed);
        }
    }
    result.refused.sort_unstable_by_key(|(line, _)| *line);
    Ok(result)
}

/// What is done with a parsed user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resolution {
    /// The user was counted as imported before or refused.
    Done,
    /// The user has another username, which may be taken too.
    Renamed,
    /// The user can be inserted.
    Free,
}

impl BatchResult {
    /// Records a user that was imported before or conflicts with another one. A username that was made is replaced by another one if
    /// it is taken.
    fn resolve(&mut self, holders: &[&Known], parsed: &mut ParsedUser) -> Resolution {
        if holders.iter().any(|known| known.has(parsed)) {
            self.already_there += 1;
            return Resolution::Done;
        }
        let mut conflicts: Vec<RecordError> = Vec::new();
        for conflict in holders.iter().flat_map(|known| known.conflicts(parsed)) {
            if !conflicts.contains(&conflict) {
                conflicts.push(conflict);
            }
        }
        if conflicts.is_empty() {
            return Resolution::Free;
        }
        if conflicts == [Known::username_taken()]
            && let Some(username) = parsed.made_username.as_mut().and_then(MadeUsername::next)
        {
            (parsed.user.username, parsed.user.username_key) = (username.text, username.key);
            return Resolution::Renamed;
        }
        self.refused.push((parsed.line, conflicts));
        Resolution::Done
    }
}

/// Reads the accounts that have an id, username, address or identity of the parsed users.
async fn holders(app: &App, parsed_users: &[ParsedUser]) -> Result<Known> {
    let users = || parsed_users.iter().map(|parsed| &parsed.user);
    let ids = users().map(|user| user.id).collect();
    let username_keys = users().map(|user| user.username_key.as_str()).collect();
    let email_keys = users().filter_map(|user| user.email_key.as_deref()).collect();
    let mut known = Known::default();
    for holder in user::holders(app.database.read(), ids, username_keys, email_keys).await? {
        known.add_user(&holder);
    }
    let hashes = parsed_users.iter().flat_map(|parsed| &parsed.identities);
    let hashes = hashes.map(|identity| identity.identity_hash.clone()).collect();
    for hash in identity::taken(app.database.read(), hashes).await? {
        known.add_identity(&hash);
    }
    Ok(known)
}

/// Inserts all users, or none. Returns false if one violates a unique index.
async fn insert(context: &Context, administrator: &Administrator, batch: &[ParsedUser]) -> Result<bool> {
    let users = batch.iter().map(|parsed| parsed.user.clone());
    let user_ids = batch.iter().map(|parsed| parsed.user.id).collect();
    let mut work = context.begin_for(administrator).await?;
    let identities = batch.iter().flat_map(|parsed| parsed.identities.iter().cloned());
    let inserted = match user::insert_all(work.db(), users).await {
        Ok(()) => identity::insert_all(work.db(), identities).await,
        Err(error) => Err(error),
    };
    match inserted {
        Ok(()) => {}
        Err(error) if is_unique_violation(&error) => {
            work.rollback().await?;
            return Ok(false);
        }
        Err(error) => return Err(error.into()),
    }
    work.emit(Event::UsersImported { user_ids });
    work.commit().await?;
    Ok(true)
}
