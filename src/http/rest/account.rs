//! `/account/export`: the signed-in user's own data as a file.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{
        HeaderValue,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    Error, Result,
    domain::{
        Context, Principal,
        audit::Event,
        sessions::{self, Session},
        users::own_data::{self, Export},
    },
    entity::identity,
    http::{
        Server,
        rest::{
            Call, ErrorFormat, ErrorResponse,
            docs::{EnrollmentError, UserErrors},
            error_response::UNCACHED,
            models::{ExportedFactors, User, instant},
        },
    },
};

/// Events that are read, and held in memory, at the same time.
const PAGE: u64 = 500;

/// Everything stored about the signed-in user, as a file to download. It contains no password and no token. Each export is
/// recorded in the audit log.
#[utoipa::path(
    get,
    path = "/account/export",
    operation_id = "exportAccount",
    tag = "Accounts",
    responses(
        (
            status = 200,
            description = "The data, with `Content-Disposition: attachment`. A download that ends before the closing \
                brace was interrupted",
            body = AccountExport,
        ),
        EnrollmentError,
        UserErrors,
    ),
    security(("OAuth2PasswordBearer" = []))
)]
pub(in crate::http) async fn export(State(server): State<Arc<Server>>, request: Request) -> Response {
    let call = Call::of(&server, &request);
    let result = async {
        let principal = call.principal().await?;
        let export = call.within(own_data::begin(&call.context, &principal)).await?;
        let sessions = sessions::list(&call.context, &principal, principal.user.id);
        let sessions = call.within(sessions).await?;
        let head = head(&call, &principal, export, sessions)?;
        Ok(file(&server, &call.context, principal, head))
    };
    call.respond(ErrorFormat::Rest, result.await)
}

/// The document up to the first event.
fn head(
    call: &Call<'_>,
    principal: &Principal,
    Export { user, second_factors, identities, exported_at }: Export,
    sessions: Vec<Session>,
) -> Result<String, ErrorResponse> {
    let email_verified = user.email.is_some() && user.email_verified_at.is_some();
    let export = AccountExport {
        exported_at: instant(exported_at),
        user: ExportedUser { user: User::at(exported_at, user, call.context.settings()), email_verified },
        second_factors: second_factors.into(),
        identities: identities.into_iter().map(Into::into).collect(),
        sessions: sessions.into_iter().map(|session| ExportedSession::of(session, principal)).collect(),
        audit_events: Vec::new(),
    };
    let mut head = serde_json::to_string(&export).map_err(Error::internal)?;
    // The list of events comes last.
    head.truncate(head.len().saturating_sub(END.len()));
    Ok(head)
}

/// The end of the list of events, and of the document.
const END: &str = "]}";

/// The position in the list of events.
struct Events {
    server: Arc<Server>,
    context: Context,
    principal: Principal,
    /// The last event that was sent.
    last: Option<Event>,
}

impl Events {
    /// Reads the next events, with the separators before them. Returns the text, and whether it is the last one.
    async fn next(&mut self) -> Result<(String, bool)> {
        let page = own_data::events(&self.context, &self.principal, self.last.as_ref(), PAGE);
        let page = self.server.in_time(page).await?;
        let mut text = String::new();
        for event in page.rows {
            if self.last.is_some() {
                text.push(',');
            }
            text.push_str(&serde_json::to_string(&ExportedEvent::of(&event)).map_err(Error::internal)?);
            self.last = Some(event);
        }
        if !page.has_next {
            text.push_str(END);
        }
        Ok((text, !page.has_next))
    }
}

/// The response. An account may have any number of events, so they are read while the document is sent. If that fails, the
/// connection is closed before the end of the document.
fn file(server: &Arc<Server>, context: &Context, principal: Principal, head: String) -> Response {
    let name = format!("hallpass-account-{}.json", context.now().format("%Y-%m-%d"));
    let disposition = HeaderValue::try_from(format!("attachment; filename=\"{name}\""));
    let events = Events { server: Arc::clone(server), context: context.clone(), principal, last: None };
    let span = tracing::Span::current();
    let events = stream::try_unfold(Some(events), move |events| {
        let span = span.clone();
        async move {
            let Some(mut events) = events else { return Ok::<_, Error>(None) };
            let (text, is_last) = events.next().await.inspect_err(|error| {
                span.in_scope(|| tracing::error!(cause = error.cause(), "an export was interrupted"));
            })?;
            Ok(Some((Bytes::from(text), (!is_last).then_some(events))))
        }
    });
    let head = stream::iter([Ok(Bytes::from(head))]);
    let mut response = (UNCACHED, Body::from_stream(head.chain(events))).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(disposition) = disposition {
        response.headers_mut().insert(CONTENT_DISPOSITION, disposition);
    }
    response
}

/// Everything stored about a user.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct AccountExport {
    /// The time of the export.
    #[schema(example = "2026-01-31T12:34:56.789Z")]
    exported_at: String,
    user: ExportedUser,
    second_factors: ExportedFactors,
    /// The accounts at providers that the user can sign in with.
    identities: Vec<ExportedIdentity>,
    /// The current sessions, the last used first.
    sessions: Vec<ExportedSession>,
    /// What happened to the account, newest first.
    audit_events: Vec<ExportedEvent>,
}

/// An account at a provider.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ExportedIdentity {
    /// The id of the provider in the settings.
    #[schema(example = "google")]
    provider: String,
    issuer: String,
    /// The id of the user at the issuer.
    subject: String,
    #[schema(required = true)]
    email: Option<String>,
    linked_at: String,
    #[schema(required = true)]
    last_used_at: Option<String>,
}

impl From<identity::Model> for ExportedIdentity {
    fn from(identity: identity::Model) -> Self {
        Self {
            provider: identity.provider_id,
            issuer: identity.issuer,
            subject: identity.subject,
            email: identity.email,
            linked_at: instant(identity.linked_at),
            last_used_at: identity.last_used_at.map(instant),
        }
    }
}

/// The user, as `/users/me` returns it, and whether the address is verified.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ExportedUser {
    #[serde(flatten)]
    user: User,
    /// Whether the owner has verified `email`.
    email_verified: bool,
}

/// A session.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ExportedSession {
    /// `sid` of its access tokens.
    id: String,
    /// Whether it is the session of this request.
    is_current: bool,
    /// A description of the user agent.
    #[schema(example = "Firefox on Linux")]
    device: String,
    /// The `User-Agent` header of the sign-in.
    #[schema(required = true)]
    user_agent: Option<String>,
    /// The IP address of the client at sign-in.
    #[schema(required = true)]
    ip_address: Option<String>,
    /// The time of the sign-in.
    created_at: String,
    /// When the user last proved their identity.
    authenticated_at: String,
    /// How the user signed in, as in RFC 8176.
    #[schema(example = json!(["pwd", "otp", "mfa"]))]
    authentication_methods: Vec<String>,
    /// The time of the last refresh.
    last_used_at: String,
    /// When it ends if it is not refreshed again.
    expires_at: String,
}

impl ExportedSession {
    fn of(session: Session, principal: &Principal) -> Self {
        Self {
            id: session.id.to_string(),
            is_current: session.id == principal.session.id,
            device: sessions::device(session.user_agent.as_deref()),
            created_at: instant(session.created_at),
            authenticated_at: instant(session.last_authenticated_at()),
            authentication_methods: session.amr.as_slice().to_vec(),
            last_used_at: instant(session.last_used_at),
            expires_at: instant(session.expires_at),
            user_agent: session.user_agent,
            ip_address: session.ip_address,
        }
    }
}

/// An event of the audit log.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ExportedEvent {
    id: String,
    /// When it happened.
    at: String,
    /// What happened: a value of the GraphQL enum `AuditAction`.
    #[schema(example = "LOGGED_IN")]
    action: String,
    /// The kind of actor: a value of the GraphQL enum `AuditActorType`.
    #[schema(example = "USER")]
    actor_type: String,
    /// The IP address of the client, unless an administrator acted.
    #[schema(required = true)]
    ip_address: Option<String>,
    /// The `User-Agent` header of the client, unless an administrator acted.
    #[schema(required = true)]
    user_agent: Option<String>,
    /// More about the event.
    details: Vec<ExportedDetail>,
}

impl ExportedEvent {
    fn of(event: &Event) -> Self {
        let details = event.details.iter().flat_map(|details| &details.0);
        Self {
            id: event.id.to_string(),
            at: instant(event.at),
            action: event.action.name(),
            actor_type: event.actor_type.name(),
            ip_address: event.ip_address.clone(),
            user_agent: event.user_agent.clone(),
            details: details.map(|(name, value)| ExportedDetail { name: name.clone(), value: value.clone() }).collect(),
        }
    }
}

/// A detail of an event.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ExportedDetail {
    name: String,
    value: String,
}
