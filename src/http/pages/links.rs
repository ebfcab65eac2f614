//! `/verify-email`, `/reset-password` and `/accept-invitation`: the pages that links in mails open.
//!
//! Opening a link checks it and changes nothing. The response to a submitted form is a redirect to a page with the result
//! or the problem (Post/Redirect/Get), so that going back or reloading does not submit the form again. Only server errors
//! are shown directly, with their status and the form.
//!
//! The token in the form is the only credential. Cookies are not used, so cross-site request forgery would gain nothing.
//! Forms submitted by other sites are rejected nevertheless.

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
        users::{acceptance, email, password_reset},
    },
    http::{
        Server,
        body::{self, BodyError},
        form::Form,
        graphql::LogFields,
        middleware::{cors, peer},
        pages::{
            correction::Correction,
            invitation,
            link_result::{Action, LinkResult, TEMPLATE, message_page},
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

pub(in crate::http) async fn open_invitation(State(server): State<Arc<Server>>, request: Request) -> Response {
    open(&server, Action::Accept, request).await
}

/// Opens a link. Shows the form of a valid link, or the problem of an invalid one. A URL without a token shows the result
/// or the correction that it names.
async fn open(server: &Server, action: Action, request: Request) -> Response {
    let settings = &server.app.settings;
    let (head, _) = request.into_parts();
    let language = peer::language(head.headers.get(ACCEPT_LANGUAGE));
    let mut query = Form::parse(head.uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
    if let Some(token) = query.take("token") {
        return open_link(server, action, language, &token, None).await;
    }
    if let Some(result) = query.take("result").as_deref().and_then(LinkResult::named) {
        return result.page(settings, action, language);
    }
    match Correction::read(&mut query, &head.headers).filter(|_| action == Action::Reset) {
        Some(Correction { problem, token: Some(token) }) => {
            open_link(server, action, language, &token, Some(&problem.message(language))).await
        }
        Some(Correction { problem, token: None }) => {
            let paragraphs = [&*problem.message(language), action.texts(language).ask_again];
            message_page(settings, StatusCode::BAD_REQUEST, language, texts::failed(language), &paragraphs)
        }
        None => {
            let paragraphs = [action.texts(language).ask_again];
            message_page(settings, StatusCode::BAD_REQUEST, language, texts::incomplete(language), &paragraphs)
        }
    }
}

async fn open_link(
    server: &Server,
    action: Action,
    language: Language,
    token: &str,
    problem: Option<&str>,
) -> Response {
    let settings = &server.app.settings;
    let context = Context::of_request(&server.app, Viewer::Anonymous, Client::default());
    match server.in_time(check(&context, action, &token.into())).await {
        Ok(ValidLink { is_used: true, .. }) => LinkResult::Done.page(settings, action, language),
        Ok(ValidLink { address: Some(address), .. }) if action == Action::Accept => invitation::form_page(
            settings,
            StatusCode::OK,
            language,
            token,
            &address,
            &invitation::Entered::default(),
            None,
        ),
        Ok(ValidLink { address, .. }) => form_page(settings, StatusCode::OK, action, language, token, address, problem),
        Err(error) => {
            let response = if let Some(result) = LinkResult::of(&error) {
                result.page(settings, action, language)
            } else {
                let paragraphs = [&*error.message(language)];
                message_page(settings, status_of(error.code()), language, texts::failed(language), &paragraphs)
            };
            with_error(response, &error)
        }
    }
}

/// A link that was checked and is valid.
struct ValidLink {
    /// The address that the link verifies.
    address: Option<String>,
    /// Whether the link has already verified the address.
    is_used: bool,
}

async fn check(context: &Context, action: Action, token: &SecretString) -> Result<ValidLink> {
    match action {
        Action::Verify => {
            let link = email::find_link(context, token).await?;
            Ok(ValidLink { address: Some(link.address), is_used: link.is_used })
        }
        Action::Reset => {
            password_reset::check_link(context, token).await?;
            Ok(ValidLink { address: None, is_used: false })
        }
        Action::Accept => {
            let invitation = acceptance::find(context, token).await?;
            Ok(ValidLink { address: Some(invitation.email), is_used: false })
        }
    }
}

pub(in crate::http) async fn verify(State(server): State<Arc<Server>>, request: Request) -> Response {
    let client = peer::client(&server.app.settings, &request);
    match SubmittedForm::read(&server, request).await {
        Ok(form) => {
            let context = Context::of_request(&server.app, Viewer::Anonymous, client.clone());
            let result = server.in_time(email::verify(&context, &form.token)).await;
            respond(&server, Action::Verify, result.map(drop), &form, &client)
        }
        Err(status) => rejected_page(&server.app.settings, status, Action::Verify, client.language),
    }
}

pub(in crate::http) async fn reset(State(server): State<Arc<Server>>, request: Request) -> Response {
    let client = peer::client(&server.app.settings, &request);
    match SubmittedForm::read(&server, request).await {
        Ok(form) => {
            let context = Context::of_request(&server.app, Viewer::Anonymous, client.clone());
            let reset = password_reset::reset(&context, &form.token, form.password.clone());
            respond(&server, Action::Reset, server.in_time(reset).await.map(drop), &form, &client)
        }
        Err(status) => rejected_page(&server.app.settings, status, Action::Reset, client.language),
    }
}

/// Redirects to the result of a submitted form, or shows the form again with the problem.
fn respond(server: &Server, action: Action, result: Result<()>, form: &SubmittedForm, client: &Client) -> Response {
    let settings = &server.app.settings;
    let redirect =
        |result: LinkResult| (StatusCode::SEE_OTHER, [(LOCATION, result.address(settings, action))]).into_response();
    let Err(error) = result else { return redirect(LinkResult::Done) };
    let response = match LinkResult::of(&error) {
        Some(result) => redirect(result),
        None => Correction::redirect(&error, &form.token_text, &server.app.settings).unwrap_or_else(|| {
            let text = error.message(client.language);
            form_page(
                &server.app.settings,
                status_of(error.code()),
                action,
                client.language,
                &form.token_text,
                None,
                Some(&text),
            )
        }),
    };
    with_error(response, &error)
}

/// A submitted form.
struct SubmittedForm {
    token: SecretString,
    /// The token as text, for showing the form again.
    token_text: String,
    password: SecretString,
}

impl SubmittedForm {
    /// Reads the form of a request.
    async fn read(server: &Server, request: Request) -> Result<Self, StatusCode> {
        let mut form = read_form(server, request).await?;
        let token_text = form.take("token").unwrap_or_default();
        let password = form.take("password").unwrap_or_default().into();
        Ok(Self { token: token_text.clone().into(), token_text, password })
    }
}

/// Reads the parameters of a submitted form.
///
/// # Errors
/// The status of the response to a request that is not a form of this server.
pub(super) async fn read_form(server: &Server, request: Request) -> Result<Form, StatusCode> {
    if is_foreign(&server.app.settings, request.headers()) {
        return Err(StatusCode::FORBIDDEN);
    }
    if !body::is_of_type(request.headers(), "application/x-www-form-urlencoded") {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let body = body::collect(request, body::MAX_FORM, server.limits.body_timeout).await;
    let body = body.map_err(BodyError::status)?;
    Form::parse(&body).map_err(|_| StatusCode::BAD_REQUEST)
}

/// Whether a page of another site has submitted the form. The pages of this server set `Referrer-Policy: no-referrer`, so
/// browsers send `Origin: null` for them. `Sec-Fetch-Site` then distinguishes them from other sites.
fn is_foreign(settings: &Settings, headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site");
    cors::refused_origins(settings, headers).any(|origin| origin != "null")
        || site.is_some_and(|site| site != "same-origin" && site != "none")
}

/// The page with the form of a link.
fn form_page(
    settings: &Settings,
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
        language => language.tag(), title => texts.title, paragraphs, token, problem, action => settings.server.path(action.path()),
        button => texts.button, password => texts.password, hint => texts.hint,
        least => PASSWORD_LENGTH.start(),
    };
    page(settings, status, language, TEMPLATE, values)
}

pub(super) fn rejected_page(settings: &Settings, status: StatusCode, action: Action, language: Language) -> Response {
    message_page(settings, status, language, texts::rejected(language), &[action.texts(language).ask_again])
}

/// Logs the error, and adds its code and `Retry-After` to the response.
pub(super) fn with_error(mut response: Response, error: &Error) -> Response {
    let code = error.code();
    if let Some(cause) = error.cause() {
        tracing::error!(?code, cause, "request failed");
    }
    if let Some(seconds) = error.retry_after() {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response.extensions_mut().insert(LogFields { code: Some(code) });
    response
}
