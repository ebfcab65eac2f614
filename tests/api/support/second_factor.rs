//! `TEST_SECOND_FACTOR=1`: all users have a second factor, and the clients of the tests confirm it whenever a sign-in asks for
//! it. A test then sees the same responses, rows and mails as without the switch.

use std::sync::LazyLock;

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use hallpass::{
    App, Result,
    config::{ExposeSecret, SecretString},
    entity::{
        audit_event::{self, Action},
        mfa_challenge, recovery_code, session, totp_factor, user,
    },
    security::{link_token::TokenHash, recovery_code::RecoveryCode, totp::TotpSecret},
};
use http_body_util::BodyExt;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    prelude::{Expr, Uuid},
};
use serde_json::{Value, json};

use super::{Actor, Answer};

/// Whether the users of the tests have a second factor.
pub fn is_switched_on() -> bool {
    static IS_ON: LazyLock<bool> =
        LazyLock::new(|| std::env::var_os("TEST_SECOND_FACTOR").is_some_and(|value| value == "1"));
    *IS_ON
}

/// Sends a request. Before a sign-in and after a registration, gives second factors to all users. If a sign-in asks for the
/// second factor, sends the request that confirms it, as the same client, and returns its response.
pub async fn send(actor: &Actor, app: &App, request: Request<Body>) -> Answer {
    let path = request.uri().path();
    if request.method() != Method::POST || !["/graphql", "/token", "/login"].contains(&path) {
        return actor.send_once(request).await;
    }
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let text = String::from_utf8_lossy(&body).into_owned();
    let is_graphql = head.uri.path() == "/graphql";
    if !is_graphql || text.contains("login(") {
        // The database may be stopped.
        let _ = enroll_all(app).await;
    }
    let answer = actor.send_once(Request::from_parts(head.clone(), body.into())).await;
    let second = if is_graphql { second_step(app, &text, &answer).await } else { with_code(app, &text, &answer).await };
    let Some(body) = second else {
        if text.contains("register(") || text.contains("acceptInvitation(") {
            let _ = enroll_all(app).await;
        }
        return answer;
    };
    let mut second = Request::from_parts(head, Body::from(body));
    // Its length has changed.
    second.headers_mut().remove(header::CONTENT_LENGTH);
    // The cookie that binds the challenge to the browser.
    for cookie in answer.headers.get_all(header::SET_COOKIE) {
        let cookie = cookie.to_str().unwrap().split(';').next().unwrap();
        second.headers_mut().append(header::COOKIE, cookie.parse().unwrap());
    }
    let answer = without_cookie_of_challenge(actor.send_once(second).await);
    forget_recovery_codes(app).await;
    answer
}

/// Gives a confirmed authenticator app to all users who have none. Their sessions count as signed in with it.
async fn enroll_all(app: &App) -> Result<()> {
    let db = app.write().await?;
    for user in user::Entity::find().all(&db).await? {
        if totp_factor::find(&db, user.id).await?.is_some() {
            continue;
        }
        let sealed = app.totp_sealer.seal(user.id, TotpSecret::generate()?.as_bytes())?;
        let factor = totp_factor::Model {
            user_id: user.id,
            sealed_secret: sealed.bytes,
            key_id: sealed.key_id,
            created_at: user.created_at,
            confirmed_at: Some(user.created_at),
            expires_at: None,
            last_step: None,
        };
        totp_factor::start(&db, factor).await?;
        let own = session::Entity::find().filter(session::Column::UserId.eq(user.id));
        for session in own.all(&db).await? {
            let confirmed = session::Entity::update_many()
                .col_expr(session::Column::Amr, Expr::value(session.amr.with_one_time_password()))
                .col_expr(session::Column::SecondFactorAt, Expr::value(session.created_at));
            confirmed.filter(session::Column::Id.eq(session.id)).exec(&db).await?;
        }
    }
    Ok(db.commit().await?)
}

/// The body that confirms the second factor, if the response to a GraphQL request asks for it.
async fn second_step(app: &App, body: &str, answer: &Answer) -> Option<String> {
    let response: Value = serde_json::from_str(&answer.text).ok()?;
    let token = response.pointer("/errors/0/extensions/mfa/token")?.as_str()?;
    let hash = TokenHash::of(&SecretString::from(token));
    let challenge = mfa_challenge::find(app.database.read(), &hash, app.clock.now()).await.ok()??;
    let code = new_recovery_code(app, challenge.user_id).await;
    let request: Value = serde_json::from_str(body).ok()?;
    let document = document_of_second_step(request["query"].as_str()?, token, &code)?;
    Some(json!({ "query": document }).to_string())
}

/// Replaces `login` in a document by `verifyMfa` of the same name, and the variables by their values.
fn document_of_second_step(document: &str, token: &str, code: &str) -> Option<String> {
    let (before, rest) = document.split_once("login(")?;
    let mut depth = 1;
    let end = rest.find(|character| {
        depth += match character {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        depth == 0
    })?;
    let (alias, fields) = (before.split_once('{')?.1, rest.split_at(end + 1).1);
    let name = if alias.trim_end().ends_with(':') { "" } else { "login: " };
    let input = format!("{{ token: {token:?}, factor: {{ recoveryCode: {code:?} }} }}");
    Some(format!("mutation {{{alias}{name}verifyMfa(input: {input}){fields}"))
}

/// The body with a code, if the response of `/token` or `/login` asks for it.
async fn with_code(app: &App, body: &str, answer: &Answer) -> Option<String> {
    if answer.status != 403 || !answer.text.contains("mfa_required") {
        return None;
    }
    if let Ok(Value::Object(mut fields)) = serde_json::from_str(body) {
        let user_id = user_of(app, fields["username"].as_str()?).await?;
        fields.insert("otp".to_owned(), new_recovery_code(app, user_id).await.into());
        return Some(Value::Object(fields).to_string());
    }
    let (_, username) = url::form_urlencoded::parse(body.as_bytes()).find(|(name, _)| name == "username")?;
    let user_id = user_of(app, &username).await?;
    Some(format!("{body}&otp={}", new_recovery_code(app, user_id).await))
}

/// The user whose name or address was typed.
async fn user_of(app: &App, typed: &str) -> Option<Uuid> {
    let is_same = |name: &str| name.to_lowercase() == typed.trim().to_lowercase();
    let users = user::Entity::find().all(app.database.read()).await.unwrap();
    let is_meant = |user: &user::Model| is_same(&user.username) || user.email.as_deref().is_some_and(is_same);
    users.into_iter().find(is_meant).map(|user| user.id)
}

/// A new recovery code of a user. Of these, unlike codes of the app, any number can be used in the same 30 seconds.
async fn new_recovery_code(app: &App, user_id: Uuid) -> String {
    let code = RecoveryCode::generate_all().unwrap().remove(0);
    let row = recovery_code::Model { user_id, code_hash: code.hash(), created_at: app.clock.now() };
    let db = app.write().await.unwrap();
    recovery_code::Entity::insert(row.into_active_model().reset_all()).exec_without_returning(&db).await.unwrap();
    db.commit().await.unwrap();
    code.to_text().expose_secret().to_owned()
}

/// Deletes the audit events of recovery codes.
async fn forget_recovery_codes(app: &App) {
    let db = app.write().await.unwrap();
    let events = audit_event::Entity::delete_many().filter(audit_event::Column::Action.eq(Action::RecoveryCodeUsed));
    events.exec(&db).await.unwrap();
    db.commit().await.unwrap();
}

/// Removes the cookie that only the second step has.
fn without_cookie_of_challenge(mut answer: Answer) -> Answer {
    let cookies: Vec<_> = answer.headers.get_all(header::SET_COOKIE).iter().cloned().collect();
    answer.headers.remove(header::SET_COOKIE);
    for cookie in cookies {
        if !cookie.to_str().unwrap().contains("mfa_client") {
            answer.headers.append(header::SET_COOKIE, cookie);
        }
    }
    answer
}
