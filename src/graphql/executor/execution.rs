//! What the transport allows, and the result of a request.

use async_graphql::{Response, parser::types::OperationType};

use crate::{
    Error,
    graphql::{context::CookieChange, executor::EventStream},
};

/// Which operations the transport allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allow {
    /// Queries.
    pub queries: bool,
    /// Mutations.
    pub mutations: bool,
    /// Subscriptions.
    pub subscriptions: bool,
}

impl Allow {
    pub(super) const fn permits(self, operation: OperationType) -> bool {
        match operation {
            OperationType::Query => self.queries,
            OperationType::Mutation => self.mutations,
            OperationType::Subscription => self.subscriptions,
        }
    }
}

/// The kind of an operation that is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationKind {
    /// A query or a mutation.
    Request,
    /// A subscription.
    Subscription,
}

/// The result of a request.
#[derive(Debug)]
pub enum Execution {
    /// The operation was executed; fields may have failed.
    Executed(Answer),
    /// Nothing was executed, because the document or the variables are invalid. The answer has errors and no data.
    Refused(Answer),
    /// Nothing was executed, because the transport does not allow an operation of this kind.
    NotAllowed(OperationKind),
    /// The operation is a subscription, and its stream was opened.
    Subscribed(Box<EventStream>),
}

/// A response, and what the transport needs to know about it.
#[derive(Debug)]
pub struct Answer {
    /// What to send.
    pub response: Response,
    /// The errors in `response`, for headers and the log.
    pub errors: Vec<Error>,
    /// The cookies of the client to change.
    pub cookie_changes: Vec<CookieChange>,
}
