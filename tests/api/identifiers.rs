//! Normalization of usernames and e-mail addresses, and names that are rejected because of their appearance.

use hallpass::domain::users::administration::{self, Administrator};

use crate::support::{Actor, Answer, TestServer, json, password_of};

const ADDRESS: &str = "ada@example.org";

/// Whitespace from keyboards and copied text: space, no-break space, wide space, tab, line feed.
const SPACES: [&str; 5] = [" ", "\u{a0}", "\u{3000}", "\t", "\r\n"];

async fn rename(actor: &Actor, username: &str) -> Answer {
    let update = "mutation($input: UpdateProfileInput!) { updateProfile(input: $input) { user { username } } }";
    actor.graphql(update, json!({ "input": { "username": username } })).await
}

#[tokio::test]
async fn registration_trims_username_and_email() {
    let server = TestServer::with(|settings| settings.throttle.is_enabled = false).await;
    for (number, space) in SPACES.into_iter().enumerate() {
        let (username, email) = (format!("ada-{number}"), format!("ada-{number}@example.org"));
        let form = json!({
            "username": format!("{space}{username}{space}"), "email": format!("{space}{email}{space}"),
            "password": "correct horse battery",
        });
        let user = server.anonymous().register(form).await.data("/register/user");
        assert_eq!((&user["username"], &user["email"]), (&json!(username), &json!(email)));
    }
}

#[tokio::test]
async fn login_trims_the_identifier() {
    let server = TestServer::start().await;
    server.user_at("ada", ADDRESS).await;
    for space in SPACES {
        for name in ["ada", ADDRESS] {
            let name = format!("{space}{name}{space}");
            server.anonymous().login(&name, &password_of("ada")).await.data("/login/user/id");
            assert_eq!(server.anonymous().token(&name, &password_of("ada")).await.status, 200, "{name:?}");
            administration::find(&server.command_line(), &Administrator::at_command_line(), &name).await.unwrap();
        }
    }
}

#[tokio::test]
async fn updates_trim_username_and_email() {
    let server = TestServer::start().await;
    let ada = server.user_at("ada", ADDRESS).await;
    assert_eq!(rename(&ada, "\u{a0}countess ").await.data("/updateProfile/user/username"), "countess");
    let changed = ada.change_email(json!({ "newEmail": "ada@new.example\u{a0}" })).await;
    assert_eq!(changed.data("/changeEmail/user/pendingEmail"), "ada@new.example");
}

#[tokio::test]
async fn mail_requests_trim_the_email() {
    let server = TestServer::start().await;
    server.user_at("ada", ADDRESS).await;
    let before = server.mails_to(ADDRESS).await.len();
    server.anonymous().send_verification_email(&format!(" {ADDRESS}\u{a0}")).await.data("/sendVerificationEmail");
    server.anonymous().request_password_reset(&format!("{ADDRESS} ")).await.data("/requestPasswordReset");
    assert_eq!(server.mails_to(ADDRESS).await.len(), before + 2);
}

#[tokio::test]
async fn passwords_are_not_trimmed() {
    let server = TestServer::start().await;
    let form = json!({ "username": "ada", "password": " a good password " });
    server.anonymous().register(form).await.data("/register/user");
    assert_eq!(server.anonymous().login("ada", "a good password").await.code(), "INVALID_CREDENTIALS");
    server.anonymous().login("ada", " a good password ").await.data("/login/user");
}

#[tokio::test]
async fn padded_username_is_rejected_as_password() {
    let server = TestServer::start().await;
    let form = json!({ "username": "countess_1815 ", "password": "countess_1815", "email": "ada@example.org" });
    assert_eq!(server.anonymous().register(form).await.problems(), ["password: PASSWORD_TOO_COMMON"]);
}

#[tokio::test]
async fn throttle_counts_trimmed_identifiers() {
    let server = TestServer::start().await;
    // The last one cannot be a username.
    for (address, name) in [("192.0.2.1", "ada"), ("192.0.2.2", ADDRESS), ("192.0.2.3", "no such name")] {
        let stranger = server.anonymous().at(address);
        for number in 0..10 {
            let name = format!("{}{name}{}", " ".repeat(number), SPACES[number % 5]);
            assert_eq!(stranger.login(&name, "not the password").await.code(), "INVALID_CREDENTIALS");
        }
        assert_eq!(stranger.login(name, "not the password").await.code(), "RATE_LIMITED", "{name}");
    }
}

#[tokio::test]
async fn invisible_name_is_rejected() {
    let server = TestServer::start().await;
    for name in
        ["\u{200b}", "\u{200b} \u{feff}", "\u{ad}", "\u{3164}", "\u{2800}\u{2800}", "\u{e0041}", "\u{200e}\u{200f}"]
    {
        let form = json!({ "username": "ada", "password": "a good password", "firstName": name, "lastName": name });
        let problems = server.anonymous().register(form).await.problems();
        assert_eq!(problems, ["firstName: BAD_USER_INPUT", "lastName: BAD_USER_INPUT"], "{name:?}");
    }
}

#[tokio::test]
async fn name_with_bidi_controls_is_rejected() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let update = "mutation($input: UpdateProfileInput!) { updateProfile(input: $input) { user { id } } }";
    for control in
        ['\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}', '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}']
    {
        let input = json!({ "firstName": format!("A{control}da") });
        let answer = ada.graphql(update, json!({ "input": input })).await;
        assert_eq!(answer.problems(), ["firstName: BAD_USER_INPUT"], "{control:?}");
    }
}

#[tokio::test]
async fn names_in_all_scripts_are_accepted() {
    let server = TestServer::with(|settings| settings.throttle.is_enabled = false).await;
    // Persian with a required joiner, Hebrew with a direction mark, Hindi, Japanese, a composed emoji.
    let names = ["می\u{200c}خواهم", "דנה\u{200f}", "क्\u{200d}ष", "エイダ", "👩\u{200d}💻", "O’Neil-Smith"];
    for (number, name) in names.into_iter().enumerate() {
        let form = json!({ "username": format!("ada-{number}"), "password": "a good password", "firstName": name });
        assert_eq!(server.anonymous().register(form).await.data("/register/user/firstName"), name);
    }
}
