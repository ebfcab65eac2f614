//! `/verify-email` and `/reset-password`: where the links in mails lead.
//!
//! Opening a link checks it and changes nothing. A form that is sent is answered with a redirect to a page that tells the
//! result or what is wrong (Post/Redirect/Get), so that going back and reloading send nothing again. Only failures of the
//! server are answered directly, with their status and the form.
//!
//! Whoever sends such a form shows the token, which is all the proof there is: no cookie counts, so that a page elsewhere
//! gains nothing by sending it in somebody's name. It is refused all the same.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, StatusCode,
        header::{ACCEPT_LANGUAGE, LOCATION, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use minijinja::{Value, context};

use crate::{
    Error, Result,
    config::{SecretString, Settings},
    domain::{
        Client, Context, Viewer,
        identity::PASSWORD_LENGTH,
        users::{email, password_reset},
    },
    http::{
        Server,
        body::{self, Unread},
        form::Form,
        graphql::LogFields,
        middleware::{cors, peer},
        pages::{
            correction::Correction,
            link_result::{Action, LinkResult, TEMPLATE, told},
            page, texts,
        },
        status::status_of,
    },
    language::Language,
};

pub(in crate::http) async fn open_verification(State(server): State<Arc<Server>>, request: Request) -> Response {
    open(&server, Action::Verify, request).await
}

pub(in crate::http) async fn open_reset(State(server): State<Arc<Server>>, request: Request) -> Response {
    open(&server, Action::Reset, request).await
}

/// What a link opens: its form if it is good, else what is wrong with it. Without a token, what the address names.
async fn open(server: &Server, action: Action, request: Request) -> Response {
    let (head, _) = request.into_parts();
    let language = peer::language(head.headers.get(ACCEPT_LANGUAGE));
    let mut query = Form::parse(head.uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
    if let Some(token) = query.take("token") {
        return open_link(server, action, language, &token, None).await;
    }
    if let Some(outcome) = query.take("result").as_deref().and_then(LinkResult::named) {
        return outcome.page(action, language);
    }
    match Correction::read(&mut query, &head.headers).filter(|_| action == Action::Reset) {
        Some(Correction { problem, token: Some(token) }) => {
            open_link(server, action, language, &token, Some(&problem.message(language))).await
        }
        Some(Correction { problem, token: None }) => {
            let paragraphs = [&*problem.message(language), texts::ask_again(language)];
            told(StatusCode::BAD_REQUEST, language, texts::failed(language), &paragraphs)
        }
        None => told(StatusCode::BAD_REQUEST, language, texts::incomplete(language), &[texts::ask_again(language)]),
    }
}

async fn open_link(
    server: &Server,
    action: Action,
    language: Language,
    token: &str,
    problem: Option<&str>,
) -> Response {
    let context = Context::of_request(&server.app, Viewer::Anonymous, Client::default());
    match server.in_time(check(&context, action, &token.into())).await {
        Ok(Checked { is_done: true, .. }) => LinkResult::Done.page(action, language),
        Ok(Checked { address, .. }) => filled(StatusCode::OK, action, language, token, address, problem),
        Err(error) => {
            let response = match LinkResult::of(&error) {
                Some(outcome) => outcome.page(action, language),
                None => told(status_of(error.code()), language, texts::failed(language), &[&error.message(language)]),
            };
            recorded(response, &error)
        }
    }
}

/// What is known of a link that is good.
struct Checked {
    /// The address that it verifies.
    address: Option<String>,
    /// Whether there is nothing left to do.
    is_done: bool,
}

async fn check(context: &Context, action: Action, token: &SecretString) -> Result<Checked> {
    match action {
        Action::Verify => {
            let link = email::find_link(context, token).await?;
            Ok(Checked { address: Some(link.address), is_done: link.is_used })
        }
        Action::Reset => {
            password_reset::check_link(context, token).await?;
            Ok(Checked { address: None, is_done: false })
        }
    }
}

pub(in crate::http) async fn verify(State(server): State<Arc<Server>>, request: Request) -> Response {
    let client = peer::client(&server.app.settings, &request);
    match Sent::read(&server, request).await {
        Ok(sent) => {
            let context = Context::of_request(&server.app, Viewer::Anonymous, client.clone());
            let result = server.in_time(email::verify(&context, &sent.token)).await;
            answer(&server, Action::Verify, result.map(drop), &sent, &client)
        }
        Err(status) => refused(status, client.language),
    }
}

pub(in crate::http) async fn reset(State(server): State<Arc<Server>>, request: Request) -> Response {
    let client = peer::client(&server.app.settings, &request);
    match Sent::read(&server, request).await {
        Ok(sent) => {
            let context = Context::of_request(&server.app, Viewer::Anonymous, client.clone());
            let reset = password_reset::reset(&context, &sent.token, sent.password.clone());
            answer(&server, Action::Reset, server.in_time(reset).await.map(drop), &sent, &client)
        }
        Err(status) => refused(status, client.language),
    }
}

/// The answer to a form: on to the result, or to the form with what is wrong.
fn answer(server: &Server, action: Action, result: Result<()>, sent: &Sent, client: &Client) -> Response {
    let see = |outcome: LinkResult| (StatusCode::SEE_OTHER, [(LOCATION, outcome.address(action))]).into_response();
    let Err(error) = result else { return see(LinkResult::Done) };
    let response = match LinkResult::of(&error) {
        Some(outcome) => see(outcome),
        None => Correction::redirect(&error, &sent.token_text, &server.app.settings).unwrap_or_else(|| {
            let text = error.message(client.language);
            filled(status_of(error.code()), action, client.language, &sent.token_text, None, Some(&text))
        }),
    };
    recorded(response, &error)
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
        if is_foreign(&server.app.settings, request.headers()) {
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
fn is_foreign(settings: &Settings, headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site");
    cors::refused_origins(settings, headers).any(|origin| origin != "null")
        || site.is_some_and(|site| site != "same-origin" && site != "none")
}

/// The form of a link.
fn filled(
    status: StatusCode,
    action: Action,
    language: Language,
    token: &str,
    address: Option<String>,
    problem: Option<&str>,
) -> Response {
    let texts = action.texts(language);
    let paragraphs: Vec<Value> = [Some(texts.intro.into()), address.map(Value::from)].into_iter().flatten().collect();
    let values = context! {
        language => language.tag(), title => texts.title, paragraphs, token, problem, action => action.path(),
        button => texts.button, password => texts.password, hint => texts.hint,
        least => PASSWORD_LENGTH.start(),
    };
    page(status, language, TEMPLATE, values)
}

fn refused(status: StatusCode, language: Language) -> Response {
    told(status, language, texts::refused(language), &[texts::ask_again(language)])
}

/// Has the log tell of an error, and clients when to try again.
fn recorded(mut response: Response, error: &Error) -> Response {
    let code = error.code();
    if let Some(cause) = error.cause() {
        tracing::error!(?code, cause, "a page failed");
    }
    if let Some(seconds) = error.retry_after() {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response.extensions_mut().insert(LogFields { code: Some(code) });
    response
}
