//! Counting changes of username: each one asks whether a username is taken, and leaves a line in the audit log.

use chrono::TimeDelta;
use uuid::Uuid;

use crate::{
    App, Error, Result,
    domain::{
        Context,
        throttle::{Booking, Counter, Limit, book, network, registrations, withdraw},
    },
    error::ErrorCode,
};

/// Changes of username of an account. A change of letter case is one.
fn changes(app: &App) -> Limit {
    Limit::new(app.settings.throttle.limits.username_changes, TimeDelta::days(1))
}

/// Usernames that an account asks for, taken ones included.
fn requests(app: &App) -> Limit {
    Limit::new(app.settings.throttle.limits.username_requests, TimeDelta::hours(1))
}

/// A change of username that was booked.
#[derive(Debug)]
pub(in crate::domain) struct RenameAttempt {
    /// None if nothing is counted here.
    booking: Option<Booking>,
}

impl RenameAttempt {
    /// Books a change of username, before the unique index is asked. For the network it counts like a registration, so
    /// that there is one limit on asking for usernames.
    ///
    /// # Errors
    /// RATE_LIMITED.
    pub(in crate::domain) async fn book(context: &Context, user_id: Uuid) -> Result<Self> {
        let app = &context.app;
        if !app.settings.throttle.is_enabled {
            return Ok(Self { booking: None });
        }
        let user_id = user_id.simple().to_string();
        let counter = |name: [&str; 2], limit| Counter {
            id: app.pseudonyms.of(&name),
            identifier_id: None,
            limit,
            counts_owner: true,
        };
        let counters = vec![
            counter(["username changes", &user_id], changes(app)),
            counter(["usernames asked for", &user_id], requests(app)),
            counter(["registrations", &network(&context.client)], registrations(app)),
        ];
        Ok(Self { booking: Some(book(context, counters, None).await?) })
    }

    /// Takes back what was not used: of a taken username the change, which was none; after any other error everything.
    pub(in crate::domain) async fn fail(self, context: &Context, error: &Error) {
        let Some(Booking { mut counters, at }) = self.booking else { return };
        if error.code() == ErrorCode::UsernameTaken {
            // The changes, which are booked first.
            counters.truncate(1);
        }
        withdraw(context, &Booking { counters, at }).await;
    }
}
