//! Lists of users.

use uuid::Uuid;

use super::Administrator;
use crate::{
    Result,
    domain::{
        Context,
        page::{Page, Range},
    },
    entity::user,
};

pub use crate::entity::{
    user::{Filter, ListOrder},
    user_word::terms as search_terms,
};

/// Maximum length of a search in characters. Each word adds a condition to the query.
pub const MAX_SEARCH: u32 = 200;

/// Whether a search is longer than [`MAX_SEARCH`].
#[must_use]
pub fn is_search_too_long(search: &str) -> bool {
    search.chars().nth(MAX_SEARCH as usize).is_some()
}

/// Finds the user with this id.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub async fn find_by_id(context: &Context, _: &Administrator, id: Uuid) -> Result<Option<user::Model>> {
    Ok(user::find_by_id(context.app.database.read(), id).await?)
}

/// Finds the users with these ids.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub async fn find_by_ids(context: &Context, _: &Administrator, ids: &[Uuid]) -> Result<Vec<user::Model>> {
    Ok(user::find_by_ids(context.app.database.read(), ids).await?)
}

/// Returns a page of the users that match a filter.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub async fn page(
    context: &Context,
    _: &Administrator,
    filter: &Filter,
    (order, descending): (ListOrder, bool),
    range: Range,
) -> Result<Page<user::Model>> {
    let read = async |range: &Range| user::list(context.app.database.read(), filter, order, descending, range).await;
    Page::read(range, read).await
}

/// Counts the users that match a filter. Reads all of them.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub async fn count(context: &Context, _: &Administrator, filter: &Filter) -> Result<u64> {
    Ok(user::count(context.app.database.read(), filter).await?)
}
