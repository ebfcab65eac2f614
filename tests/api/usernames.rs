//! Rules for usernames that users choose.

use hallpass::domain::users::{
    administration::{self, Administrator},
    import::{self, Batch, Column, Record},
    registration::Registration,
};

use crate::support::{Actor, Answer, TestServer, json, password_of};

async fn register(server: &TestServer, username: &str) -> Answer {
    server.anonymous().register(json!({ "username": username, "password": password_of(username) })).await
}

async fn rename(actor: &Actor, username: &str) -> Answer {
    let update = "mutation($input: UpdateProfileInput!) { updateProfile(input: $input) { user { username } } }";
    actor.graphql(update, json!({ "input": { "username": username } })).await
}

async fn add(server: &TestServer, username: &str) -> Result<String, Vec<String>> {
    let form = Registration {
        username: username.to_owned(),
        password: password_of(username).into(),
        email: None,
        first_name: None,
        last_name: None,
    };
    let added =
        administration::create_with_password(&server.command_line(), &Administrator::at_command_line(), form, None)
            .await;
    added.map(|user| user.username).map_err(|error| {
        error.problems().iter().map(|problem| format!("{}: {:?}", problem.field.camel_case(), problem.code)).collect()
    })
}

/// Imports a user of an older version or another system, with the password of `ada`.
async fn import(server: &TestServer, username: &str) {
    let mut record = Record::default();
    record.set(Column::Username, username.to_owned());
    let hash = "$2b$04$eh3ITwW/WKnMOKeJZmCDl.fBY/jQPDrkzK5YztL5DLJFojEPaSi5m";
    record.set(Column::PasswordHash, hash.to_owned());
    let batch = Batch::parse(&server.command_line(), vec![(1, Ok(record))]).unwrap();
    let result = import::import(&server.command_line(), &Administrator::at_command_line(), batch).await.unwrap();
    assert_eq!(result.imported, 1);
}

#[tokio::test]
async fn new_username_cannot_start_with_a_hyphen() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    for username in ["-h", "--all", "-"] {
        assert_eq!(register(&server, username).await.problems(), ["username: INVALID_USERNAME"], "{username}");
        assert_eq!(rename(&ada, username).await.problems(), ["username: INVALID_USERNAME"], "{username}");
        assert_eq!(add(&server, username).await, Err(vec!["username: InvalidUsername".to_owned()]), "{username}");
    }
    register(&server, "a-").await.data("/register/user");
}

#[tokio::test]
async fn existing_username_with_a_leading_hyphen_still_works() {
    let server = TestServer::start().await;
    import(&server, "-h").await;
    server.anonymous().login("-H", &password_of("ada")).await.data("/login/user/id");
    let found = administration::find(&server.command_line(), &Administrator::at_command_line(), "-h").await.unwrap();
    assert_eq!(found.username, "-h");
}

#[tokio::test]
async fn reserved_username_cannot_be_registered() {
    let server = TestServer::start().await;
    for username in ["admin", "Root", "SUPPORT", "system"] {
        assert_eq!(register(&server, username).await.problems(), ["username: USERNAME_TAKEN"], "{username}");
    }
    let by_rest =
        server.anonymous().json("/register", json!({ "username": "admin", "password": "a good password" })).await;
    assert_eq!(by_rest.status, 400);
}

#[tokio::test]
async fn rename_to_a_reserved_username_is_rejected() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    assert_eq!(rename(&ada, "Admin").await.problems(), ["username: USERNAME_TAKEN"]);
}

#[tokio::test]
async fn administrator_can_assign_a_reserved_username() {
    let server = TestServer::start().await;
    assert_eq!(add(&server, "admin").await.as_deref(), Ok("admin"));
    let login = server.anonymous().login("admin", &password_of("admin")).await;
    let admin = server.anonymous().with_bearer(login.data("/login/accessToken").as_str().unwrap());
    rename(&admin, "Admin").await.data("/updateProfile/user");
}

#[tokio::test]
async fn reserved_usernames_can_be_empty() {
    let server = TestServer::with(|settings| settings.registration.reserved_usernames = Vec::new()).await;
    register(&server, "admin").await.data("/register/user");
}
