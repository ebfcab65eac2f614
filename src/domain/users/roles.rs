//! Roles that accounts hold although they are no longer in `ROLES`.

use std::collections::BTreeMap;

use crate::{App, Result, entity::user};

/// Rows per query.
const PAGE: u64 = 10_000;

/// Counts the accounts that hold a role that is not in `ROLES`, by role. Reads all accounts, page by page.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub async fn count_unknown(app: &App) -> Result<BTreeMap<String, u64>> {
    let mut counts = BTreeMap::new();
    let mut last = None;
    loop {
        let page = user::roles_by_id(app.database.read(), last, PAGE).await?;
        let Some((id, _)) = page.last() else { return Ok(counts) };
        last = Some(*id);
        for role in page.iter().flat_map(|(_, roles)| app.settings.unknown_roles(&roles.0)) {
            *counts.entry(role).or_default() += 1;
        }
    }
}
