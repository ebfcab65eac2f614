//! The measured operations.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use axum::{
    Router,
    body::Body,
    http::{
        Request,
        header::{AUTHORIZATION, CONTENT_TYPE},
    },
};
use chrono::TimeDelta;
use hallpass::{
    App,
    clock::Clock,
    config::Settings,
    database::Database,
    domain::{
        Client, Context, Viewer,
        sessions::{NewSession, PresentedToken, refresh},
        sign_in::password::{Credentials, login},
    },
    entity::session::{self, Delivery},
    security::{access_token::Subject, refresh_token::RefreshClaims},
};
use http_body_util::BodyExt;
use tower::ServiceExt;
use uuid::Uuid;

pub const PASSWORD: &str = "correct horse";
pub const SECRET_KEY: &str = "a secret that is for the benches only: 4c1f";

/// A measured operation. To add one, add a variant, list it in `ALL`, and perform it in `perform`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A request through the router, without network transfer.
    Me,
    /// With the cheapest hash, which would otherwise dominate the result.
    Login,
    Refresh,
}

impl Operation {
    /// Logins are last, because they end the oldest sessions of their users.
    pub const ALL: [Self; 3] = [Self::Me, Self::Refresh, Self::Login];

    pub async fn perform(self, app: &Arc<App>, router: &Router, user: &mut SignedIn) {
        match self {
            Self::Me => {
                let request = Request::post("/graphql")
                    .header(CONTENT_TYPE, "application/json")
                    .header(AUTHORIZATION, format!("Bearer {}", user.access_token))
                    .body(Body::from(r#"{"query":"{ me { id username roles createdAt } }"}"#))
                    .unwrap();
                let response = router.clone().oneshot(request).await.unwrap();
                let body = response.into_body().collect().await.unwrap().to_bytes();
                assert!(body.starts_with(b"{\"data\":{\"me\":{\"id\""), "{body:?}");
            }
            Self::Login => {
                let credentials = Credentials { identifier: user.username.clone(), password: PASSWORD.into() };
                login(&context(app), credentials, NewSession::in_body()).await.unwrap();
            }
            Self::Refresh => {
                let presented = PresentedToken { token: user.refresh_token(app).into(), delivery: Delivery::Body };
                user.generation = refresh(&context(app), Some(presented)).await.unwrap().principal.session.generation;
            }
        }
    }
}

/// A user with a session.
pub struct SignedIn {
    pub username: String,
    pub session_id: Uuid,
    pub generation: i32,
    pub access_token: String,
}

impl SignedIn {
    pub fn new(app: &App, username: String, session: &session::Model) -> Self {
        let subject = Subject {
            user_id: session.user_id,
            session_id: session.id,
            generation: session.generation,
            is_restricted: false,
            roles: &[],
            username: "",
            verified_email: None,
            first_name: None,
            last_name: None,
            authenticated_at: session.last_authenticated_at(),
            methods: session.amr.as_slice(),
            assurance_level: "aal1",
        };
        let access_token = app.access_tokens.sign(subject, app.clock.now()).unwrap();
        Self { username, session_id: session.id, generation: session.generation, access_token }
    }

    pub fn refresh_token(&self, app: &App) -> String {
        let now = app.clock.now();
        let claims = RefreshClaims {
            session_id: self.session_id,
            generation: self.generation,
            issued_at: now,
            expires_at: now + TimeDelta::days(7),
        };
        app.refresh_tokens.sign(claims).unwrap()
    }
}

/// Opens a database and migrates it. Counts statements in `statements`.
pub async fn open(url: &str, statements: Option<&'static AtomicU64>) -> Arc<App> {
    let variables = [("DATABASE_URL", url), ("SECRET_KEY", SECRET_KEY)];
    let mut settings = Settings::from_vars(variables.map(|(name, value)| (name.to_owned(), value.to_owned()))).unwrap();
    settings.passwords.bcrypt_cost = 4;
    let mut database = Database::connect(&settings.database.url, None).await.unwrap();
    if let Some(statements) = statements {
        database.observe(|_| {
            statements.fetch_add(1, Ordering::Relaxed);
        });
    }
    database.migrate().await.unwrap();
    Arc::new(App::new(settings, database, Clock::System).unwrap())
}

fn context(app: &Arc<App>) -> Context {
    Context::of_request(app, Viewer::Anonymous, Client::default())
}
