//! Reading the audit log: administrators the whole log, users what happened to their own accounts.

use std::collections::HashMap;

use uuid::Uuid;

use crate::{
    Error, Result,
    domain::{
        Context, Principal,
        page::{Page, Range},
        users::administration::{Administrator, is_administrator, may_read},
    },
    entity::audit_event::{self, ActorType, Model},
};

pub use crate::entity::audit_event::{Filter, key};

/// Returns a page of the events that a filter matches, newest first.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub async fn page(context: &Context, _: &Administrator, filter: &Filter, range: Range) -> Result<Page<Model>> {
    Page::read(range, async |range: &Range| audit_event::list(context.app.database.read(), filter, range).await).await
}

/// Returns a page of the events that affect a user, newest first.
///
/// # Errors
/// NOT_FOUND for another user, except for administrators.
pub async fn page_of_user(
    context: &Context,
    principal: &Principal,
    user_id: Uuid,
    range: Range,
) -> Result<Page<Model>> {
    if !may_read(context, principal, user_id) {
        return Err(Error::NotFound);
    }
    let filter = Filter { user_id: Some(user_id), ..Filter::default() };
    let read = async |range: &Range| audit_event::list(context.app.database.read(), &filter, range).await;
    let mut page = Page::read(range, read).await?;
    page.rows.iter_mut().for_each(|event| hide_administrator(context, principal, event));
    Ok(page)
}

/// Returns a page of the events that affect each of these users, by the id of the user.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub async fn pages_of_users(
    context: &Context,
    _: &Administrator,
    user_ids: &[Uuid],
    range: &Range,
) -> Result<HashMap<Uuid, Page<Model>>> {
    let wanted = Range { limit: range.limit + 1, ..range.clone() };
    let lists = audit_event::list_by_user(context.app.database.read(), user_ids, &wanted).await?;
    Ok(lists.into_iter().map(|(user_id, rows)| (user_id, Page::of(rows, range))).collect())
}

/// Finds an event that affects the signed-in user, or any event for administrators.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub async fn find(context: &Context, principal: &Principal, id: Uuid) -> Result<Option<Model>> {
    let found = audit_event::find_by_id(context.app.database.read(), id).await?;
    let is_administrator = is_administrator(context.settings(), &principal.user);
    let mut found = found.filter(|event| is_administrator || event.user_id == Some(principal.user.id));
    if let Some(event) = &mut found {
        hide_administrator(context, principal, event);
    }
    Ok(found)
}

/// Hides from users the address and the user agent of an administrator who changed their account.
pub(in crate::domain) fn hide_administrator(context: &Context, principal: &Principal, event: &mut Model) {
    let is_own = event.actor_id == Some(principal.user.id);
    if event.actor_type == ActorType::Administrator && !is_own && !is_administrator(context.settings(), &principal.user)
    {
        event.ip_address = None;
        event.user_agent = None;
    }
}
