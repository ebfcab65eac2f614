//! Pages of lists.

use crate::{App, Error, Result};

pub use crate::entity::page::{Range, SortKey};

/// Rows of a page unless the request says otherwise.
pub const DEFAULT_PAGE: u64 = 50;
/// Maximum number of rows of a page.
pub const MAX_PAGE: u64 = 100;

/// Creates the cursor of a row. `list` names the list and its order.
///
/// # Errors
/// Internal if the encryption fails.
pub fn cursor(app: &App, list: &str, key: &SortKey) -> Result<String> {
    app.cursors.seal(list, &serde_json::to_vec(key).map_err(Error::internal)?)
}

/// Returns the sort key of a cursor. `None` if the cursor was not created for this list.
#[must_use]
pub fn open_cursor(app: &App, list: &str, cursor: &str) -> Option<SortKey> {
    serde_json::from_slice(&app.cursors.open(list, cursor)?).ok()
}

/// A page, and whether there are rows beyond its ends.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows, in the order of the list.
    pub rows: Vec<T>,
    /// Whether there are rows before the page.
    pub has_previous: bool,
    /// Whether there are rows after the page.
    pub has_next: bool,
}

impl<T> Page<T> {
    /// The only page of an empty list.
    #[must_use]
    pub const fn empty() -> Self {
        Self { rows: Vec::new(), has_previous: false, has_next: false }
    }

    /// Reads a page with one more row than it may have, to find out whether there are more. At the other end of the page,
    /// there are more rows if the page begins there after a given row.
    pub(in crate::domain) async fn read<E>(
        range: Range,
        read: impl AsyncFnOnce(&Range) -> Result<Vec<T>, E>,
    ) -> Result<Self>
    where
        Error: From<E>,
    {
        let wanted = Range { limit: range.limit + 1, ..range.clone() };
        Ok(Self::of(read(&wanted).await?, &range))
    }

    /// Makes a page of the rows that were read for a range, at most one more than its limit.
    pub(in crate::domain) fn of(mut rows: Vec<T>, range: &Range) -> Self {
        let limit = usize::try_from(range.limit).unwrap_or(usize::MAX);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        if range.from_end {
            rows.reverse();
            Self { rows, has_previous: has_more, has_next: range.before.is_some() }
        } else {
            Self { rows, has_previous: range.after.is_some(), has_next: has_more }
        }
    }
}
