//! What a resolver may ask of the request that it answers.

use std::sync::Arc;

use async_graphql::Context;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::{
    App, Result,
    accounts::{self, Client, Principal, Viewer},
};

/// What a door knows of a request, for its resolvers.
#[derive(Debug)]
pub struct RequestContext {
    /// Names the request in the log and in `extensions.requestId`.
    pub request_id: Uuid,
    /// What the bearer says.
    pub viewer: Viewer,
    /// Where the request came from.
    pub client: Client,
    principal: OnceCell<Result<Principal>>,
}

impl RequestContext {
    /// The context of a request that has just come in.
    #[must_use]
    pub fn new(request_id: Uuid, viewer: Viewer, client: Client) -> Self {
        Self { request_id, viewer, client, principal: OnceCell::new() }
    }
}

/// What resolvers ask for, on the engine's own context.
pub(super) trait ContextExt<'a> {
    /// What use cases work on.
    fn app(&self) -> &'a App;

    /// Where the request came from.
    fn client(&self) -> &'a Client;

    /// The signed-in user, asked of the database once for the request.
    ///
    /// # Errors
    /// As [`accounts::principal`].
    async fn principal(&self) -> Result<&'a Principal>;
}

impl<'a> ContextExt<'a> for Context<'a> {
    fn app(&self) -> &'a App {
        self.data_unchecked::<Arc<App>>()
    }

    fn client(&self) -> &'a Client {
        &self.data_unchecked::<RequestContext>().client
    }

    async fn principal(&self) -> Result<&'a Principal> {
        let request = self.data_unchecked::<RequestContext>();
        request
            .principal
            .get_or_init(|| accounts::principal(self.app(), request.viewer))
            .await
            .as_ref()
            .map_err(Clone::clone)
    }
}
