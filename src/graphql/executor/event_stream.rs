//! The stream of events that a subscription returns (GraphQL specification, §6.2.3).
//!
//! The operation is executed once when the client subscribes, which checks it and opens the stream, and once for each event,
//! with a context of its own: so each event is authorized as a request of its own is. The engine's own streams would keep one
//! context, and with it the user that was read first.

use std::sync::Arc;

use async_graphql::{Request, Response, ServerError, Variables};

use crate::{
    Error,
    domain::{
        self, RequestId,
        live_events::{Delivery, LiveEvent, Subscription},
    },
    graphql::{
        RequestContext,
        errors::{publish, server_error},
        executor::{Executor, document::Document, merge_equal},
        hints::HintContext,
    },
};

/// A stream of events. It keeps the text of its document: parsed, a document takes ten times the memory.
#[derive(Debug)]
pub struct EventStream {
    subscription: Subscription,
    context: domain::Context,
    request_id: RequestId,
    hint_context: Option<HintContext>,
    operation: OperationText,
}

/// An operation that was checked.
#[derive(Clone, Debug, Default)]
pub(super) struct OperationText {
    pub(super) document: String,
    pub(super) name: Option<String>,
    pub(super) variables: Variables,
}

/// A message of a stream.
#[derive(Debug)]
pub enum Message {
    /// An event.
    Event(Response),
    /// The last message, with an error.
    End(Response, Error),
}

impl EventStream {
    pub(super) fn new(
        subscription: Subscription,
        request: &RequestContext,
        hint_context: Option<HintContext>,
        operation: OperationText,
    ) -> Self {
        let (context, request_id) = (request.domain.clone(), request.request_id);
        Self { subscription, context, request_id, hint_context, operation }
    }

    /// Waits until there may be a message. Dropping the future loses none.
    pub async fn wait(&mut self) {
        self.subscription.wait(&self.context).await;
    }

    /// The request that opened the stream.
    #[must_use]
    pub fn request_id(&self) -> RequestId {
        self.request_id
    }

    /// The last message of the stream, for this error.
    #[must_use]
    pub fn end(&self, error: Error) -> Message {
        if let Some(cause) = error.cause() {
            tracing::warn!(code = %error.code(), cause, "a stream of live events ends");
        }
        let response = server_error(error.clone(), self.request_id, self.context.client.language);
        Message::End(Response::from_errors(vec![response]), error)
    }
}

impl Executor {
    /// Returns the next message of a stream, or `None` if it is to be waited for.
    pub async fn next(&self, stream: &mut EventStream) -> Option<Message> {
        let EventStream { subscription, context, .. } = stream;
        match Box::pin(subscription.next(context)).await? {
            Delivery::Event(event) => Some(Message::Event(Box::pin(self.resolve_event(stream, *event)).await)),
            Delivery::End(error) => Some(stream.end(error)),
        }
    }

    /// Executes the operation for an event.
    async fn resolve_event(&self, stream: &EventStream, event: LiveEvent) -> Response {
        let (request_id, language) = (stream.request_id, stream.context.client.language);
        let OperationText { document, name, variables } = &stream.operation;
        let document = match self.documents.get(document) {
            Some(document) => Ok(document),
            None => Document::parse(&self.types, document).map(Arc::new),
        };
        let mut publish = |error: &mut ServerError| drop(publish(error, request_id, language, stream.hint_context));
        let document = match document {
            Ok(document) => document,
            // It was parsed when the client subscribed.
            Err(mut error) => {
                publish(&mut error);
                return Response::from_errors(vec![error]);
            }
        };
        let mut request = Request::new("").variables(variables.clone());
        request.operation_name.clone_from(name);
        request.set_parsed_query(document.parsed.clone());
        let context = RequestContext::new(request_id, stream.context.clone()).of_event(event);
        let mut response = self.schema_of_known.execute_subscription(request.data(Arc::new(context))).await;
        response.errors.iter_mut().for_each(&mut publish);
        response.errors = merge_equal(response.errors);
        response
    }
}
