//! `/sign-in`: the page that the link of a sign-in by mail opens, if the app has no page of its own.
//!
//! It does not use the token, and cannot: only the client that asked for the mail has the verifier. It says where to enter the
//! code.

use axum::{
    http::{HeaderMap, StatusCode, header::ACCEPT_LANGUAGE},
    response::Response,
};

use crate::http::{
    middleware::peer,
    pages::{link_result::message_page, texts},
};

pub(in crate::http) async fn open(headers: HeaderMap) -> Response {
    let language = peer::language(headers.get(ACCEPT_LANGUAGE));
    let (title, text) = texts::sign_in(language);
    message_page(StatusCode::OK, language, title, &[text])
}
