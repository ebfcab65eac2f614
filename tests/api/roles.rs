//! Roles that accounts hold although they were removed from `ROLES`.

use std::{collections::BTreeMap, sync::Arc};

use hallpass::{
    config::OauthClient,
    domain::users::{
        administration::{self, Administrator, Change},
        import::{self, Batch, BatchResult, Column, Record},
        roles,
    },
    entity::user::{self, Model},
};
use sea_orm::EntityTrait;

use crate::support::{Actor, TestServer, decode_part, json, password_of};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A server whose `ROLES` no longer contain `editor`. Ada holds `editor` and `user`.
async fn with_an_editor() -> TestServer {
    with_roles(&["editor", "user"], &["admin", "user"]).await
}

/// A server whose `ROLES` are `now`, with Ada, who holds the roles `held`.
async fn with_roles(held: &[&str], now: &[&str]) -> TestServer {
    let before = TestServer::with(|settings| settings.registration.roles.push("editor".to_owned())).await;
    before.user_at("ada", "ada@example.org").await;
    let held = Change { roles: Some(held.iter().map(ToString::to_string).collect()), ..Change::default() };
    administration::update(&before.command_line(), &administrator(), ada(&before).await.id, held).await.unwrap();
    TestServer::on(Arc::clone(&before.database), |settings| {
        settings.registration.roles = now.iter().map(ToString::to_string).collect();
        settings.oauth.clients = vec![OauthClient { id: "api".to_owned(), secret: SECRET.into() }];
    })
    .await
}

fn administrator() -> Administrator {
    Administrator::at_command_line()
}

async fn ada(server: &TestServer) -> Model {
    user::Entity::find().one(server.app.database.read()).await.unwrap().unwrap()
}

/// Ada, signed in, with her access token.
async fn sign_in(server: &TestServer) -> (Actor, String) {
    let answer = server.anonymous().login("ada", &password_of("ada")).await;
    let token = answer.data("/login/accessToken").as_str().unwrap().to_owned();
    (server.anonymous().with_bearer(&token), token)
}

async fn import(server: &TestServer, columns: &[(&str, &str)]) -> BatchResult {
    let mut record = Record::default();
    for (name, text) in columns {
        record.set(Column::named(name).unwrap(), (*text).to_owned());
    }
    let batch = Batch::parse(&server.command_line(), vec![(1, Ok(record))]).unwrap();
    import::import(&server.command_line(), &administrator(), batch).await.unwrap()
}

#[tokio::test]
async fn access_token_omits_unconfigured_roles() {
    let server = with_an_editor().await;
    let (_, token) = sign_in(&server).await;
    assert_eq!(decode_part(token.split('.').nth(1).unwrap())["roles"], json!(["user"]));
}

#[tokio::test]
async fn responses_omit_unconfigured_roles() {
    let server = with_an_editor().await;
    let (ada, token) = sign_in(&server).await;
    assert_eq!(ada.me().await.data("/me/roles"), json!(["user"]));
    assert_eq!(ada.get("/users/me").await.json()["roles"], json!(["user"]));
    let update = ada.query(r#"mutation { updateProfile(input: { firstName: "Ada" }) { user { roles } } }"#).await;
    assert_eq!(update.data("/updateProfile/user/roles"), json!(["user"]));
    let form = format!("client_id=api&client_secret={SECRET}&token={token}");
    assert_eq!(server.anonymous().form("/introspect", form).await.json()["roles"], json!(["user"]));
}

#[tokio::test]
async fn reconfigured_role_is_effective_again() {
    let server = with_an_editor().await;
    sign_in(&server).await;
    let again =
        TestServer::on(Arc::clone(&server.database), |settings| settings.registration.roles.push("editor".to_owned()))
            .await;
    let (ada, _) = sign_in(&again).await;
    assert_eq!(ada.me().await.data("/me/roles"), json!(["editor", "user"]));
}

#[tokio::test]
async fn accounts_with_unknown_roles_are_counted() {
    let server = with_an_editor().await;
    server.user("bo").await;
    assert_eq!(roles::count_unknown(&server.app).await.unwrap(), BTreeMap::from([("editor".to_owned(), 1)]));
}

#[tokio::test]
async fn exported_unknown_role_can_be_imported() {
    let server = with_an_editor().await;
    let ada = ada(&server).await;
    let new = TestServer::start().await;
    let id = ada.id.to_string();
    let exported = [
        ("id", id.as_str()),
        ("username", "ada"),
        ("hashed_password", ada.password_hash.export()),
        ("roles", "user"),
        ("unknown_roles", "editor"),
    ];
    assert_eq!(import(&new, &exported).await.imported, 1);
    let imported = user::Entity::find().one(new.app.database.read()).await.unwrap().unwrap();
    assert_eq!(imported.roles, ada.roles);
}

#[tokio::test]
async fn other_unknown_roles_are_rejected_on_import() {
    let server = TestServer::start().await;
    let hash = "$2b$04$eh3ITwW/WKnMOKeJZmCDl.fBY/jQPDrkzK5YztL5DLJFojEPaSi5m";
    for (column, roles) in [("roles", "editor"), ("unknown_roles", "Editor"), ("unknown_roles", "[1]")] {
        let result = import(&server, &[("username", "ada"), ("hashed_password", hash), (column, roles)]).await;
        assert_eq!((result.imported, result.refused.len()), (0, 1), "{column} {roles}");
    }
}

#[tokio::test]
async fn last_administrator_rule_requires_a_configured_admin_role() {
    let server = with_roles(&["admin"], &["user"]).await;
    let (ada, _) = sign_in(&server).await;
    ada.query("mutation { deleteAccount(input: {}) { deletedUserId } }").await.data("/deleteAccount");
}
