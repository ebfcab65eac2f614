//! Connections: pages of lists, according to the GraphQL Cursor Connections Specification.

use async_graphql::{Context, SimpleObject};

use crate::{
    Error, Result,
    domain::page::{self, DEFAULT_PAGE, MAX_PAGE, Page, Range, SortKey},
    graphql::context::ContextExt,
};

/// The arguments of a connection.
#[derive(Clone, Debug, Default)]
pub(super) struct PageArguments {
    pub first: Option<i32>,
    pub after: Option<String>,
    pub last: Option<i32>,
    pub before: Option<String>,
}

impl PageArguments {
    /// Parses the arguments, and counts the rows against the limit of the request. `order` names the list and its order.
    ///
    /// # Errors
    /// BAD_USER_INPUT for sizes outside of 0 to 100, for both sizes at once, and for a cursor of another list.
    pub(super) fn range(self, ctx: &Context<'_>, order: &str) -> Result<Range> {
        let size = |name: &str, size: i32| {
            let size = u64::try_from(size).ok().filter(|size| *size <= MAX_PAGE);
            size.ok_or_else(|| Error::BadUserInput(format!("`{name}` must be between 0 and {MAX_PAGE}.")))
        };
        let (limit, from_end) = match (self.first, self.last) {
            (Some(_), Some(_)) => {
                return Err(Error::BadUserInput("Use `first` or `last`, not both.".to_owned()));
            }
            (Some(first), None) => (size("first", first)?, false),
            (None, Some(last)) => (size("last", last)?, true),
            (None, None) => (DEFAULT_PAGE, false),
        };
        // An empty page costs a row, too, which is read to find out whether there are any.
        ctx.request().spend_rows(limit.max(1))?;
        let key = |name: &str, cursor: Option<String>| {
            let open =
                |cursor: String| page::open_cursor(ctx.app(), order, &cursor).ok_or_else(|| unknown_cursor(name));
            cursor.map(open).transpose()
        };
        Ok(Range { after: key("after", self.after)?, before: key("before", self.before)?, from_end, limit })
    }
}

fn unknown_cursor(name: &str) -> Error {
    Error::BadUserInput(format!("`{name}` must be a cursor of this list in this order. Start again without it."))
}

/// The position of a page in its list.
// Shareable, because other subgraphs usually have a type of this name.
#[derive(Debug, SimpleObject)]
#[graphql(shareable)]
pub struct PageInfo {
    /// Whether there are items after this page.
    has_next_page: bool,
    /// Whether there are items before this page.
    has_previous_page: bool,
    /// The cursor of the first item. `null` on an empty page.
    start_cursor: Option<String>,
    /// The cursor of the last item. `null` on an empty page.
    end_cursor: Option<String>,
}

/// The rows of a page with their cursors.
#[derive(Debug)]
pub(super) struct Rows<T> {
    pub rows: Vec<(String, T)>,
    pub page_info: PageInfo,
}

impl<T> Rows<T> {
    /// Adds the cursors to a page. `key` returns the sort key of a row.
    pub(super) fn of(ctx: &Context<'_>, list: &str, page: Page<T>, key: impl Fn(&T) -> SortKey) -> Result<Self> {
        let Page { rows, has_previous, has_next } = page;
        let with_cursor = |row: T| {
            let cursor = page::cursor(ctx.app(), list, &key(&row))?;
            Ok((cursor, row))
        };
        let rows = rows.into_iter().map(with_cursor).collect::<Result<Vec<_>>>()?;
        let page_info = PageInfo {
            has_next_page: has_next,
            has_previous_page: has_previous,
            start_cursor: rows.first().map(|(cursor, _)| cursor.clone()),
            end_cursor: rows.last().map(|(cursor, _)| cursor.clone()),
        };
        Ok(Self { rows, page_info })
    }
}

impl<T> Rows<T> {
    /// Turns the rows into objects.
    pub(super) fn map<U>(self, object: impl Fn(T) -> U) -> Rows<U> {
        let rows = self.rows.into_iter().map(|(cursor, row)| (cursor, object(row))).collect();
        Rows { rows, page_info: self.page_info }
    }
}

/// Defines a connection and its edge. With `counted by C`, the connection has the field `totalCount`, which calls
/// `C::count`.
macro_rules! connection {
    ($connection:ident, $edge:ident, $node:ty $(, counted by $count:ty)?) => {
        /// An item and its position in the list.
        #[derive(Debug, async_graphql::SimpleObject)]
        pub struct $edge {
            /// Opaque. For `after` or `before` of the same list in the same order.
            cursor: String,
            /// The item.
            node: $node,
        }

        /// See the type's description below.
        #[derive(Debug)]
        pub struct $connection {
            edges: Vec<$edge>,
            page_info: $crate::graphql::schema::connection::PageInfo,
            $(count: $count,)?
        }

        impl $connection {
            pub(super) fn new<R: Into<$node>>(
                rows: $crate::graphql::schema::connection::Rows<R> $(, count: $count)?
            ) -> Self {
                let $crate::graphql::schema::connection::Rows { rows, page_info } = rows;
                let edges = rows.into_iter().map(|(cursor, row)| $edge { cursor, node: row.into() }).collect();
                Self { edges, page_info $(, count: <$count>::from(count))? }
            }
        }

        /// A page of a list.
        #[async_graphql::Object]
        impl $connection {
            /// The items with their cursors.
            async fn edges(&self) -> &Vec<$edge> {
                &self.edges
            }

            /// The items.
            async fn nodes(&self) -> Vec<&$node> {
                self.edges.iter().map(|edge| &edge.node).collect()
            }

            /// The position of the page in the list.
            async fn page_info(&self) -> &$crate::graphql::schema::connection::PageInfo {
                &self.page_info
            }
            $(
                /// The number of items on all pages. It is computed only if it is selected, and takes long for large lists.
                async fn total_count(&self, ctx: &async_graphql::Context<'_>) -> $crate::Result<u64> {
                    <$count>::count(&self.count, ctx).await
                }
            )?
        }
    };
}

pub(super) use connection;
