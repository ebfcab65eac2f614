//! The export of the signed-in user's own data (GDPR articles 15 and 20): the user, the second factors, the identities, the live sessions, and
//! the audit events that affect the user.
//!
//! An account may have any number of events, so callers read them page by page.

use chrono::{DateTime, Utc};

use crate::{
    Result,
    domain::{
        Context, Event, Principal, audit,
        mfa::{self, Overview},
        page::{Page, Range},
        sign_in::proof,
    },
    entity::{audit_event, identity, user},
};

/// An export that was recorded in the audit log.
#[derive(Debug)]
pub struct Export {
    /// The user.
    pub user: user::Model,
    /// The second factors that are set up.
    pub second_factors: Overview,
    /// The linked identities.
    pub identities: Vec<identity::Model>,
    /// The time of the export.
    pub exported_at: DateTime<Utc>,
}

/// Begins an export, and records it in the audit log.
///
/// # Errors
/// REAUTHENTICATION_REQUIRED if the last proof of identity is older than 10 minutes. UNAUTHENTICATED if the session has ended
/// in the meantime.
pub async fn begin(context: &Context, principal: &Principal) -> Result<Export> {
    proof::check_fresh(context, principal).await?;
    let second_factors = mfa::overview(context, principal.user.id).await?;
    let identities = identity::list(context.app.database.read(), principal.user.id).await?;
    let (mut work, user) = context.begin_as(principal).await?;
    work.emit(Event::DataExported { user_id: user.id });
    let exported_at = work.now;
    work.commit().await?;
    Ok(Export { user: user.into(), second_factors, identities, exported_at })
}

/// Returns a page of the events of the user, newest first, after the event `after`.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub async fn events(
    context: &Context,
    principal: &Principal,
    after: Option<&audit_event::Model>,
    limit: u64,
) -> Result<Page<audit_event::Model>> {
    let range = Range { after: after.map(audit::key), ..Range::first(limit) };
    audit::page_of_user(context, principal, principal.user.id, range).await
}
