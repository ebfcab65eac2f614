//! `deleteAccount`.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use crate::{
    Result,
    domain::users::deletion,
    graphql::{Nullable, context::ContextExt},
};

#[derive(Debug, Default)]
pub(in crate::graphql) struct DeletionMutation;

#[Object]
impl DeletionMutation {
    /// Delete the signed-in user's account permanently, with its sessions, links and mails, and clear the cookie.
    /// A verified address is notified.
    /// Codes: WRONG_PASSWORD, REQUIRED (no password), LAST_ADMIN, UNAUTHENTICATED, RATE_LIMITED, SERVICE_UNAVAILABLE.
    async fn delete_account(&self, ctx: &Context<'_>, input: DeleteAccountInput) -> Nullable<DeleteAccountPayload> {
        Some(delete(ctx, input).await)
    }
}

async fn delete(ctx: &Context<'_>, input: DeleteAccountInput) -> Result<DeleteAccountPayload> {
    let principal = ctx.principal().await?;
    let deleted = deletion::delete(ctx.domain(), principal, input.password.map(Into::into)).await?;
    ctx.clear_cookie_of(principal);
    Ok(DeleteAccountPayload { deleted_user_id: deleted.into() })
}

/// The proof that the owner asks for the deletion.
#[derive(InputObject)]
pub struct DeleteAccountInput {
    /// The current password. Required unless this session signed in, or used `reauthenticate`, less than 10
    /// minutes ago.
    #[graphql(secret)]
    password: Option<String>,
}

/// The result of `deleteAccount`.
#[derive(SimpleObject)]
pub struct DeleteAccountPayload {
    /// The id to evict from the client's cache.
    deleted_user_id: ID,
}
