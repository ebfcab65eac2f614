//! Common code of the fuzz targets: an in-process server with one user, and the checks for every response.
//!
//! The clock does not advance and the secret is constant, so that findings are reproducible. IDs are still random, so
//! inputs contain placeholders for Ada's.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header},
};
use chrono::{DateTime, Utc};
use hallpass::{
    App,
    clock::{Clock, ManualClock},
    config::{DatabaseUrl, Settings},
    database::Database,
    domain::{
        Client, Context, Viewer,
        sessions::{NewSession, SignIn},
        users::registration::{Registered, Registration, register},
    },
    entity::session,
    http,
};
use http_body_util::BodyExt;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};
use serde_json::Value;
use tokio::runtime::Runtime;
use tower::ServiceExt;

/// A word in the dictionaries that stands for client input. No message may repeat it except as a name in backticks.
pub const MARKER: &str = "Xyzzy";

/// The media types of responses.
pub const GRAPHQL_RESPONSE: &str = "application/graphql-response+json";
pub const JSON: &str = "application/json";

/// The server with its one user.
pub static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

pub struct Server {
    runtime: Runtime,
    router: Router,
    pub app: Arc<App>,
    pub ada: SignIn,
}

/// A response that [`Server::send`] has checked.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Server {
    /// Starts a server with the cheapest password hashes. Registration is disabled after Ada has registered.
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let file = database_file();
        let secret = ("SECRET_KEY".to_owned(), "a secret that is for fuzzing only: 9d02".to_owned());
        let mut settings = Settings::from_vars([secret]).unwrap();
        settings.database.url = DatabaseUrl::Sqlite(file);
        settings.passwords.bcrypt_cost = 4;
        settings.passwords.hash_concurrency = 1;
        let noon: DateTime<Utc> = "2026-01-31T12:00:00Z".parse().unwrap();
        let clock = Clock::Manual(ManualClock::at(noon));
        let (app, ada) = runtime.block_on(async {
            let database = Database::connect(&settings.database.url, Some(1)).await.unwrap();
            database.migrate().await.unwrap();
            let open = Arc::new(App::new(settings.clone(), database.clone(), clock.clone()).unwrap());
            let context = Context::of_request(&open, Viewer::Anonymous, Client::default());
            let ada = Registration {
                username: "ada".to_owned(),
                password: "a password that no input guesses".into(),
                email: Some("ada@example.org".to_owned()),
                first_name: Some("Ada".to_owned()),
                last_name: Some("Lovelace".to_owned()),
            };
            let ada = match register(&context, ada, NewSession::in_body()).await.unwrap() {
                Registered::SignedIn(ada) => *ada,
                Registered::Unverified(_) => panic!("registration does not require verification"),
            };
            settings.registration.is_enabled = false;
            let app = Arc::new(App::new(settings, database, clock).unwrap());
            (app, ada)
        });
        let router = http::router(&app, http::Limits::default());
        Self { runtime, router, app, ada }
    }

    /// Restores Ada's session after a request, so that inputs do not affect later ones.
    pub fn restore(&self) {
        let ours = &self.ada.principal.session;
        self.runtime.block_on(async {
            let found = session::Entity::find_by_id(ours.id).one(self.app.database.read()).await.unwrap().unwrap();
            if found != *ours {
                // An input can only revoke the session, because it does not know the refresh token.
                assert_eq!(session::Model { revoked_at: None, ..found.clone() }, *ours);
                let transaction = self.app.write().await.unwrap();
                let mut found = found.into_active_model();
                found.revoked_at = Set(None);
                found.update(&transaction).await.unwrap();
                transaction.commit().await.unwrap();
            }
        });
    }

    /// Sends a GraphQL request as JSON.
    pub fn post(&self, accept: &[HeaderValue], authorization: &[HeaderValue], body: Vec<u8>) -> Answer {
        let mut request = Request::builder().method(Method::POST).uri("/graphql").body(Body::from(body)).unwrap();
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
        for (name, values) in [(header::ACCEPT, accept), (header::AUTHORIZATION, authorization)] {
            for value in values {
                headers.append(&name, value.clone());
            }
        }
        self.send(request)
    }

    /// Sends a request and checks that the response is valid GraphQL JSON without server errors.
    fn send(&self, request: Request<Body>) -> Answer {
        let (head, body) = self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let (head, body) = response.into_parts();
            (head, body.collect().await.unwrap().to_bytes())
        });
        let body: Value = serde_json::from_slice(&body).unwrap();
        let answer = Answer { status: head.status, headers: head.headers, body };
        answer.check();
        answer
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The media type, without its charset.
    pub fn media_type(&self) -> &str {
        self.header("content-type").strip_suffix("; charset=utf-8").unwrap()
    }

    /// Whether the request was executed.
    pub fn is_executed(&self) -> bool {
        self.body.get("data").is_some()
    }

    pub fn errors(&self) -> &[Value] {
        self.body["errors"].as_array().map_or(&[], Vec::as_slice)
    }

    /// The data and the sorted errors, without request IDs, for comparison.
    pub fn essence(&self) -> (&Value, Vec<String>) {
        let essence = |error: &Value| {
            let mut error = error.clone();
            error["extensions"]["requestId"].take();
            error.to_string()
        };
        let mut errors: Vec<String> = self.errors().iter().map(essence).collect();
        errors.sort();
        (&self.body["data"], errors)
    }

    /// Checks the status, the media type and the errors as documented in the README.
    fn check(&self) {
        let status = self.status.as_u16();
        assert!(matches!(status, 200 | 400 | 405 | 406 | 413 | 415), "{self:#?}");
        assert!([GRAPHQL_RESPONSE, JSON].contains(&self.media_type()), "{self:#?}");
        let fields = self.body.as_object().unwrap();
        assert!(fields.keys().all(|name| ["data", "errors"].contains(&name.as_str())), "{self:#?}");
        assert!(self.is_executed() || !self.errors().is_empty(), "{self:#?}");
        assert!(status == 200 || !self.is_executed(), "{self:#?}");
        if self.media_type() == GRAPHQL_RESPONSE {
            assert_eq!(status == 200, self.is_executed(), "{self:#?}");
        }
        for error in self.errors() {
            let message = error["message"].as_str().unwrap();
            // Text in backticks may be names from the document.
            let own_text: String = message.split('`').step_by(2).collect();
            assert!(!own_text.is_empty() && !own_text.contains(MARKER), "{self:#?}");
            let extensions = &error["extensions"];
            let code = extensions["code"].as_str().unwrap();
            assert!(!["INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE"].contains(&code), "{self:#?}");
            assert_eq!(extensions["requestId"], self.header("x-request-id"), "{self:#?}");
            assert!(extensions["errors"].is_array(), "{self:#?}");
        }
    }
}

/// The path of this process's database file. Also removes files of exited processes, which cannot remove their own.
fn database_file() -> PathBuf {
    const PREFIX: &str = "hallpass_fuzz_";
    let folder = std::env::temp_dir();
    for file in std::fs::read_dir(&folder).unwrap().flatten() {
        let name = file.file_name().to_string_lossy().into_owned();
        let process = name.strip_prefix(PREFIX).and_then(|rest| rest.split('.').next());
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            let _ = std::fs::remove_file(file.path());
        }
    }
    folder.join(format!("{PREFIX}{}.db", std::process::id()))
}
