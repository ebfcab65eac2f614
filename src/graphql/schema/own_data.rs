//! `accountData`: everything stored about the signed-in user.

use async_graphql::{Context, Object};

use crate::{
    Result,
    domain::{
        sessions::{self, MAX_SESSIONS},
        users::own_data::{self, Export},
    },
    graphql::{
        Nullable,
        context::ContextExt,
        schema::{audit::AuditEvent, groups::EventGroup, scalars::DateTime, sessions::Session, users::User},
    },
};

/// Maximum number of events in a response, which is held in memory as a whole.
const MAX_EVENTS: u64 = 5000;

#[derive(Debug, Default)]
pub(in crate::graphql) struct OwnDataQuery;

#[Object]
impl OwnDataQuery {
    /// Everything stored about the signed-in user, for download. Contains no password and no token. Requires a sign-in, or
    /// `reauthenticate`, less than 10 minutes ago. Each export is recorded in the audit log. For the same data as a file, and
    /// for accounts with very many events, use `GET /account/export`.
    /// Codes: REAUTHENTICATION_REQUIRED, UNAUTHENTICATED, SERVICE_UNAVAILABLE.
    async fn account_data(&self, ctx: &Context<'_>) -> Nullable<AccountData> {
        Some(Box::pin(export(ctx)).await)
    }
}

async fn export(ctx: &Context<'_>) -> Result<AccountData> {
    let principal = ctx.principal().await?;
    // A request must not write many exports to the audit log by aliases.
    ctx.request().spend_rows(MAX_EVENTS)?;
    Ok(AccountData(own_data::begin(ctx.domain(), principal).await?))
}

/// See the type's description below.
#[derive(Debug)]
pub struct AccountData(Export);

/// What is stored about a user.
#[Object]
impl AccountData {
    /// The account.
    async fn user(&self) -> User {
        self.0.user.clone().into()
    }

    /// The current sessions, the last used first.
    async fn sessions(&self, ctx: &Context<'_>) -> Result<Vec<Session>> {
        let principal = ctx.principal().await?;
        ctx.request().spend_rows(MAX_SESSIONS)?;
        let sessions = Box::pin(sessions::list(ctx.domain(), principal, principal.user.id)).await?;
        Ok(sessions.into_iter().map(|session| Session::new(session, principal)).collect())
    }

    /// What happened to the account, newest first: the newest 5,000 events. `GET /account/export` contains all.
    async fn audit_events(&self, ctx: &Context<'_>) -> Result<Vec<AuditEvent>> {
        let principal = ctx.principal().await?;
        ctx.request().spend_rows(MAX_EVENTS)?;
        let page = Box::pin(own_data::events(ctx.domain(), principal, None, MAX_EVENTS)).await?;
        let group = EventGroup::of(&page.rows);
        Ok(page.rows.into_iter().map(|event| AuditEvent::new(event, &group)).collect())
    }

    /// The time of the export.
    async fn exported_at(&self) -> DateTime {
        DateTime(self.0.exported_at)
    }
}
