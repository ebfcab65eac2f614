//! Deletes expired rows, and removes the clients from old events of the audit log. Any number of instances may do so
//! concurrently.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::{
    App, Result,
    database::Transaction,
    entity::{
        audit_event, email_sign_in,
        expiry::{delete_expired, expired},
        invitation, link, mfa_challenge, provider_login, remembered_device, session, spent_challenge, throttle,
        totp_factor,
    },
};

/// Rows deleted in one transaction. On SQLite, all other writes wait for it. 50 rows on different pages usually take less
/// than 10 ms with the commit; 200 rows took 20 ms, and 4 % of the batches more than 50 ms.
const BATCH: u64 = 50;

/// How long expired links are kept, so that the error for an expired link differs from that for an unknown one.
const LINK_RETENTION: TimeDelta = TimeDelta::days(7);

/// How long expired invitations are kept, for the same reason.
const INVITATION_RETENTION: TimeDelta = TimeDelta::days(30);

/// A table whose rows expire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// `sessions`
    Sessions,
    /// `throttles`
    Throttles,
    /// `links`
    Links,
    /// `invitations`
    Invitations,
    /// `totp_factors`: enrollments that were not completed.
    TotpEnrollments,
    /// `mfa_challenges`
    MfaChallenges,
    /// `email_sign_ins`
    EmailSignIns,
    /// `spent_challenges`
    SpentChallenges,
    /// `provider_logins`
    ProviderLogins,
    /// `remembered_devices`
    RememberedDevices,
    /// `audit_log`
    AuditLog,
}

impl Table {
    /// All tables.
    pub const ALL: [Self; 11] = [
        Self::Sessions,
        Self::Throttles,
        Self::Links,
        Self::Invitations,
        Self::TotpEnrollments,
        Self::MfaChallenges,
        Self::EmailSignIns,
        Self::SpentChallenges,
        Self::ProviderLogins,
        Self::RememberedDevices,
        Self::AuditLog,
    ];

    async fn find(
        self,
        app: &App,
        from: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<Vec<(Uuid, DateTime<Utc>)>> {
        let db = app.database.read();
        Ok(match self {
            Self::Sessions => expired::<session::Entity>(db, BATCH, from, now).await?,
            Self::Throttles => expired::<throttle::Entity>(db, BATCH, from, now).await?,
            Self::Links => expired::<link::Entity>(db, BATCH, from, now - LINK_RETENTION).await?,
            Self::Invitations => expired::<invitation::Entity>(db, BATCH, from, now - INVITATION_RETENTION).await?,
            Self::TotpEnrollments => expired::<totp_factor::Entity>(db, BATCH, from, now).await?,
            Self::MfaChallenges => expired::<mfa_challenge::Entity>(db, BATCH, from, now).await?,
            Self::EmailSignIns => expired::<email_sign_in::Entity>(db, BATCH, from, now).await?,
            Self::SpentChallenges => expired::<spent_challenge::Entity>(db, BATCH, from, now).await?,
            Self::ProviderLogins => expired::<provider_login::Entity>(db, BATCH, from, now).await?,
            Self::RememberedDevices => expired::<remembered_device::Entity>(db, BATCH, from, now).await?,
            Self::AuditLog => audit_event::expired(db, BATCH, from, now - app.settings.audit.retention).await?,
        })
    }

    async fn delete(self, app: &App, db: &Transaction, ids: Vec<Uuid>, now: DateTime<Utc>) -> Result<u64> {
        Ok(match self {
            Self::Sessions => delete_expired::<session::Entity>(db, ids, now).await?,
            Self::Throttles => delete_expired::<throttle::Entity>(db, ids, now).await?,
            Self::Links => delete_expired::<link::Entity>(db, ids, now - LINK_RETENTION).await?,
            Self::Invitations => delete_expired::<invitation::Entity>(db, ids, now - INVITATION_RETENTION).await?,
            Self::TotpEnrollments => delete_expired::<totp_factor::Entity>(db, ids, now).await?,
            Self::MfaChallenges => delete_expired::<mfa_challenge::Entity>(db, ids, now).await?,
            Self::EmailSignIns => delete_expired::<email_sign_in::Entity>(db, ids, now).await?,
            Self::SpentChallenges => delete_expired::<spent_challenge::Entity>(db, ids, now).await?,
            Self::ProviderLogins => delete_expired::<provider_login::Entity>(db, ids, now).await?,
            Self::RememberedDevices => delete_expired::<remembered_device::Entity>(db, ids, now).await?,
            Self::AuditLog => audit_event::delete_expired(db, ids, now - app.settings.audit.retention).await?,
        })
    }
}

/// Deletes the expired rows of a table, one batch per transaction. Returns the number of deleted rows.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable. Batches that were committed stay deleted.
pub async fn purge(app: &App, table: Table) -> Result<u64> {
    let now = app.clock.now();
    let mut purged = 0;
    // PostgreSQL keeps deleted rows in the index until the next vacuum. A query from the start would read past all rows
    // that the previous batches deleted.
    let mut from = None;
    loop {
        let rows = table.find(app, from, now).await?;
        let Some((_, last)) = rows.last() else { return Ok(purged) };
        from = Some(*last);
        let ids = rows.into_iter().map(|(id, _)| id).collect();
        let transaction = app.write().await?;
        purged += table.delete(app, &transaction, ids, now).await?;
        transaction.commit().await?;
    }
}

/// Removes the clients from events of the audit log that are older than `AUDIT_IP_DAYS`.
///
/// The address and the user agent are both set to null. An address cut to its network, together with the user and the time,
/// would still be personal data, and a user agent cannot be cut.
///
/// No index finds the events that still have a client, because each index slows down every sign-in. The log is walked in the
/// order of its ids instead, once after a start and then from the last event that was reached.
#[derive(Debug, Default)]
pub struct OldClients {
    /// All events up to this one are done.
    reached: Uuid,
}

impl OldClients {
    /// Continues up to the events that are not old enough yet. Returns the number of changed events.
    ///
    /// # Errors
    /// SERVICE_UNAVAILABLE if the database is unreachable. The next call continues after the last batch.
    pub async fn forget(&mut self, app: &App) -> Result<u64> {
        let before = app.clock.now() - app.settings.audit.client_retention;
        let mut changed = 0;
        loop {
            let rows = audit_event::client_rows(app.database.read(), self.reached, before, BATCH).await?;
            let Some(&(last, _)) = rows.last() else { return Ok(changed) };
            let ids: Vec<Uuid> = rows.into_iter().filter_map(|(id, has_client)| has_client.then_some(id)).collect();
            if !ids.is_empty() {
                let transaction = app.write().await?;
                changed += audit_event::forget_old_clients(&transaction, ids, before).await?;
                transaction.commit().await?;
            }
            self.reached = last;
        }
    }
}
