//! Import: people who come from elsewhere with the hashes of their passwords, many at a time.
//!
//! Whether a name is free is decided by the unique indexes. A batch is written as a whole; when they refuse it, those who
//! hold the names are looked up, to tell who is to blame, and the others are tried again. Who is found to be there already,
//! from an import that was interrupted, is no mistake: so the same file can be imported again.

mod known;
mod record;
mod texts;

pub use known::Known;
use record::ParsedUser;
pub use record::{Column, Record, RecordError};

use crate::{
    App, Error, Result,
    database::error::is_unique_violation,
    domain::{Context, Event, users::administration::Administrator},
    entity::user,
};

/// Records to hand over at a time: few enough for what a statement may bind, and for the time of a transaction.
pub const BATCH: usize = 1000;

/// Times that a batch is refused without anybody to blame: whoever was in the way has gone meanwhile.
const MAX_CONFLICT_RETRIES: u32 = 3;

/// A record, or what kept it from being read, with the number of its line.
pub type Line = (u64, Result<Record, RecordError>);

/// What became of a batch.
#[derive(Debug, Default)]
pub struct BatchResult {
    /// Accounts that were made; in a rehearsal, that would be.
    pub imported: u64,
    /// Those who were here already: by the same username, and by the same id, hash or time of their coming.
    pub already_there: u64,
    /// Lines that were not taken, and all that is wrong with each.
    pub refused: Vec<(u64, Vec<RecordError>)>,
}

/// Records that have been read and checked.
#[derive(Debug)]
pub struct Batch {
    newcomers: Vec<ParsedUser>,
    outcome: BatchResult,
}

impl Batch {
    /// Checks the records, as far as that needs no database.
    ///
    /// # Errors
    /// Internal, when there is no randomness for ids.
    pub fn parse(context: &Context, lines: Vec<Line>) -> Result<Self> {
        let now = context.now();
        let mut batch = Self { newcomers: Vec::with_capacity(lines.len()), outcome: BatchResult::default() };
        for (line, record) in lines {
            let parsed = match record {
                Ok(record) => record::parse(line, record, context.settings(), now)?,
                Err(refusal) => Err(vec![refusal]),
            };
            match parsed {
                Ok(newcomer) => batch.newcomers.push(newcomer),
                Err(refusals) => batch.outcome.refused.push((line, refusals)),
            }
        }
        Ok(batch)
    }

    /// Who is in it.
    #[must_use]
    pub fn people(&self) -> Known {
        let mut known = Known::default();
        self.newcomers.iter().for_each(|newcomer| known.add(&newcomer.user));
        known
    }

    /// Whether somebody in it has something in common with one of `others`. Such batches are to be written one after the
    /// other, so that the first line gets the name.
    #[must_use]
    pub fn meets(&self, others: &Known) -> bool {
        self.newcomers.iter().any(|newcomer| !others.in_the_way(newcomer).is_empty())
    }
}

/// How many batches are best written at the same time.
#[must_use]
pub fn most_at_once(app: &App) -> usize {
    // PostgreSQL has a process for each transaction. SQLite has one writer, and InnoDB locks more than the rows, so that two
    // batches might deadlock.
    if app.database.is_postgres() { 3 } else { 1 }
}

/// Makes accounts for the people of a batch: all that can be made, in one transaction or a few, with an event for each.
///
/// # Errors
/// SERVICE_UNAVAILABLE, when the database is not there: some of the batch may have been taken in.
pub async fn import(context: &Context, administrator: &Administrator, batch: Batch) -> Result<BatchResult> {
    let Batch { newcomers: mut waiting, mut outcome } = batch;
    let mut riddles = 0;
    while !waiting.is_empty() {
        let (batch, later) = known::first_of_each(waiting);
        if insert(context, administrator, &batch).await? {
            outcome.imported += batch.len() as u64;
            waiting = later;
            continue;
        }
        // All of them: who waits for another one of the same name is to hear of it, too.
        waiting = batch.into_iter().chain(later).collect();
        waiting.sort_unstable_by_key(|newcomer| newcomer.line);
        let count = waiting.len();
        let holders = holders(&context.app, &waiting).await?;
        waiting.retain(|newcomer| !outcome.meets(&[&holders], newcomer));
        riddles += u32::from(waiting.len() == count);
        if riddles > MAX_CONFLICT_RETRIES {
            return Err(Error::unavailable(1, "names are taken and given up all the time"));
        }
    }
    outcome.refused.sort_unstable_by_key(|(line, _)| *line);
    Ok(outcome)
}

/// Finds out what would become of a batch, and writes nothing. `before` are the people of the batches before it, and
/// afterwards of this one, too.
///
/// # Errors
/// SERVICE_UNAVAILABLE, when the database is not there.
pub async fn rehearse(context: &Context, _: &Administrator, before: &mut Known, batch: Batch) -> Result<BatchResult> {
    let Batch { newcomers, mut outcome } = batch;
    let holders = holders(&context.app, &newcomers).await?;
    for newcomer in newcomers {
        if !outcome.meets(&[&holders, before], &newcomer) {
            outcome.imported += 1;
            before.add(&newcomer.user);
        }
    }
    outcome.refused.sort_unstable_by_key(|(line, _)| *line);
    Ok(outcome)
}

impl BatchResult {
    /// Whether somebody is in the newcomer's way, which is then noted.
    fn meets(&mut self, holders: &[&Known], newcomer: &ParsedUser) -> bool {
        if holders.iter().any(|known| known.has(newcomer)) {
            self.already_there += 1;
            return true;
        }
        let mut taken: Vec<RecordError> = Vec::new();
        for refusal in holders.iter().flat_map(|known| known.in_the_way(newcomer)) {
            if !taken.contains(&refusal) {
                taken.push(refusal);
            }
        }
        if taken.is_empty() {
            return false;
        }
        self.refused.push((newcomer.line, taken));
        true
    }
}

async fn holders(app: &App, newcomers: &[ParsedUser]) -> Result<Known> {
    let users = || newcomers.iter().map(|newcomer| &newcomer.user);
    let ids = users().map(|user| user.id).collect();
    let username_keys = users().map(|user| user.username_key.as_str()).collect();
    let email_keys = users().filter_map(|user| user.email_key.as_deref()).collect();
    let mut known = Known::default();
    for holder in user::holders(app.database.read(), ids, username_keys, email_keys).await? {
        known.add(&holder);
    }
    Ok(known)
}

/// Writes all of them, or none if one has a name that is taken.
async fn insert(context: &Context, administrator: &Administrator, batch: &[ParsedUser]) -> Result<bool> {
    let users = batch.iter().map(|newcomer| newcomer.user.clone());
    let user_ids = batch.iter().map(|newcomer| newcomer.user.id).collect();
    let mut work = context.begin_for(administrator).await?;
    match user::insert_all(work.db(), users).await {
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
