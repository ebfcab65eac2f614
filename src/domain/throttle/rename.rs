//! Limits changes of username. Each one reveals whether a username is taken, and adds a row to the audit log.

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

/// Changes of username by an account, including changes of letter case.
fn changes(app: &App) -> Limit {
    Limit::new("username_changes", app.settings.throttle.limits.username_changes, TimeDelta::days(1))
}

/// Usernames that an account requests, including taken ones.
fn requests(app: &App) -> Limit {
    Limit::new("username_requests", app.settings.throttle.limits.username_requests, TimeDelta::hours(1))
}

/// A change of username that was booked.
#[derive(Debug)]
pub(in crate::domain) struct RenameAttempt {
    /// `None` if the throttle is disabled.
    booking: Option<Booking>,
}

impl RenameAttempt {
    /// Books a change of username before the unique index is checked. For the network it counts as a registration, so
    /// that one limit covers all ways to probe for usernames.
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

    /// Withdraws what does not count: the change, if the username is taken; everything after any other error.
    pub(in crate::domain) async fn fail(self, context: &Context, error: &Error) {
        let Some(Booking { mut counters, at }) = self.booking else { return };
        if error.code() == ErrorCode::UsernameTaken {
            // The counter of changes comes first.
            counters.truncate(1);
        }
        withdraw(context, &Booking { counters, at }).await;
    }
}
