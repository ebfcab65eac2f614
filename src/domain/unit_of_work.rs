//! A transaction and its events.

use chrono::{DateTime, Utc};

use crate::{
    App, Result,
    database::Transaction,
    domain::{
        Context,
        context::Actor,
        event::{self, Event},
    },
};

/// A write transaction. A use case changes rows and emits events; [`event`] writes the consequences of the events (audit
/// log, mails) in the same transaction. A unit of work must not hash passwords, send mails or wait. Dropping it rolls it
/// back.
#[derive(Debug)]
pub(crate) struct UnitOfWork<'a> {
    pub(in crate::domain) context: &'a Context,
    /// The time of the change.
    pub(in crate::domain) now: DateTime<Utc>,
    actor: Actor,
    transaction: Transaction,
    events: Vec<Event>,
}

impl<'a> UnitOfWork<'a> {
    pub(in crate::domain) async fn begin(context: &'a Context, actor: Actor) -> Result<Self> {
        let transaction = context.app.write().await?;
        Ok(Self { context, now: context.now(), actor, transaction, events: Vec::new() })
    }

    /// The app.
    pub(crate) fn app(&self) -> &'a App {
        &self.context.app
    }

    /// The transaction, for the statements of [`crate::entity`].
    pub(crate) fn db(&self) -> &Transaction {
        &self.transaction
    }

    /// Adds an event, whose consequences are written on commit.
    pub(crate) fn emit(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Writes the consequences of the events, commits, and wakes the jobs: the mail delivery if there are mails, and the reader of
    /// live events.
    ///
    /// # Errors
    /// SERVICE_UNAVAILABLE if the database is unreachable.
    pub(crate) async fn commit(self) -> Result<()> {
        let Self { context, now, actor, transaction, events } = self;
        let has_events = !events.is_empty();
        let has_mails = event::write(context, &transaction, actor, events, now).await?;
        transaction.commit().await?;
        if has_mails {
            context.app.outbox.notify();
        }
        if has_events {
            context.app.live_events.wake();
        }
        Ok(())
    }

    /// Rolls back if a check in the transaction has failed. Dropping the unit of work would close the connection.
    ///
    /// # Errors
    /// That of the check.
    pub(in crate::domain) async fn or_rollback<T>(self, checked: Result<T>) -> Result<(Self, T)> {
        match checked {
            Ok(value) => Ok((self, value)),
            Err(error) => {
                self.rollback().await?;
                Err(error)
            }
        }
    }

    /// Rolls back.
    ///
    /// # Errors
    /// SERVICE_UNAVAILABLE if the database is unreachable. The transaction is rolled back in that case too.
    pub(in crate::domain) async fn rollback(self) -> Result<()> {
        Ok(self.transaction.rollback().await?)
    }
}
