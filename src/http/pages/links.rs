//! `/verify-email` and `/reset-password`: where the links in mails lead.
//!
//! Whoever sends such a form shows the token, which is all the proof there is: no cookie is read, so that a page elsewhere
//! gains nothing by sending it in somebody's name. It is refused all the same.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{ACCEPT_LANGUAGE, ORIGIN, RETRY_AFTER},
    },
    response::Response,
};
use minijinja::{Value, context};

use super::{
    page,
    texts::{self, Texts},
};
use crate::{
    Error,
    accounts::{Client, email, input::PASSWORD_LENGTH, reset},
    config::SecretString,
    error::ErrorCode,
    http::{
        Server,
        body::{self, Unread},
        form::Form,
        graphql::LogFields,
        peer,
    },
    language::Language,
};

const TEMPLATE: &str = include_str!("link.html");

/// What a link is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    Verify,
    Reset,
}

pub(in crate::http) async fn verification_form(request: Request) -> Response {
    form(Action::Verify, &request)
}

/// Whoever opens a link that has changed the password is told so, and not asked for another one.
pub(in crate::http) async fn reset_form(State(server): State<Arc<Server>>, request: Request) -> Response {
    // What can't be found out now is found out when the form is sent.
    match server.in_time(reset::was_used(&server.app, &token_of(&request).into())).await {
        Ok(true) => already_reset(StatusCode::OK, peer::language(request.headers().get(ACCEPT_LANGUAGE))),
        Ok(false) | Err(_) => form(Action::Reset, &request),
    }
}

pub(in crate::http) async fn verify(State(server): State<Arc<Server>>, request: Request) -> Response {
    let client = peer::client(&server.app.settings, &request);
    let language = client.language;
    let sent = match Sent::read(&server, request).await {
        Ok(sent) => sent,
        Err(status) => return refused(status, language),
    };
    match server.in_time(email::verify(&server.app, &sent.token, &client)).await {
        Ok(address) => {
            let texts = texts::verify(language);
            told(StatusCode::OK, language, texts.done_title, &[texts.done, &address])
        }
        Err(error) => failed(Action::Verify, &error, &sent, &client),
    }
}

pub(in crate::http) async fn reset(State(server): State<Arc<Server>>, request: Request) -> Response {
    let client = peer::client(&server.app.settings, &request);
    let language = client.language;
    let sent = match Sent::read(&server, request).await {
        Ok(sent) => sent,
        Err(status) => return refused(status, language),
    };
    match server.in_time(reset::reset(&server.app, &sent.token, sent.password.clone(), &client)).await {
        Ok(_) => {
            let texts = texts::reset(language);
            told(StatusCode::OK, language, texts.done_title, &[texts.done])
        }
        Err(error) => failed(Action::Reset, &error, &sent, &client),
    }
}

/// What somebody has sent.
struct Sent {
    token: SecretString,
    /// For those who have to try again; it is theirs.
    token_text: String,
    password: SecretString,
}

impl Sent {
    /// Reads a form.
    async fn read(server: &Server, request: Request) -> Result<Self, StatusCode> {
        if is_foreign(&server.app.settings.allowed_origins, request.headers()) {
            return Err(StatusCode::FORBIDDEN);
        }
        if !body::is_of_type(request.headers(), "application/x-www-form-urlencoded") {
            return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        }
        let body = body::collect(request, body::MAX_FORM, server.limits.body_timeout).await;
        let body = body.map_err(Unread::status)?;
        let mut form = Form::parse(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
        let token_text = form.take("token").unwrap_or_default();
        let password = form.take("password").unwrap_or_default().into();
        Ok(Self { token: token_text.clone().into(), token_text, password })
    }
}

/// Whether another site's page has sent this. A page without a referrer says `null` of itself, ours too; then the browser
/// tells in another header whether it was ours.
fn is_foreign(allowed_origins: &[String], headers: &HeaderMap) -> bool {
    let is_allowed = |origin: &HeaderValue| origin == "null" || allowed_origins.iter().any(|allowed| origin == allowed);
    let site = headers.get("sec-fetch-site");
    !headers.get_all(ORIGIN).iter().all(is_allowed) || site.is_some_and(|site| site != "same-origin" && site != "none")
}

fn texts_of(action: Action, language: Language) -> &'static Texts {
    match action {
        Action::Verify => texts::verify(language),
        Action::Reset => texts::reset(language),
    }
}

/// The token in the address of a link.
fn token_of(request: &Request) -> String {
    let form = Form::parse(request.uri().query().unwrap_or_default().as_bytes());
    form.ok().and_then(|mut form| form.take("token")).unwrap_or_default()
}

/// The form that a link opens. Whether the link is good is found out when the form is sent.
fn form(action: Action, request: &Request) -> Response {
    let language = peer::language(request.headers().get(ACCEPT_LANGUAGE));
    let token = token_of(request);
    if token.is_empty() {
        return told(StatusCode::BAD_REQUEST, language, texts::incomplete(language), &[texts::ask_again(language)]);
    }
    filled(StatusCode::OK, action, language, &token, None)
}

fn filled(status: StatusCode, action: Action, language: Language, token: &str, problem: Option<&str>) -> Response {
    let texts = texts_of(action, language);
    let values = context! {
        language => language.tag(), title => texts.title, paragraphs => [texts.intro], token, problem,
        // Without the query, which holds the token and would be logged by proxies again.
        action => match action { Action::Verify => "/verify-email", Action::Reset => "/reset-password" },
        button => texts.button, password => texts.password, hint => texts.hint,
        least => PASSWORD_LENGTH.start(),
    };
    page(status, language, TEMPLATE, values)
}

fn told(status: StatusCode, language: Language, title: &str, paragraphs: &[&str]) -> Response {
    let paragraphs: Vec<Value> = paragraphs.iter().map(|paragraph| Value::from(*paragraph)).collect();
    page(status, language, TEMPLATE, context! { language => language.tag(), title, paragraphs })
}

fn already_reset(status: StatusCode, language: Language) -> Response {
    told(status, language, texts::reset(language).done_title, &[&Error::LinkUsed.message(language)])
}

fn refused(status: StatusCode, language: Language) -> Response {
    told(status, language, texts::refused(language), &[texts::ask_again(language)])
}

/// What went wrong, and what to do: the form again, if that helps.
fn failed(action: Action, error: &Error, sent: &Sent, client: &Client) -> Response {
    let language = client.language;
    let text = error.message(language);
    let code = error.code();
    let mut response = match error {
        Error::LinkUsed => already_reset(StatusCode::CONFLICT, language),
        Error::LinkInvalid | Error::LinkExpired => {
            told(StatusCode::BAD_REQUEST, language, texts::no_longer(language), &[&text, texts::ask_again(language)])
        }
        Error::Input(_) if code == ErrorCode::EmailTaken => {
            told(StatusCode::CONFLICT, language, texts::no_longer(language), &[&text])
        }
        Error::Input(_) => filled(StatusCode::UNPROCESSABLE_ENTITY, action, language, &sent.token_text, Some(&text)),
        Error::ServiceUnavailable { .. } => {
            filled(StatusCode::SERVICE_UNAVAILABLE, action, language, &sent.token_text, Some(&text))
        }
        _ => filled(StatusCode::INTERNAL_SERVER_ERROR, action, language, &sent.token_text, Some(&text)),
    };
    if let Some(cause) = error.cause() {
        tracing::error!(?code, cause, "a page failed");
    }
    if let Some(seconds) = error.retry_after() {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response.extensions_mut().insert(LogFields { operation_name: None, code: Some(code) });
    response
}
