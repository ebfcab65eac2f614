use chrono::TimeDelta;
use hallpass::entity::{session, user};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel, ModelTrait};
use serde_json::Value;

use crate::support::{Actor, TestServer, decode_part, json, password_of};

/// The reason why `me` rejects the token of this client.
async fn reason(actor: &Actor) -> String {
    let answer = actor.me().await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.code(), "UNAUTHENTICATED");
    assert_eq!(answer.json()["data"], json!({ "me": null }));
    let challenge = answer.header("www-authenticate").map(ToOwned::to_owned);
    let reason = answer.error()["extensions"]["reason"].as_str().unwrap().to_owned();
    let expected = (reason != "TOKEN_MISSING").then(|| r#"Bearer error="invalid_token""#.to_owned());
    assert_eq!(challenge, expected);
    reason
}

#[tokio::test]
async fn unauthenticated_me_is_null_and_other_fields_resolve() {
    let server = TestServer::start().await;
    let answer =
        server.anonymous().query("{ first: me { id } serverInfo { registrationEnabled } last: me { id } }").await;
    let body = answer.json();
    assert_eq!(body["data"], json!({ "first": null, "serverInfo": { "registrationEnabled": true }, "last": null }));
    assert_eq!(body["errors"].as_array().unwrap().len(), 2);
    assert_eq!(reason(&server.anonymous()).await, "TOKEN_MISSING");
}

#[tokio::test]
async fn access_token_expires_after_exactly_30_minutes() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    server.clock.advance(TimeDelta::seconds(30 * 60 - 1));
    ada.me().await.data("/me/id");
    server.clock.advance(TimeDelta::seconds(1));
    assert_eq!(reason(&ada).await, "TOKEN_EXPIRED");
}

#[tokio::test]
async fn ended_session_revokes_its_access_token() {
    let server = TestServer::start().await;
    let db = server.app.database.read();
    let (ada, bo) = (server.user("ada").await, server.user("bo").await);
    let sessions = session::Entity::find().all(db).await.unwrap();
    let users = user::Entity::find().all(db).await.unwrap();
    let id = |name: &str| users.iter().find(|user| user.username == name).unwrap().id;
    let session_of = |name: &str| sessions.iter().find(|session| session.user_id == id(name)).unwrap().clone();

    let mut revoked = session_of("ada").into_active_model();
    revoked.revoked_at = Set(Some(server.app.clock.now()));
    revoked.update(db).await.unwrap();
    assert_eq!(reason(&ada).await, "SESSION_REVOKED");

    bo.me().await.data("/me/id");
    let mut expired = session_of("bo").into_active_model();
    expired.expires_at = Set(server.app.clock.now());
    expired.update(db).await.unwrap();
    assert_eq!(reason(&bo).await, "SESSION_REVOKED");

    let cy = server.user("cy").await;
    let user = user::Entity::find().all(db).await.unwrap().into_iter().find(|user| user.username == "cy").unwrap();
    user.delete(db).await.unwrap();
    assert_eq!(reason(&cy).await, "SESSION_REVOKED");
}

#[tokio::test]
async fn authorization_scheme_is_parsed_by_the_rfc() {
    let server = TestServer::start().await;
    let token = server.user("ada").await.bearer.unwrap();
    let actor = server.anonymous();
    for (authorization, reason) in [
        (vec![format!("bearer {token}")], None),
        (vec![format!("BEARER  {token} ")], None),
        (vec![format!("Bearer {token}"), "Basic YTpi".to_owned()], None),
        (vec![format!("Basic {token}")], Some("TOKEN_MISSING")),
        (vec![token.clone()], Some("TOKEN_MISSING")),
        (vec![format!("Bearer {token}"), format!("Bearer {token}")], Some("TOKEN_INVALID")),
    ] {
        let mut request = actor.request(axum::http::Method::GET, "/graphql?query=%7Bme%7Bid%7D%7D");
        for value in &authorization {
            request = request.header("authorization", value);
        }
        let answer = actor.send(request.body(axum::body::Body::empty()).unwrap()).await.json();
        assert_eq!(answer["data"]["me"].is_object(), reason.is_none(), "{authorization:?}");
        assert_eq!(answer["errors"][0]["extensions"]["reason"].as_str(), reason, "{authorization:?}");
    }
}

#[tokio::test]
async fn access_token_has_the_claims_of_rfc_9068() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let token = ada.bearer.clone().unwrap();
    let parts: Vec<Value> = token.split('.').take(2).map(decode_part).collect();
    assert_eq!(parts[0], json!({ "typ": "at+jwt", "alg": "HS256", "kid": parts[0]["kid"] }));
    let claims = &parts[1];
    let issued = 1_769_860_800;
    assert_eq!(
        *claims,
        json!({
            "iss": "http://localhost:8000", "aud": "http://localhost:8000", "sub": ada.me().await.data("/me/id"), "exp": issued + 1800,
            "iat": issued, "jti": claims["jti"], "sid": claims["sid"], "gen": 0, "client_id": "first-party", "roles": ["user"],
            "preferred_username": "ada", "auth_time": issued, "acr": "aal1", "amr": ["pwd"],
        })
    );
}

#[tokio::test]
async fn fields_of_a_user_are_the_same_with_and_without_the_engine() {
    const FIELDS: &str = "__typename id username email emailVerified firstName lastName fullName hasPassword isActive roles createdAt updatedAt \
        lastLoginAt name: firstName";
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    for is_filled in [false, true] {
        if is_filled {
            let db = server.app.database.read();
            let mut row = user::Entity::find().one(db).await.unwrap().unwrap().into_active_model();
            row.email = Set(Some("Ada@Example.org".to_owned()));
            row.email_verified_at = Set(Some(server.app.clock.now()));
            row.first_name = Set(Some("Ada".to_owned()));
            row.last_name = Set(Some("Lovelace".to_owned()));
            row.roles = Set(user::Roles(vec![user::ADMIN.to_owned()]));
            row.last_login_at = Set(None);
            row.update(db).await.unwrap();
        }
        let direct = ada.query(&format!("{{ me {{ {FIELDS} }} }}")).await;
        // The engine resolves fragments.
        let engine = ada.query(&format!("{{ me {{ ... {{ {FIELDS} }} }} }}")).await;
        assert_eq!(direct.json()["data"], engine.json()["data"]);
        assert_eq!(direct.json()["data"]["me"]["emailVerified"], is_filled);
    }
}

#[tokio::test]
async fn me_is_the_same_with_and_without_a_fragment() {
    let server = TestServer::start().await;
    let input = json!({ "username": "ada", "password": password_of("ada"), "email": "ada@example.org", "firstName": "Ada", "lastName": "Lovelace" });
    server.anonymous().register(input).await.data("/register");
    server.set_roles("ada", &["user", "admin"]).await;
    for user in [server.signed_in("ada").await, server.user("bo").await] {
        let description =
            user.query("{ __type(name: \"User\") { fields { name args { name } type { kind } } } }").await;
        let fields = description.data("/__type/fields");
        let is_plain = |field: &&Value| {
            field["args"] == json!([])
                && !["sessions", "rememberedDevices", "passkeys", "identities"]
                    .contains(&field["name"].as_str().unwrap())
        };
        let names: Vec<&str> =
            fields.as_array().unwrap().iter().filter(is_plain).map(|field| field["name"].as_str().unwrap()).collect();
        let selection = names.join(" ");
        let direct = user.query(&format!("{{ me {{ __typename x: id {selection} }} }}")).await;
        let resolved = user.query(&format!("{{ me {{ ... {{ __typename x: id {selection} }} }} }}")).await;
        assert_eq!(direct.text, resolved.text);
        assert_eq!(direct.data("/me").as_object().unwrap().len(), names.len() + 2);
    }
}

#[tokio::test]
async fn created_user_has_a_password_once_it_was_chosen() {
    let server = TestServer::start().await;
    let boss = server.administrator("boss").await;
    assert_eq!(boss.query("{ me { hasPassword } }").await.data("/me/hasPassword"), true);
    let create = "mutation($input: CreateUserInput!) { createUser(input: $input) { user { hasPassword } } }";
    let input = json!({ "username": "ada", "email": "ada@example.org", "emailVerified": true });
    let created = boss.graphql(create, json!({ "input": input })).await;
    assert_eq!(created.data("/createUser/user/hasPassword"), false);
    let token = server.token_to("ada@example.org").await;
    server.anonymous().reset_password(&token, &password_of("ada")).await.data("/resetPassword");
    let ada = server.signed_in("ada").await;
    assert_eq!(ada.query("{ me { hasPassword } }").await.data("/me/hasPassword"), true);
}
