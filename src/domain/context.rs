//! The context of a use case: the app, the actor and the client.

use std::{net::IpAddr, sync::Arc};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    App, Result,
    config::Settings,
    domain::{Principal, UnitOfWork, Viewer, users::administration::Administrator},
    entity::{audit_event::ActorType, user},
    language::Language,
};

/// The first argument of every use case.
#[derive(Clone, Debug)]
pub struct Context {
    /// The database, the keys, the hasher and the settings.
    pub app: Arc<App>,
    /// The access token of the request.
    pub viewer: Viewer,
    /// The client that sent the request.
    pub client: Client,
    actor: Actor,
}

impl Context {
    /// Creates the context of a request to any API.
    #[must_use]
    pub fn of_request(app: &Arc<App>, viewer: Viewer, client: Client) -> Self {
        Self { app: Arc::clone(app), viewer, client, actor: Actor::Anonymous }
    }

    /// Creates the context of a command.
    #[must_use]
    pub fn of_command_line(app: &Arc<App>) -> Self {
        Self { actor: Actor::CommandLine, ..Self::of_request(app, Viewer::Anonymous, Client::default()) }
    }

    /// Creates the context of a job.
    #[must_use]
    pub fn of_job(app: &Arc<App>) -> Self {
        Self { actor: Actor::System, ..Self::of_request(app, Viewer::Anonymous, Client::default()) }
    }

    /// Replaces the client, for a job that works on behalf of one.
    #[must_use]
    pub fn with_client(self, client: Client) -> Self {
        Self { client, ..self }
    }

    /// The current time.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.app.clock.now()
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.app.settings
    }

    /// Begins a unit of work.
    ///
    /// # Errors
    /// SERVICE_UNAVAILABLE if no connection is available.
    pub(crate) async fn begin(&self) -> Result<UnitOfWork<'_>> {
        self.begin_with(self.actor).await
    }

    /// Begins a unit of work for a signed-in user. Locks the user and the session, so that a session that has just ended
    /// cannot change anything. Returns the user's current row.
    ///
    /// # Errors
    /// UNAUTHENTICATED if the session has ended since it was read; SERVICE_UNAVAILABLE.
    pub(in crate::domain) async fn begin_as(&self, principal: &Principal) -> Result<(UnitOfWork<'_>, user::Locked)> {
        let work = self.begin_with(Actor::User(principal.user.id)).await?;
        let user = principal.lock(&work).await?;
        Ok((work, user))
    }

    /// Begins a unit of work for an administrator.
    ///
    /// # Errors
    /// SERVICE_UNAVAILABLE if no connection is available.
    pub(in crate::domain) async fn begin_for(&self, administrator: &Administrator) -> Result<UnitOfWork<'_>> {
        self.begin_with(administrator.actor()).await
    }

    /// Begins a unit of work for an actor that was checked.
    ///
    /// # Errors
    /// SERVICE_UNAVAILABLE if no connection is available.
    pub(in crate::domain) async fn begin_with(&self, actor: Actor) -> Result<UnitOfWork<'_>> {
        UnitOfWork::begin(self, actor).await
    }
}

/// The actor of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A client that is not signed in.
    Anonymous,
    /// A signed-in user who changes their own account.
    User(Uuid),
    /// An administrator who changes an account.
    Administrator(Uuid),
    /// The operator who runs a command.
    CommandLine,
    /// The server itself.
    System,
}

impl Actor {
    /// The actor's columns in the audit log: the type, and the id of a user.
    pub(in crate::domain) const fn as_columns(self) -> (ActorType, Option<Uuid>) {
        match self {
            Self::Anonymous => (ActorType::Anonymous, None),
            Self::User(id) => (ActorType::User, Some(id)),
            Self::Administrator(id) => (ActorType::Administrator, Some(id)),
            Self::CommandLine => (ActorType::CommandLine, None),
            Self::System => (ActorType::System, None),
        }
    }
}

/// The client that sent a request, and the language of its user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    /// The address of the client; `None` on the command line.
    pub ip_address: Option<IpAddr>,
    /// The header `User-Agent`; see [`Client::new`].
    pub user_agent: Option<String>,
    /// The language for messages and mails.
    pub language: Language,
}

/// Size of the columns `user_agent`, in characters.
const MAX_USER_AGENT_LENGTH: usize = 512;

impl Client {
    /// Creates a client. Removes control characters, which PostgreSQL rejects, from the user agent, and truncates it to 512
    /// characters.
    #[must_use]
    pub fn new(ip_address: Option<IpAddr>, user_agent: Option<&str>) -> Self {
        let user_agent =
            user_agent.map(|text| text.chars().filter(|c| !c.is_control()).take(MAX_USER_AGENT_LENGTH).collect());
        Self { ip_address, user_agent, language: Language::default() }
    }
}
