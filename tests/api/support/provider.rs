//! An OpenID provider on loopback, with real keys, and browsers that sign in with it.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use chrono::{DateTime, Utc};
use hallpass::{
    clock::Clock,
    config::{AllowedTarget, ProviderKind, ProviderSettings, Settings},
};
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use super::{
    Actor, Answer, TestServer,
    oidc_keys::{Key, encode},
    start_of_time,
};

/// The page of the app to which browsers return.
pub const RETURN_TO: &str = "http://localhost:3000/signed-in";

/// The verifier of the app.
pub const VERIFIER: &str = "the-verifier-of-the-app-with-enough-characters";

pub const LOGIN_WITH_CODE: &str = "mutation($input: LoginWithCodeInput!) { loginWithCode(input: $input) { \
    accessToken refreshToken user { id username email emailVerified firstName lastName hasPassword } } }";

const CLIENT_ID: &str = "hallpass";
const CLIENT_SECRET: &str = "the secret of the client";

pub fn challenge_of(verifier: &str) -> String {
    encode(digest(&SHA256, verifier.as_bytes()).as_ref())
}

/// What a provider has promised to a browser with a code.
struct Grant {
    nonce: String,
    code_challenge: String,
    redirect_uri: String,
    claims: Value,
}

pub struct ProviderState {
    pub id: String,
    address: SocketAddr,
    clock: Mutex<Option<Clock>>,
    /// The id of the current key.
    key: Mutex<(String, Arc<Key>)>,
    grants: Mutex<HashMap<String, Grant>>,
    codes: AtomicUsize,
    /// All requests fail.
    pub is_down: AtomicBool,
    /// The paths of all requests.
    requests: Mutex<Vec<String>>,
    /// Replaces claims of the next tokens.
    pub lie: Mutex<Value>,
    /// The claims are only in the UserInfo response, except for `sub`.
    pub has_user_info: AtomicBool,
    /// The claims of the user who has signed in last.
    latest: Mutex<Value>,
}

/// A provider. Clones are the same provider.
#[derive(Clone)]
pub struct Provider(Arc<ProviderState>);

impl std::ops::Deref for Provider {
    type Target = ProviderState;

    fn deref(&self) -> &ProviderState {
        &self.0
    }
}

impl Provider {
    pub async fn start(id: &str) -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let provider = Self(Arc::new(ProviderState {
            id: id.to_owned(),
            address: listener.local_addr().unwrap(),
            clock: Mutex::default(),
            key: Mutex::new(("first".to_owned(), Arc::new(Key::p256()))),
            grants: Mutex::default(),
            codes: AtomicUsize::new(0),
            is_down: AtomicBool::new(false),
            requests: Mutex::default(),
            lie: Mutex::new(json!({})),
            has_user_info: AtomicBool::new(false),
            latest: Mutex::default(),
        }));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/token", post(token))
            .route("/keys", get(keys))
            .route("/userinfo", get(user_info))
            .route("/login/oauth/access_token", post(github_token))
            .route("/api/v3/user", get(github_user))
            .route("/api/v3/user/emails", get(github_emails))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    pub fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn settings(&self) -> ProviderSettings {
        ProviderSettings {
            id: self.id.clone(),
            name: format!("The provider {}", self.id),
            kind: ProviderKind::OpenId { issuer: self.issuer() },
            client_id: CLIENT_ID.to_owned(),
            client_secret: CLIENT_SECRET.into(),
            scopes: ["openid", "email", "profile"].map(ToOwned::to_owned).into(),
            trusts_email: true,
        }
    }

    /// Lets a server use this provider.
    pub fn configure(&self, settings: &mut Settings) {
        settings.providers.push(self.settings());
        settings.outgoing.allow.push(AllowedTarget::Network("127.0.0.1/32".parse().unwrap()));
    }

    /// Adopts the clock of a server.
    pub fn follow(&self, server: &TestServer) {
        *self.clock.lock().unwrap() = Some(Clock::Manual(server.clock.clone()));
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.lock().unwrap().as_ref().map_or_else(start_of_time, Clock::now)
    }

    /// Replaces the key.
    pub fn rotate_key(&self, id: &str) {
        *self.key.lock().unwrap() = (id.to_owned(), Arc::new(Key::p256()));
    }

    pub fn count(&self, path: &str) -> usize {
        self.requests.lock().unwrap().iter().filter(|request| *request == path).count()
    }

    fn record(&self, path: &str) -> Option<Response> {
        self.requests.lock().unwrap().push(path.to_owned());
        self.is_down.load(Ordering::SeqCst).then(|| StatusCode::SERVICE_UNAVAILABLE.into_response())
    }

    /// The user signs in at the provider. Returns the query of the callback.
    pub fn approve(&self, location: &Url, claims: Value) -> String {
        assert_eq!(location.origin().ascii_serialization(), self.issuer());
        let query: HashMap<String, String> = location.query_pairs().into_owned().collect();
        assert_eq!((query["client_id"].as_str(), query["response_type"].as_str()), (CLIENT_ID, "code"));
        assert_eq!(query["code_challenge_method"], "S256");
        let code = format!("code-{}", self.codes.fetch_add(1, Ordering::SeqCst));
        let grant = Grant {
            nonce: query.get("nonce").cloned().unwrap_or_default(),
            code_challenge: query["code_challenge"].clone(),
            redirect_uri: query["redirect_uri"].clone(),
            claims,
        };
        self.grants.lock().unwrap().insert(code.clone(), grant);
        let pairs = [("code", code.as_str()), ("state", &query["state"]), ("iss", &self.issuer())];
        form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    }
}

async fn metadata(State(provider): State<Provider>) -> Response {
    if let Some(failure) = provider.record("/metadata") {
        return failure;
    }
    let issuer = provider.issuer();
    let mut document = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "authorization_response_iss_parameter_supported": true,
    });
    if provider.has_user_info.load(Ordering::SeqCst) {
        document["userinfo_endpoint"] = format!("{issuer}/userinfo").into();
    }
    Json(document).into_response()
}

async fn user_info(State(provider): State<Provider>, headers: HeaderMap) -> Response {
    assert_eq!(headers["authorization"], "Bearer an-access-token");
    provider.record("/userinfo").unwrap_or_else(|| Json(provider.latest.lock().unwrap().clone()).into_response())
}

/// GitHub answers with 200 in any case.
async fn github_token(State(provider): State<Provider>, body: Bytes) -> Response {
    let form: HashMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    assert_eq!((form["client_id"].as_str(), form["client_secret"].as_str()), (CLIENT_ID, CLIENT_SECRET));
    let grant = provider.grants.lock().unwrap().remove(&form["code"]);
    let Some(grant) = grant.filter(|grant| challenge_of(&form["code_verifier"]) == grant.code_challenge) else {
        return Json(json!({ "error": "bad_verification_code" })).into_response();
    };
    *provider.latest.lock().unwrap() = grant.claims;
    Json(json!({ "access_token": "an-access-token", "token_type": "bearer", "scope": "user:email" })).into_response()
}

async fn github_user(State(provider): State<Provider>) -> Response {
    let claims = provider.latest.lock().unwrap().clone();
    Json(json!({ "id": 583_231, "login": claims["preferred_username"], "name": "Ada Lovelace" })).into_response()
}

async fn github_emails(State(provider): State<Provider>) -> Response {
    let claims = provider.latest.lock().unwrap().clone();
    let primary = json!({ "email": claims["email"], "primary": true, "verified": claims["email_verified"] });
    Json(json!([{ "email": "other@example.org", "primary": false, "verified": true }, primary])).into_response()
}

async fn keys(State(provider): State<Provider>) -> Response {
    if let Some(failure) = provider.record("/keys") {
        return failure;
    }
    let (id, key) = provider.key.lock().unwrap().clone();
    Json(json!({ "keys": [key.jwk(&id)] })).into_response()
}

async fn token(State(provider): State<Provider>, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(failure) = provider.record("/token") {
        return failure;
    }
    let form: HashMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    let basic = headers["authorization"].to_str().unwrap();
    assert!(basic.starts_with("Basic "), "{basic}");
    // A code works once.
    let grant = provider.grants.lock().unwrap().remove(&form["code"]);
    let is_right = |grant: &Grant| {
        challenge_of(&form["code_verifier"]) == grant.code_challenge && form["redirect_uri"] == grant.redirect_uri
    };
    let Some(grant) = grant.filter(is_right) else {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response();
    };
    let now = provider.now().timestamp();
    let mut claims = json!({
        "iss": provider.issuer(), "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": grant.nonce,
    });
    *provider.latest.lock().unwrap() = grant.claims.clone();
    let stated = if provider.has_user_info.load(Ordering::SeqCst) {
        json!({ "sub": grant.claims["sub"] })
    } else {
        grant.claims
    };
    for source in [&stated, &*provider.lie.lock().unwrap()] {
        claims.as_object_mut().unwrap().extend(source.as_object().unwrap().clone());
    }
    let (id, key) = provider.key.lock().unwrap().clone();
    let header = json!({ "alg": "ES256", "kid": id, "typ": "JWT" });
    let message = format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims.to_string().as_bytes()));
    let id_token = format!("{message}.{}", encode(&key.sign("ES256", message.as_bytes())));
    Json(json!({ "access_token": "an-access-token", "token_type": "Bearer", "id_token": id_token })).into_response()
}

/// A server with one provider, whose id is `acme`.
pub async fn with_provider(change: impl FnOnce(&mut Settings)) -> (TestServer, Provider) {
    let provider = Provider::start("acme").await;
    let server = TestServer::with(|settings| {
        provider.configure(settings);
        change(settings);
    })
    .await;
    provider.follow(&server);
    (server, provider)
}

/// A user of the provider with a verified address.
pub fn ada() -> Value {
    json!({
        "sub": "ada at the provider", "email": "ada@example.org", "email_verified": true,
        "preferred_username": "ada", "given_name": "Ada", "family_name": "Lovelace",
    })
}

/// Claims with some replaced; `null` removes one.
pub fn with(mut claims: Value, others: &Value) -> Value {
    let object = claims.as_object_mut().unwrap();
    object.extend(others.as_object().unwrap().clone());
    object.retain(|_, value| !value.is_null());
    claims
}

/// A browser that has been redirected to the provider.
pub struct Visit {
    pub browser: Actor,
    /// The address at the provider.
    pub location: Url,
}

/// The path and query of the start of a sign-in.
pub fn start_path(provider: &str, return_to: &str, verifier: &str) -> String {
    let challenge = challenge_of(verifier);
    let pairs = [("return_to", return_to), ("code_challenge", challenge.as_str())];
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("/auth/{provider}?{query}")
}

pub fn location_of(answer: &Answer) -> Url {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:#?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    Url::parse(answer.header("location").unwrap()).unwrap()
}

/// The first `Set-Cookie` of a response, as a `Cookie` header.
pub fn cookie_of(answer: &Answer) -> String {
    answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
}

/// Opens an address of the server in a browser, which is redirected to the provider.
pub async fn open(browser: &Actor, path: &str) -> Visit {
    let answer = browser.get(path).await;
    let location = location_of(&answer);
    let mut browser = browser.clone();
    browser.cookie = Some(cookie_of(&answer));
    Visit { browser, location }
}

/// The browser returns from the provider. Returns the address of the app to which it is redirected.
pub async fn come_back(visit: &Visit, provider: &Provider, query: &str) -> Url {
    location_of(&visit.browser.get(&format!("/auth/{}/callback?{query}", provider.id)).await)
}

pub fn parameter(location: &Url, name: &str) -> Option<String> {
    location.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// Signs in at the provider in a new browser. Returns the code for the app.
pub async fn code_for(server: &TestServer, provider: &Provider, claims: Value) -> String {
    let visit = open(&server.anonymous(), &start_path(&provider.id, RETURN_TO, VERIFIER)).await;
    let location = come_back(&visit, provider, &provider.approve(&visit.location, claims)).await;
    parameter(&location, "code").unwrap_or_else(|| panic!("no code: {location}"))
}

pub async fn exchange(actor: &Actor, code: &str, verifier: &str) -> Answer {
    let input = json!({ "code": code, "codeVerifier": verifier, "tokenDelivery": "BODY" });
    actor.graphql(LOGIN_WITH_CODE, json!({ "input": input })).await
}

/// Signs in with the provider, from the button to the tokens.
pub async fn sign_in(server: &TestServer, provider: &Provider, claims: Value) -> Answer {
    let code = code_for(server, provider, claims).await;
    exchange(&server.anonymous(), &code, VERIFIER).await
}

/// The client with the access token of a sign-in.
pub fn signed_in(server: &TestServer, answer: &Answer) -> Actor {
    server.anonymous().with_bearer(answer.data("/loginWithCode/accessToken").as_str().unwrap())
}

/// A request that is no GET.
pub async fn send(actor: &Actor, method: Method, path: &str) -> Answer {
    actor.send(actor.request(method, path).body(Body::empty()).unwrap()).await
}
