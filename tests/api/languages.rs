//! Localized messages. Russian messages that also occur in the FastAPI tutorials are the same to the letter.

use axum::http::{Method, header};
use chrono::TimeDelta;
use hallpass::{
    Error,
    entity::user,
    error::{ErrorCode, Field, InputError, UnauthenticatedReason},
    language::Language,
};
use sea_orm::{EntityTrait, sea_query::Expr};

use crate::support::{Actor, Answer, TestServer, jargon_in, json, password_of};

fn message(answer: &Answer) -> String {
    answer.error()["message"].as_str().unwrap().to_owned()
}

/// The messages of all field errors.
fn messages(answer: &Answer) -> Vec<String> {
    let error = answer.error();
    let problems = error["extensions"]["errors"].as_array().unwrap();
    problems.iter().map(|problem| problem["message"].as_str().unwrap().to_owned()).collect()
}

fn is_russian(text: &str) -> bool {
    text.chars().any(|c| ('а'..='я').contains(&c))
}

#[test]
fn error_codes_have_a_message_in_every_language() {
    // This text is part of a protocol.
    let codes = ErrorCode::ALL.iter().filter(|code| **code != ErrorCode::PersistedQueryNotSupported);
    let problems = codes.map(|code| InputError::with_limit(*code, Field::Username, 7).into());
    let reasons = UnauthenticatedReason::ALL.iter().map(|reason| Error::Unauthenticated(*reason));
    let waiting = [Error::RateLimited { retry_after: 7 }, Error::unavailable(7, "a cause")];
    for error in problems.chain(reasons).chain(waiting) {
        let name = error.code();
        let [english, russian] = Language::ALL.map(|language| error.message(language).into_owned());
        assert!(english.len() >= 10 && english.is_ascii() && !english.contains('{'), "{name}: {english}");
        assert!(russian.len() >= 10 && is_russian(&russian) && !russian.contains('{'), "{name}: {russian}");
        assert_eq!(english.contains('7'), russian.contains('7'), "{name}: {english} {russian}");
        // The log is in English.
        assert_eq!(error.to_string(), english);
    }
}

/// Codes whose messages are for developers of clients.
const FOR_DEVELOPERS: [ErrorCode; 4] = [
    ErrorCode::BadRequest,
    ErrorCode::PersistedQueryNotSupported,
    ErrorCode::GraphqlParseFailed,
    ErrorCode::GraphqlValidationFailed,
];

#[test]
fn jargon_is_detected() {
    for text in ["see `errors`", "the field retryAfter", "the field retry_after", "Try again in 3448 s.", "через 7 с."]
    {
        assert!(jargon_in(text).is_some(), "{text}");
    }
    for text in
        ["Try again in 58 minutes.", "An e-mail address: ada@example.org", "Open https://a.example/?token=aBc_d"]
    {
        assert_eq!(jargon_in(text), None, "{text}");
    }
}

#[test]
fn messages_have_no_jargon() {
    let numbers = [0, 1, 2, 5, 8, 59, 60, 61, 128, 3448, 3600, 5400, 86_400, u32::MAX];
    let for_users = ErrorCode::ALL.iter().filter(|code| !FOR_DEVELOPERS.contains(code));
    let mut errors: Vec<Error> = for_users
        .flat_map(|code| {
            numbers.map(|limit| InputError::with_limit(*code, Field::NewPassword, limit.try_into().unwrap()).into())
        })
        .collect();
    errors.extend(UnauthenticatedReason::ALL.iter().map(|reason| Error::Unauthenticated(*reason)));
    errors.extend(numbers.map(|retry_after| Error::RateLimited { retry_after }));
    errors.extend(numbers.map(|retry_after| Error::unavailable(retry_after, "a cause")));
    errors.extend([Error::LinkUsed, Error::internal("a cause")]);
    assert!(errors.len() > 400, "{}", errors.len());
    for error in errors {
        for message in Language::ALL.map(|language| error.message(language).into_owned()) {
            assert_eq!(jargon_in(&message), None, "{message}");
        }
    }
}

#[tokio::test]
async fn mails_have_no_jargon() {
    let server = TestServer::start().await;
    for (language, email) in [("en", "ada@example.org"), ("ru", "bo@example.org")] {
        let actor = server.anonymous().speaking(language);
        let username = &email[..email.find('@').unwrap()];
        let input = json!({ "username": username, "password": password_of(username), "email": email });
        actor.register(input).await.data("/register/user");
        let token = server.token_to(email).await;
        actor.verify_email(&token).await.data("/verifyEmail");
        actor.request_password_reset(email).await.data("/requestPasswordReset");
        let token = server.token_to(email).await;
        actor.reset_password(&token, "a long new password").await.data("/resetPassword");
        let login = actor.login(username, "a long new password").await;
        let actor = actor.with_bearer(login.data("/login/accessToken").as_str().unwrap());
        actor.change_email(json!({ "newEmail": format!("new-{email}") })).await.data("/changeEmail");
        let token = server.token_to(&format!("new-{email}")).await;
        actor.verify_email(&token).await.data("/verifyEmail");
        let mails = server.mails_to(email).await;
        assert_eq!(mails.len(), 4);
        for mail in mails {
            assert_eq!(jargon_in(&mail.text.subject).or_else(|| jargon_in(&mail.text.plain)), None);
        }
    }
}

#[tokio::test]
async fn wait_is_in_words_for_people_and_seconds_for_programs() {
    let server = TestServer::start().await;
    for (language, message) in [
        ("en", "Too many attempts. Try again in 15 minutes."),
        ("ru", "Слишком много попыток. Повторите через 15 минут."),
    ] {
        let actor = server.anonymous().speaking(language);
        for _ in 0..10 {
            actor.login("nobody", "not the password").await;
        }
        server.clock.advance(TimeDelta::seconds(7));
        let limited = actor.login("nobody", "not the password").await;
        let seconds = limited.error()["extensions"]["retryAfter"].as_i64().unwrap();
        assert_eq!((self::message(&limited), seconds), (message.to_owned(), 893));
        assert_eq!(limited.header("retry-after"), Some("893"));
        let rest = actor.json("/login", json!({ "username": "nobody", "password": "not the password" })).await;
        assert_eq!((rest.json()["detail"].as_str(), rest.header("retry-after")), (Some(message), Some("893")));
        server.clock.advance(TimeDelta::hours(1));
    }
}

#[tokio::test]
async fn russian_messages_match_the_tutorials() {
    let server = TestServer::start().await;
    let ada = server.anonymous().speaking("ru");
    let form = json!({ "username": "ada", "password": password_of("ada"), "email": "ada@example.org" });
    let bearer = ada.register(form).await.data("/register/accessToken").as_str().unwrap().to_owned();

    assert_eq!(message(&ada.login("ada", "another password").await), "Неверное имя пользователя или пароль");
    assert_eq!(message(&ada.login("nobody", "another password").await), "Неверное имя пользователя или пароль");
    let register = async |username: &str, email: &str, password: &str| {
        ada.register(json!({ "username": username, "email": email, "password": password })).await
    };
    let taken = register("Bo", "ADA@example.org", "correct horse").await;
    assert_eq!(message(&taken), "Email уже зарегистрирован");
    let taken = register("ADA", "bo@example.org", "correct horse").await;
    assert_eq!(message(&taken), "Имя пользователя уже занято");
    let short = register("bo", "bo@example.org", "short").await;
    assert_eq!(message(&short), "Пароль должен содержать минимум 8 символов");

    assert_eq!(message(&ada.refresh("not.a.token").await), "Недействительный refresh токен");
    assert_eq!(message(&ada.me().await), "Не удалось проверить учетные данные");
    assert_eq!(message(&ada.with_bearer("not.a.token").me().await), "Неверный токен");
    let ada = ada.with_bearer(&bearer);
    ada.me().await.data("/me/id");
    server.clock.advance(TimeDelta::hours(1));
    assert_eq!(message(&ada.me().await), "Токен истёк");

    let transaction = server.app.write().await.unwrap();
    let disable = user::Entity::update_many().col_expr(user::Column::IsActive, Expr::value(false));
    disable.exec(&transaction).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(message(&ada.login("ada", &password_of("ada")).await), "Неактивный пользователь");
}

#[tokio::test]
async fn all_field_errors_are_in_one_language() {
    let server = TestServer::start().await;
    let input = json!({ "username": "ада", "password": "короче", "email": "ada", "firstName": "Ж".repeat(101) });
    let answer = server.anonymous().speaking("ru-RU,ru;q=0.9,en;q=0.8").register(input.clone()).await;
    assert_eq!(message(&answer), "Некоторые поля заполнены неверно. Исправьте их и повторите попытку.");
    assert_eq!(
        messages(&answer),
        [
            "Имя пользователя должно содержать только латинские буквы, цифры, подчёркивания и дефисы и не начинаться с дефиса",
            "Пароль должен содержать минимум 8 символов",
            "Это не адрес электронной почты; он выглядит так: ada@example.org",
            "Здесь допускается максимум 100 символов",
        ]
    );
    for value in ["ада", "короче", "Ж"] {
        assert!(!answer.text.contains(value), "{answer:?}");
    }
    // The codes, fields and limits are the same in all languages.
    assert_eq!(answer.problems(), server.anonymous().register(input).await.problems());
}

#[tokio::test]
async fn other_languages_fall_back_to_english() {
    let server = TestServer::start().await;
    let english = "The username or password is incorrect.";
    assert_eq!(message(&server.anonymous().login("ada", "another password").await), english);
    for header in ["", "en", "en-GB,en;q=0.9,ru;q=0.5", "de, fr;q=0.9", "*", "ru;q=0", "русский", ";;,q=,ru-", "rus"]
    {
        let actor = server.anonymous().speaking(header);
        let expected = if header.ends_with("ru-") {
            "Неверное имя пользователя или пароль"
        } else {
            english
        };
        assert_eq!(message(&actor.login("ada", "another password").await), expected, "{header}");
    }
    let several = server.anonymous().speaking("de;q=0.9,ru;q=0.3,en;q=0.2");
    assert!(is_russian(&message(&several.login("ada", "another password").await)));
}

#[tokio::test]
async fn document_errors_are_in_english() {
    let server = TestServer::start().await;
    let actor = server.anonymous().speaking("ru");
    let message_of = async |query: &str| message(&actor.query(query).await);
    assert_eq!(message_of("{ me { passwort } }").await, "The field `passwort` does not exist on User.");
    assert!(message_of("query($id: Int!) { me { id } }").await.contains("missing"));
    let answer = actor.post("no JSON").await;
    assert!(message(&answer).starts_with("The body is not a JSON object."));
    // One text for all values, so that it can be translated.
    assert!(is_russian(&message_of("{ me { id }").await));
}

#[tokio::test]
async fn localized_errors_vary_by_accept_language() {
    let server = TestServer::start().await;
    let varies = |answer: &Answer| {
        let values = answer.headers.get_all(header::VARY).iter();
        let names: Vec<&str> = values.flat_map(|value| value.to_str().unwrap().split(',')).map(str::trim).collect();
        names.iter().any(|name| name.eq_ignore_ascii_case("accept-language"))
    };
    let actor = server.anonymous().speaking("ru");
    let unsupported = send_unsupported_method(&actor).await;
    for answer in [actor.me().await, actor.query("{").await, actor.post("no JSON").await, unsupported] {
        assert!(varies(&answer), "{answer:?}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    // One cached copy serves all languages, because the response has no localized text.
    let cacheable = actor.get("/graphql?query=%7BserverInfo%7BregistrationEnabled%7D%7D").await;
    assert!(!varies(&cacheable), "{cacheable:?}");
    assert_eq!(cacheable.header("cache-control"), Some("max-age=300"));
}

async fn send_unsupported_method(actor: &Actor) -> Answer {
    actor.send(actor.request(Method::DELETE, "/graphql").body(axum::body::Body::empty()).unwrap()).await
}
