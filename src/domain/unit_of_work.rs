//! A transaction, and the events that happen in it.

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

/// One change of the database. A use case changes rows and emits events; what follows from the events (audit log, mails)
/// is decided by [`event`] and written in the same transaction. Nothing hashes, sends or waits inside it. If it is
/// dropped, nothing has happened.
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

    /// Records that something happened.
    pub(crate) fn emit(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Writes what follows from the events, and commits. Wakes the jobs that have work then.
    ///
    /// # Errors
    /// SERVICE_UNAVAILABLE if it could not be stored.
    pub(crate) async fn commit(self) -> Result<()> {
        let Self { context, now, actor, transaction, events } = self;
        let wakes_mail = event::write(context, &transaction, actor, events, now).await?;
        transaction.commit().await?;
        if wakes_mail {
            context.app.outbox.notify();
        }
        Ok(())
    }

    /// Takes everything back.
    ///
    /// # Errors
    /// SERVICE_UNAVAILABLE if the database is out of reach; then it is taken back as well.
    pub(in crate::domain) async fn rollback(self) -> Result<()> {
        Ok(self.transaction.rollback().await?)
    }
}
