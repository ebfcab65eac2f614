//! A client of the API.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    Router,
    body::Body,
    http::{Method, Request, header},
};
use hallpass::{App, http::Peer};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{Answer, second_factor};

/// A client. It sends the bearer token if it has one.
#[derive(Clone)]
pub struct Actor {
    router: Router,
    /// The server, if the client confirms second factors; see [`second_factor`].
    app: Option<Arc<App>>,
    pub bearer: Option<String>,
    /// The `Cookie` header.
    pub cookie: Option<String>,
    /// The IP address of the client.
    address: Option<IpAddr>,
    /// Additional headers of each request.
    headers: Vec<(String, String)>,
}

pub const REGISTER: &str = "mutation($input: RegisterInput!) { register(input: $input) { \
    accessToken tokenType expiresIn user { id username email firstName lastName fullName isActive roles createdAt updatedAt lastLoginAt } } }";

pub const LOGIN: &str = "mutation($input: LoginInput!) { login(input: $input) { \
    accessToken tokenType expiresIn user { id username lastLoginAt } } }";

pub const REFRESH: &str = "mutation($input: RefreshTokenInput) { refreshToken(input: $input) { \
    accessToken tokenType expiresIn refreshToken user { id username } } }";

pub const ME: &str =
    "{ me { id username email firstName lastName fullName isActive roles createdAt updatedAt lastLoginAt } }";

impl Actor {
    pub fn new(router: Router) -> Self {
        Self { router, app: None, bearer: None, cookie: None, address: None, headers: Vec::new() }
    }

    /// The same client. With `TEST_SECOND_FACTOR=1`, it confirms the second factor in each sign-in.
    pub fn confirming(self, app: &Arc<App>) -> Self {
        Self { app: second_factor::is_switched_on().then(|| Arc::clone(app)), ..self }
    }

    /// The same client with another bearer token.
    pub fn with_bearer(&self, bearer: &str) -> Self {
        Self { bearer: Some(bearer.to_owned()), ..self.clone() }
    }

    /// The same client at another IP address.
    pub fn at(&self, address: &str) -> Self {
        Self { address: Some(address.parse().unwrap()), ..self.clone() }
    }

    /// The same client with this `Accept-Language` header.
    pub fn speaking(&self, languages: &str) -> Self {
        self.with_header("accept-language", languages)
    }

    /// The same client with one more header.
    pub fn with_header(&self, name: &str, value: &str) -> Self {
        let mut actor = self.clone();
        actor.headers.push((name.to_owned(), value.to_owned()));
        actor
    }

    pub(super) fn router(&self) -> Router {
        self.router.clone()
    }

    pub async fn register(&self, input: Value) -> Answer {
        self.graphql(REGISTER, json!({ "input": input })).await
    }

    pub async fn login(&self, username: &str, password: &str) -> Answer {
        self.graphql(LOGIN, json!({ "input": { "username": username, "password": password } })).await
    }

    /// Exchanges a refresh token sent in the body.
    pub async fn refresh(&self, token: &str) -> Answer {
        self.graphql(REFRESH, json!({ "input": { "refreshToken": token } })).await
    }

    /// Exchanges the refresh token in the cookie.
    pub async fn refresh_by_cookie(&self) -> Answer {
        self.graphql(REFRESH, json!({})).await
    }

    pub async fn logout(&self, input: Value) -> Answer {
        self.graphql(
            "mutation($input: LogoutInput) { logout(input: $input) { revokedSessions } }",
            json!({ "input": input }),
        )
        .await
    }

    pub async fn verify_email(&self, token: &str) -> Answer {
        let verify = "mutation($input: VerifyEmailInput!) { verifyEmail(input: $input) { email } }";
        self.graphql(verify, json!({ "input": { "token": token } })).await
    }

    pub async fn send_verification_email(&self, email: &str) -> Answer {
        let send = "mutation($input: SendVerificationEmailInput!) { sendVerificationEmail(input: $input) { email } }";
        self.graphql(send, json!({ "input": { "email": email } })).await
    }

    pub async fn change_email(&self, input: Value) -> Answer {
        let change = "mutation($input: ChangeEmailInput!) { changeEmail(input: $input) { \
            user { email emailVerified pendingEmail updatedAt } } }";
        self.graphql(change, json!({ "input": input })).await
    }

    pub async fn request_password_reset(&self, email: &str) -> Answer {
        let request = "mutation($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) { email } }";
        self.graphql(request, json!({ "input": { "email": email } })).await
    }

    pub async fn reset_password(&self, token: &str, new_password: &str) -> Answer {
        let reset = "mutation($input: ResetPasswordInput!) { resetPassword(input: $input) { revokedSessions } }";
        self.graphql(reset, json!({ "input": { "token": token, "newPassword": new_password } })).await
    }

    pub async fn me(&self) -> Answer {
        self.query(ME).await
    }

    pub async fn query(&self, query: &str) -> Answer {
        self.graphql(query, json!({})).await
    }

    pub async fn graphql(&self, query: &str, variables: Value) -> Answer {
        self.post(json!({ "query": query, "variables": variables }).to_string()).await
    }

    /// Sends a GraphQL request with this body.
    pub async fn post(&self, body: impl Into<Body>) -> Answer {
        let request = self
            .request(Method::POST, "/graphql")
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.into())
            .unwrap();
        self.send(request).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path).body(Body::empty()).unwrap()).await
    }

    /// Sends a form, like OAuth clients.
    pub async fn form(&self, path: &str, form: impl Into<Body>) -> Answer {
        self.body(path, "application/x-www-form-urlencoded", form).await
    }

    /// Sends JSON to a path other than `/graphql`.
    pub async fn json(&self, path: &str, body: Value) -> Answer {
        self.body(path, "application/json", body.to_string()).await
    }

    /// Sends a body with this content type.
    pub async fn body(&self, path: &str, content_type: &str, body: impl Into<Body>) -> Answer {
        let request = self.request(Method::POST, path).header(header::CONTENT_TYPE, content_type);
        self.send(request.body(body.into()).unwrap()).await
    }

    /// Signs in through the OAuth token endpoint.
    pub async fn token(&self, username: &str, password: &str) -> Answer {
        let pairs = [("username", username), ("password", password)];
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        self.form("/token", form).await
    }

    /// A request builder with the address, headers, bearer token and cookie of this client.
    pub fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(address) = self.address {
            request = request.extension(Peer(SocketAddr::new(address, 4711)));
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(bearer) = &self.bearer {
            request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
        }
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        request
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        match &self.app {
            // Boxed, because futures of tests should stay small.
            Some(app) => Box::pin(second_factor::send(self, app, request)).await,
            None => self.send_once(request).await,
        }
    }

    /// Sends a request without confirming a second factor.
    pub(super) async fn send_once(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(body.to_vec()).unwrap();
        Answer { status: head.status, headers: head.headers, text }
    }
}
