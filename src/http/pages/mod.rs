//! Built-in pages: for the links in mails and for the sign-in, if `APP_URL` is this server, and the development mailbox.
//!
//! They need no scripts, except for passkeys. A link takes effect when its form is submitted, not when it is opened, because
//! mail programs open links automatically.

mod brand;
mod correction;
mod dev_mail;
mod invitation;
mod link_result;
mod links;
mod sign_in;
mod texts;

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use minijinja::{Environment, Value, context};

pub(super) use dev_mail::exists as has_dev_mailbox;
pub(super) use sign_in::PATH as SIGN_IN_PATH;

use crate::{
    Error,
    config::Settings,
    http::{Server, status::status_of},
    language::Language,
};

/// No third-party content and no scripts; forms are submitted to this server only. The icon is an empty `data:` URL.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

const LAYOUT: &str = include_str!("layout.html");
const FIELD: &str = include_str!("field.html");

/// Whether links in mails lead to these pages, and users sign in here.
pub(super) fn are_the_app(settings: &Settings) -> bool {
    settings.mail.app_url == settings.server.public_url
}

/// The routes that the settings enable.
pub(super) fn routes(settings: &Settings) -> Router<Arc<Server>> {
    let is_app = are_the_app(settings);
    let mut routes = Router::new();
    if is_app {
        routes = routes
            .route("/verify-email", get(links::open_verification).post(links::verify))
            .route("/reset-password", get(links::open_reset).post(links::reset))
            .route("/accept-invitation", get(links::open_invitation).post(invitation::accept))
            .route(sign_in::PATH, get(sign_in::open).post(sign_in::submit))
            .route("/pages/sign-in.js", get(sign_in::script));
    }
    if settings.mail.dev {
        routes = routes.route(dev_mail::PATH, get(dev_mail::list)).route("/dev/mail/{id}", get(dev_mail::html));
    }
    if is_app || settings.mail.dev || !settings.providers.is_empty() {
        routes = routes.route("/pages/style.css", get(style));
    }
    routes
}

async fn style(State(server): State<Arc<Server>>) -> Response {
    let style = brand::style(&server.app.settings.brand);
    ([(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "public, max-age=300")], style).into_response()
}

/// A page with an error, for a navigation that has no other page to return to.
pub(super) fn error_page(settings: &Settings, language: Language, error: &Error) -> Response {
    let paragraphs = [&*error.message(language)];
    let response =
        link_result::message_page(settings, status_of(error.code()), language, texts::failed(language), &paragraphs);
    links::with_error(response, error)
}

/// The page for a return from a provider that this browser has not begun.
pub(super) fn unknown_flow_page(settings: &Settings, language: Language, error: &Error) -> Response {
    let title = texts::failed(language);
    let response =
        link_result::message_page(settings, status_of(error.code()), language, title, &[texts::unknown_flow(language)]);
    links::with_error(response, error)
}

/// Renders a page from its template, with the brand and the prefix of paths. All values are escaped.
fn page(settings: &Settings, status: StatusCode, language: Language, template: &str, values: Value) -> Response {
    let brand = &settings.brand;
    let common = context! { path_prefix => settings.server.path_prefix(), ..brand::values(brand) };
    let mut environment = Environment::new();
    let rendered = environment
        .add_template("layout.html", LAYOUT)
        .and_then(|()| environment.add_template("field.html", FIELD))
        .and_then(|()| environment.render_named_str("page.html", template, context! { ..values, ..common }));
    let html = match rendered {
        Ok(html) => html,
        Err(error) => {
            tracing::error!(%error, "failed to render a page");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let headers =
        [(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_LANGUAGE, language.tag()), (VARY, "accept-language")];
    (status, [(CONTENT_SECURITY_POLICY, brand::policy(brand, POLICY))], headers, html).into_response()
}
