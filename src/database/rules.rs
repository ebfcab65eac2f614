//! How connections to a database are opened, used and replaced.

use std::{sync::Arc, time::Duration};

use crate::database::{
    abandoned::AbandonedReads,
    client::{Client, Preparation},
    renewal::Renewal,
};

/// How connections to a database are opened, used and replaced.
pub(super) struct Rules<C: Client> {
    pub options: C::Options,
    /// At most so many connections.
    pub max: u32,
    /// What a new connection runs first.
    pub setup: &'static str,
    pub preparation: Preparation,
    /// What begins the transaction of its own that each statement of [`super::connections::Connections::begin`] has, if
    /// it has one.
    pub transaction: Option<&'static str>,
    /// How long a connection is used at most, however busy it is.
    pub max_age: Option<Duration>,
    pub renewal: Arc<Renewal>,
    /// Where a statement does not end with its connection.
    pub abandoned: Option<Arc<AbandonedReads<C>>>,
}

impl<C: Client> Rules<C> {
    /// At most `max` connections, without anything special.
    pub(super) fn new(options: C::Options, max: u32, renewal: &Arc<Renewal>) -> Self {
        Self {
            options,
            max,
            setup: "",
            preparation: Preparation::Named,
            transaction: None,
            max_age: None,
            renewal: Arc::clone(renewal),
            abandoned: None,
        }
    }
}
