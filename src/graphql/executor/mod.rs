//! Executes GraphQL requests. This is the only caller of the schema.
//!
//! Documents are parsed and checked here before the engine receives them, so that invalid ones cost little and fail with
//! our codes and messages. (An extension of the engine could do the same, but is called for every field of a response.)

mod document;
mod escapes;
mod event_stream;
mod execution;
mod input_types;
mod known_documents;
mod lexer;
mod limits;
mod messages;
mod normalize;
mod root_fields;
mod schema_reader;
mod schema_types;
mod trusted_documents;
mod values;
mod variables;

use std::sync::Arc;

use async_graphql::{
    PathSegment, Request, Response, SDLExportOptions, ServerError, ValidationMode,
    parser::types::{ExecutableDocument, OperationType},
};

use crate::{
    App, Error, Result,
    graphql::{
        RequestContext, Schema,
        errors::publish,
        executor::{
            document::{Document, error_at},
            event_stream::OperationText,
            known_documents::KnownDocuments,
            messages::Messages,
            root_fields::RootFields,
            schema_types::SchemaTypes,
            trusted_documents::TrustedDocuments,
        },
    },
    metrics::KnownFields,
};

pub use event_stream::{EventStream, Message};
pub use execution::{Allow, Answer, Execution, OperationKind};
pub(super) use limits::MAX_DEPTH;
pub use trusted_documents::RequestDocument;

/// Maximum number of errors of one document in a response.
const MAX_ERRORS: usize = 20;

/// The schema, ready to execute requests.
pub struct Executor {
    app: Arc<App>,
    schema: Schema,
    /// The schema for known documents, which skips most of the validation.
    schema_of_known: Schema,
    documents: KnownDocuments,
    /// If set, only these documents are executed.
    trusted: Option<TrustedDocuments>,
    types: SchemaTypes,
    messages: Messages,
    known_fields: KnownFields,
    introspection: bool,
    /// Whether errors may have hints.
    is_local: bool,
}

impl std::fmt::Debug for Executor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Executor")
    }
}

impl Executor {
    /// Builds the schema.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        let introspection = app.settings.graphql.introspection;
        let is_local = app.settings.server.is_local;
        let trusted = app.settings.graphql.trusted_documents.as_ref().map(TrustedDocuments::new);
        let schema_of_known = Schema::of(&app, ValidationMode::Fast);
        let schema = Schema::of(&app, ValidationMode::Strict);
        // Without introspection, messages do not reveal the schema either.
        let messages = Messages::new(if introspection { schema.names() } else { Vec::new() });
        let types = SchemaTypes::of(&schema.sdl(SDLExportOptions::new()), introspection);
        let documents = KnownDocuments::new();
        let known_fields = app.metrics.operations.known(types.root_fields());
        Self {
            app,
            schema,
            schema_of_known,
            documents,
            trusted,
            types,
            messages,
            known_fields,
            introspection,
            is_local,
        }
    }

    /// Executes a request. Its document is in `document`.
    pub async fn execute(
        &self,
        document: RequestDocument,
        request: Request,
        context: RequestContext,
        allow: Allow,
    ) -> Execution {
        let mut fields = RootFields::new(&self.app, &self.known_fields);
        let execution = self.run((document, request), context, allow, &mut fields).await;
        fields.finish(&execution);
        execution
    }

    async fn run(
        &self,
        (document, mut request): (RequestDocument, Request),
        context: RequestContext,
        allow: Allow,
        fields: &mut RootFields<'_>,
    ) -> Execution {
        let (request_id, language) = (context.request_id, context.domain.client.language);
        let hint_context = self.is_local.then_some(context.hint_context);
        let refuse = |mut errors: Vec<ServerError>| {
            errors.truncate(MAX_ERRORS);
            let published = errors.iter_mut().map(|error| publish(error, request_id, language, hint_context)).collect();
            let response = Response::from_errors(merge_equal(errors));
            Execution::Refused(Answer { response, errors: published, cookie_changes: Vec::new() })
        };

        let text = match self.text(document) {
            Ok(text) => text,
            Err(error) => return refuse(vec![error_at(None, error)]),
        };
        let known = self.documents.get(&text);
        let is_known = known.is_some();
        let parse = || Document::parse(&self.types, &text).map(Arc::new);
        let document = match known.map_or_else(parse, Ok) {
            Ok(document) => document,
            Err(error) => return refuse(vec![error]),
        };
        let operation = match document.operation(request.operation_name.as_deref()) {
            Ok(operation) => operation,
            Err(error) => return refuse(vec![error]),
        };
        fields.read(&document.parsed, &operation.definition.node);
        if let Some(name) = operation.name {
            tracing::Span::current().record("operation", name.as_str());
        }
        let is_subscription = operation.definition.node.ty == OperationType::Subscription;
        if !allow.permits(operation.definition.node.ty) {
            let kind = if is_subscription { OperationKind::Subscription } else { OperationKind::Request };
            return Execution::NotAllowed(kind);
        }
        if let Err(errors) = document.check(operation, self.introspection) {
            return refuse(errors);
        }
        let definition = &operation.definition.node;
        variables::keep_declared(definition, &mut request.variables);
        let checked = variables::check_copies(&document.parsed, definition, &request.variables)
            .and_then(|()| document.coerce_variables(&self.types, operation, &mut request.variables));
        if let Err(error) = checked {
            return refuse(vec![error]);
        }

        let schema = if is_known { &self.schema_of_known } else { &self.schema };
        let operation = is_subscription.then(|| {
            let (name, variables) = (request.operation_name.clone(), request.variables.clone());
            OperationText { document: text.clone(), name, variables }
        });
        // Nothing else of the document is held while the request waits: parsed, it takes up to 100 KiB.
        let to_keep = (!is_known && KnownDocuments::may_keep(&text)).then_some(text);
        request.set_parsed_query(match Arc::try_unwrap(document) {
            Ok(document) => document.parsed,
            Err(kept) => ExecutableDocument::clone(&kept.parsed),
        });
        let context = Arc::new(context);
        let request = request.data(Arc::clone(&context));
        let mut response =
            if is_subscription { schema.execute_subscription(request).await } else { schema.execute(request).await };
        if is_request_error(&response) {
            for error in &mut response.errors {
                error.source = Some(Arc::new(Error::ValidationFailed(self.messages.of(&error.message))));
            }
            return refuse(response.errors);
        }
        if let Some(text) = to_keep
            && let Ok(document) = Document::parse(&self.types, &text)
        {
            self.documents.keep(text, Arc::new(document));
        }
        if let (Some(operation), Some(subscription)) = (operation, context.take_opened()) {
            let stream = EventStream::new(subscription, &context, hint_context, operation);
            return Execution::Subscribed(Box::new(stream));
        }
        let publish = |error: &mut ServerError| {
            let published = publish(error, request_id, language, hint_context);
            fields.fail(&error.path, published.code());
            if let Some(PathSegment::Field(key)) = error.path.first() {
                context.use_cases.fail(key, published.code());
            }
            published
        };
        let errors = response.errors.iter_mut().map(publish).collect();
        response.errors = merge_equal(response.errors);
        Execution::Executed(Answer { response, errors, cookie_changes: context.take_cookie_changes() })
    }

    /// The text of the document to execute.
    fn text(&self, document: RequestDocument) -> Result<String> {
        match (&self.trusted, document) {
            (Some(trusted), document) => trusted.find(&document),
            (None, RequestDocument::Text(text)) => Ok(text),
            (None, RequestDocument::Id(_)) => Err(Error::PersistedQueryNotSupported),
        }
    }
}

/// Merges equal errors at one path. The engine resolves a field, and raises its error, once for each place that selects it; the
/// specification merges these places into one field.
fn merge_equal(errors: Vec<ServerError>) -> Vec<ServerError> {
    let mut merged: Vec<ServerError> = Vec::with_capacity(errors.len());
    for error in errors {
        let same = merged.iter_mut().find(|other| {
            other.path == error.path && other.message == error.message && other.extensions == error.extensions
        });
        match same {
            Some(other) => other.locations.extend(error.locations),
            None => merged.push(error),
        }
    }
    merged
}

/// Whether the engine stopped before it executed anything: errors of fields have a path, errors of the document do not.
fn is_request_error(response: &Response) -> bool {
    !response.errors.is_empty() && response.errors.iter().all(|error| error.path.is_empty())
}
