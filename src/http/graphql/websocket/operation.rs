//! An operation of a connection: a subscription that is being opened, and then its stream of events.

use std::{pin::Pin, sync::Arc};

use async_graphql::{Request, Response, ServerError};
use futures_util::{Stream, stream};

use super::close::Close;
use crate::{
    Error,
    domain::{Context, RequestId},
    graphql::{
        RequestContext,
        errors::server_error,
        executor::{Allow, EventStream, Execution, Message, RequestDocument},
    },
    http::Server,
};

/// What an operation yields. Only [`Self::Event`] is not the last.
pub(super) enum Output {
    /// An event.
    Event(Response),
    /// The operation has failed.
    Failed(Vec<ServerError>),
    /// The connection cannot continue.
    Close(Close),
}

/// A running operation.
pub(super) type Operation = Pin<Box<dyn Stream<Item = Output> + Send>>;

/// Opens the operations of a connection.
#[derive(Clone)]
pub(super) struct Opener {
    pub(super) server: Arc<Server>,
    pub(super) context: Context,
    /// The request that opened the connection.
    pub(super) id: RequestId,
}

impl Opener {
    /// Starts an operation.
    pub(super) fn open(&self, request: Box<(RequestDocument, Request)>) -> Operation {
        let starting = Phase::Starting(Box::new(self.clone()), request);
        Box::pin(stream::unfold(starting, |phase| Box::pin(phase.step())))
    }

    /// What an operation yields that fails with this error.
    pub(super) fn failed(&self, error: Error) -> Output {
        Close::of(&error).map_or_else(
            || Output::Failed(vec![server_error(error, self.id, self.context.client.language)]),
            Output::Close,
        )
    }

    async fn start(&self, document: RequestDocument, request: Request) -> Result<Box<EventStream>, Output> {
        let context = RequestContext::new(self.id, self.context.clone());
        let allow = Allow { queries: false, mutations: false, subscriptions: true };
        let execution = self.server.executor.execute(document, request, context, allow);
        match tokio::time::timeout(self.server.limits.handler_timeout, execution).await {
            Ok(Execution::Subscribed(events)) => Ok(events),
            Ok(Execution::Executed(answer) | Execution::Refused(answer)) => {
                let close = answer.errors.iter().find_map(Close::of);
                Err(close.map_or(Output::Failed(answer.response.errors), Output::Close))
            }
            Ok(Execution::NotAllowed(_)) => Err(self.failed(Error::BadRequest(
                "Only subscriptions are sent over WebSocket. Send queries and mutations by POST to `/graphql`.",
            ))),
            Err(_) => Err(Output::Close(Close::Unavailable)),
        }
    }
}

enum Phase {
    Starting(Box<Opener>, Box<(RequestDocument, Request)>),
    Running(Arc<Server>, Box<EventStream>),
    Ended,
}

impl Phase {
    /// Waits for the next output.
    async fn step(self) -> Option<(Output, Self)> {
        let (server, mut events) = match self {
            Self::Starting(opener, request) => {
                let (document, request) = *request;
                // Boxed, because it is much larger than what follows.
                match Box::pin(opener.start(document, request)).await {
                    Ok(events) => (opener.server, events),
                    Err(output) => return Some((output, Self::Ended)),
                }
            }
            Self::Running(server, events) => (server, events),
            Self::Ended => return None,
        };
        loop {
            events.wait().await;
            match server.next_message(&mut events).await {
                None => {}
                Some(Message::Event(response)) => {
                    return Some((Output::Event(response), Self::Running(server, events)));
                }
                Some(Message::End(response, error)) => {
                    let output = Close::of(&error).map_or(Output::Failed(response.errors), Output::Close);
                    return Some((output, Self::Ended));
                }
            }
        }
    }
}
