//! Test harness: a server for each test, and clients.

mod actor;
mod answer;
#[expect(dead_code, reason = "the test of the verification uses more of it")]
pub mod authenticator;
mod database;
mod events;
mod log;
#[expect(dead_code, reason = "the tests of the verification use more of it")]
#[path = "../../oidc/support.rs"]
pub mod oidc_keys;
pub mod passkeys;
mod plan;
pub mod provider;
mod schema;
mod second_factor;
mod sessions;
mod smtp;
mod websocket;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

pub use actor::{Actor, LOGIN, REFRESH, REGISTER};
pub use answer::Answer;
use axum::Router;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
pub use database::TestDatabase;
pub use events::{Events, Message};
use hallpass::{
    App,
    clock::{Clock, ManualClock},
    config::Settings,
    database::Database,
    domain::{
        self, Client, Context, Principal, Viewer,
        users::{
            administration::{self, Administrator, Change},
            registration::Registration,
        },
    },
    entity::{user, user_role},
    http,
    jobs::deliver_mail,
    mail::SentMail,
};
pub use log::logged;
pub use plan::Plan;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, Statement,
    prelude::Uuid,
};
use serde_json::Value;
pub use serde_json::json;
pub use sessions::refreshed_tokens;
pub use smtp::SmtpServer;
pub use websocket::{Listening, Socket};

/// The refresh cookie's name on plain HTTP; its suffix is from the SHA-256 of `http://localhost:8000`.
pub const REFRESH_COOKIE: &str = "refresh_token_0121783a";

/// A server with its own database and a manual clock.
pub struct TestServer {
    pub app: Arc<App>,
    pub router: Router,
    pub clock: ManualClock,
    pub database: Arc<TestDatabase>,
}

impl TestServer {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// A server with other settings.
    pub async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::on(TestDatabase::create().await, change).await
    }

    /// A server on an existing database: a second instance, or the first after a restart.
    pub async fn on(database: impl Into<Arc<TestDatabase>>, change: impl FnOnce(&mut Settings)) -> Self {
        let database = database.into();
        let mut settings = settings();
        settings.database.url = database.url().clone();
        change(&mut settings);
        let connected = Database::connect(&settings.database.url, Some(4)).await.unwrap();
        Self::assemble(database, settings, connected)
    }

    /// A server whose statements are recorded.
    pub async fn observed() -> (Self, Arc<Mutex<Vec<Statement>>>) {
        Self::observed_with(|_| {}).await
    }

    /// A server with other settings, whose statements are recorded.
    pub async fn observed_with(change: impl FnOnce(&mut Settings)) -> (Self, Arc<Mutex<Vec<Statement>>>) {
        let database = TestDatabase::create().await;
        let mut settings = settings();
        settings.database.url = database.url().clone();
        change(&mut settings);
        let mut connected = Database::connect(database.url(), Some(2)).await.unwrap();
        let statements = Arc::<Mutex<Vec<Statement>>>::default();
        let seen = Arc::clone(&statements);
        connected.observe(move |info| seen.lock().unwrap().push(info.statement.clone()));
        (Self::assemble(database, settings, connected), statements)
    }

    pub fn assemble(database: impl Into<Arc<TestDatabase>>, settings: Settings, connected: Database) -> Self {
        log::start();
        let clock = ManualClock::at(start_of_time());
        let app = App::new(settings, connected, Clock::Manual(clock.clone())).unwrap();
        let app = Arc::new(app);
        Self { router: http::router(&app, http::Limits::default()), app, clock, database: database.into() }
    }

    /// The principal of an access token, as authentication returns it.
    pub async fn principal(&self, actor: &Actor) -> Principal {
        let claims = self.app.access_tokens.verify(actor.bearer.as_deref().unwrap(), self.app.clock.now());
        let viewer = Viewer::Authenticated(claims.unwrap());
        domain::principal(&Context::of_request(&self.app, viewer, Client::default())).await.unwrap()
    }

    /// A command context on this server's database.
    pub fn command_line(&self) -> Context {
        Context::of_command_line(&self.app)
    }

    /// A client without a token.
    pub fn anonymous(&self) -> Actor {
        Actor::new(self.router.clone()).confirming(&self.app)
    }

    /// Registers a user with an app that stores its refresh token itself. Returns the client and that token.
    pub async fn app_user(&self, username: &str) -> (Actor, String) {
        let register = "mutation($input: RegisterInput!) { register(input: $input) { accessToken refreshToken } }";
        let input = json!({ "username": username, "password": password_of(username), "tokenDelivery": "BODY" });
        let answer = self.anonymous().graphql(register, json!({ "input": input })).await;
        let text = |pointer| answer.data(pointer).as_str().unwrap().to_owned();
        (self.anonymous().with_bearer(&text("/register/accessToken")), text("/register/refreshToken"))
    }

    /// Disables an account.
    pub async fn disable(&self, username: &str) {
        let by_name = user::Entity::find().filter(user::Column::Username.eq(username));
        let mut row = by_name.one(self.app.database.read()).await.unwrap().unwrap().into_active_model();
        row.is_active = Set(false);
        let transaction = self.app.write().await.unwrap();
        row.update(&transaction).await.unwrap();
        transaction.commit().await.unwrap();
    }

    /// Registers a user with an e-mail address; the password is [`password_of`] the username.
    pub async fn user_at(&self, username: &str, email: &str) -> Actor {
        let mut actor = self.anonymous();
        let input = json!({ "username": username, "password": password_of(username), "email": email });
        let answer = actor.register(input).await;
        actor.bearer = Some(answer.data("/register/accessToken").as_str().unwrap().to_owned());
        actor
    }

    /// Registers a user and makes them an administrator.
    pub async fn administrator(&self, username: &str) -> Actor {
        let actor = self.user(username).await;
        self.set_roles(username, &["admin"]).await;
        actor
    }

    /// Replaces the roles of a user, as an operator.
    pub async fn set_roles(&self, username: &str, roles: &[&str]) {
        let (context, operator) = (self.command_line(), Administrator::at_command_line());
        let user = administration::find(&context, &operator, username).await.unwrap();
        let roles = Some(roles.iter().map(ToString::to_string).collect());
        administration::update(&context, &operator, user.id, Change { roles, ..Change::default() }).await.unwrap();
    }

    /// Creates a user who has not signed in, as an operator.
    pub async fn created(&self, username: &str) -> user::Model {
        let form = Registration {
            username: username.to_owned(),
            password: password_of(username).into(),
            email: None,
            first_name: None,
            last_name: None,
        };
        let operator = Administrator::at_command_line();
        administration::create_with_password(&self.command_line(), &operator, form, None).await.unwrap()
    }

    /// Deletes a user, as an operator.
    pub async fn deleted(&self, username: &str) {
        let (context, operator) = (self.command_line(), Administrator::at_command_line());
        let user = administration::find(&context, &operator, username).await.unwrap();
        administration::delete(&context, &operator, user.id, None).await.unwrap();
    }

    /// Signs a user in; the password is [`password_of`] the username.
    pub async fn signed_in(&self, username: &str) -> Actor {
        let login = self.anonymous().login(username, &password_of(username)).await;
        self.anonymous().with_bearer(login.data("/login/accessToken").as_str().unwrap())
    }

    /// Delivers the due mails. Returns all mails to an address so far, newest first.
    pub async fn mails_to(&self, email: &str) -> Vec<SentMail> {
        deliver_mail::tick(&self.app).await.unwrap();
        let mut mails = self.app.mailer.dev_mailbox().unwrap().all();
        let is_of_test =
            |mail: &SentMail| !(second_factor::is_switched_on() && mail.text.subject == "A recovery code was used");
        mails.retain(|mail| mail.to == email && is_of_test(mail));
        mails
    }

    /// The token in the latest mail to an address.
    pub async fn token_to(&self, email: &str) -> String {
        let mails = self.mails_to(email).await;
        token_in(&mails.first().unwrap_or_else(|| panic!("no mail to {email}")).text.plain)
    }

    /// Registers a user; the password is [`password_of`] the username.
    pub async fn user(&self, username: &str) -> Actor {
        let mut actor = self.anonymous();
        let answer = actor.register(json!({ "username": username, "password": password_of(username) })).await;
        actor.bearer = Some(answer.data("/register/accessToken").as_str().unwrap().to_owned());
        actor
    }
}

/// A folder for `JWT_KEYS`. Deleted when dropped.
pub struct KeyFolder(PathBuf);

impl KeyFolder {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("keys_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        Self(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for KeyFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The token of the link in a text.
pub fn token_in(text: &str) -> String {
    let (_, rest) = text.split_once("?token=").unwrap_or_else(|| panic!("no link in {text}"));
    rest.split_whitespace().next().unwrap().to_owned()
}

/// Jargon in a text for users: a backtick, an identifier in programming case, or seconds as a bare number and "s".
/// Links are ignored.
pub fn jargon_in(text: &str) -> Option<String> {
    if text.contains('`') {
        return Some("a backtick".to_owned());
    }
    let text: Vec<&str> = text.split_whitespace().filter(|word| !word.contains("://")).collect();
    let text = text.join(" ");
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let is_name = |word: &str| {
        let letters: Vec<char> = word.chars().collect();
        word.contains('_') || letters.windows(2).any(|pair| pair[0].is_lowercase() && pair[1].is_uppercase())
    };
    let name = words.iter().find(|word| is_name(word)).map(ToString::to_string);
    let is_number = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = words.windows(2).find(|pair| is_number(pair[0]) && ["s", "с"].contains(&pair[1]));
    name.or_else(|| seconds.map(|pair| pair.join(" ")))
}

/// Decodes a part of a JWT.
pub fn decode_part(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// Noon plus microseconds, so that lost precision is detected.
pub fn start_of_time() -> DateTime<Utc> {
    "2026-01-31T12:00:00.123456Z".parse().unwrap()
}

pub fn password_of(username: &str) -> String {
    format!("the password of {username}")
}

/// The default settings of a test server, except for the database.
pub fn settings() -> Settings {
    let secret = "a secret that is for the tests only: 4c1f";
    let mut settings = Settings::from_vars([("SECRET_KEY".to_owned(), secret.to_owned())]).unwrap();
    // The lowest cost of bcrypt, because the tests hash a lot.
    settings.passwords.bcrypt_cost = 4;
    settings.passwords.hash_concurrency = 2;
    settings
}

/// The rows of `user_roles`, in order.
pub async fn user_roles(server: &TestServer) -> Vec<(Uuid, String)> {
    let rows = user_role::Entity::find().all(server.app.database.read()).await.unwrap();
    let mut rows: Vec<_> = rows.into_iter().map(|row| (row.user_id, row.role)).collect();
    rows.sort();
    rows
}

/// The roles in `users.roles`, in the order of [`user_roles`].
pub async fn roles_of_users(server: &TestServer) -> Vec<(Uuid, String)> {
    let users = user::Entity::find().all(server.app.database.read()).await.unwrap();
    let roles = users.into_iter().flat_map(|user| user.roles.0.into_iter().map(move |role| (user.id, role)));
    let mut roles: Vec<_> = roles.collect();
    roles.sort();
    roles
}

/// An id for a row that a test writes itself.
pub fn random_id() -> Uuid {
    hallpass::security::random::id(start_of_time()).unwrap()
}
