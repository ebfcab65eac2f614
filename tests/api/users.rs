use chrono::TimeDelta;
use hallpass::entity::{session, user};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel, ModelTrait};
use serde_json::Value;

use crate::support::{Actor, TestServer, json};

/// What `me` says is wrong with this actor's bearer.
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
async fn a_stranger_is_nobody_and_loses_nothing_else() {
    let server = TestServer::start().await;
    let answer =
        server.anonymous().query("{ first: me { id } serverInfo { registrationEnabled } last: me { id } }").await;
    let body = answer.json();
    assert_eq!(body["data"], json!({ "first": null, "serverInfo": { "registrationEnabled": true }, "last": null }));
    assert_eq!(body["errors"].as_array().unwrap().len(), 2);
    assert_eq!(reason(&server.anonymous()).await, "TOKEN_MISSING");
}

#[tokio::test]
async fn a_token_lives_half_an_hour_to_the_second() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    server.clock.advance(TimeDelta::seconds(30 * 60 - 1));
    ada.me().await.data("/me/id");
    server.clock.advance(TimeDelta::seconds(1));
    assert_eq!(reason(&ada).await, "TOKEN_EXPIRED");
}

#[tokio::test]
async fn a_session_that_ended_ends_its_token_at_once() {
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
async fn the_scheme_is_read_as_the_rfc_says() {
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
async fn a_token_says_what_rfc_9068_wants() {
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
            "preferred_username": "ada",
        })
    );
}

fn decode_part(part: &str) -> Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn encode_part(value: &Value) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// The key that signs this server's tokens, as `hallpass` derives it.
fn signing_key(server: &TestServer) -> String {
    use hallpass::security::keys::{KeyUse, Keys, hex};
    let keys = Keys::load(&server.app.settings.secret_key).unwrap();
    hex(&keys.derive::<32>(KeyUse::AccessToken).unwrap())
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a list of forgeries")]
async fn forged_and_altered_tokens_are_refused() {
    let server = TestServer::start().await;
    let token = server.user("ada").await.bearer.unwrap();
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("{token}") };
    let (good_header, good_claims) = (decode_part(header), decode_part(claims));
    let key = signing_key(&server);
    // Signed with our own key: only what the token says can make it bad.
    let signed = |header: &Value, claims: &Value| {
        let message = format!("{}.{}", encode_part(header), encode_part(claims));
        let signature =
            jsonwebtoken::crypto::sign(message.as_bytes(), &EncodingKey::from_secret(key.as_bytes()), Algorithm::HS256);
        format!("{message}.{}", signature.unwrap())
    };
    let actor = server.anonymous();
    actor.with_bearer(&signed(&good_header, &good_claims)).me().await.data("/me/id");

    let mut forged = Vec::new();
    for alg in ["none", "None", "NONE", "nOnE", "HS384", "HS512", "RS256", "ES256", "EdDSA", ""] {
        let mut header = good_header.clone();
        header["alg"] = json!(alg);
        forged.push(signed(&header, &good_claims));
        forged.push(format!("{}.{claims}.", encode_part(&header)));
        forged.push(format!("{}.{claims}.{signature}", encode_part(&header)));
    }
    for (name, value) in [
        ("typ", json!("JWT")),
        ("typ", json!("rt+jwt")),
        ("typ", json!(null)),
        ("typ", json!("AT+JWT")),
        ("kid", json!("../../etc/passwd")),
        ("kid", json!("' OR 1=1 --")),
        ("kid", json!("\u{0}")),
        ("kid", json!("k".repeat(10_000))),
        ("kid", json!(null)),
        ("kid", json!(7)),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("jku", json!("http://127.0.0.1:1/")),
        ("x5u", json!("http://127.0.0.1:1/")),
        ("x5c", json!(["MIIB"])),
        ("cty", json!("JWT")),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("jwk", json!({ "kty": "oct", "k": "AAAA" })),
        ("nonce", json!("1")),
        ("unknown", json!("1")),
    ] {
        let mut header = good_header.clone();
        header[name] = value;
        forged.push(signed(&header, &good_claims));
    }
    for (name, value) in [
        ("iss", json!("http://evil.example")),
        ("iss", json!("")),
        ("iss", json!(null)),
        ("iss", json!(["http://localhost:8000"])),
        ("aud", json!("other")),
        ("aud", json!("")),
        ("aud", json!(null)),
        ("aud", json!(["http://localhost:8000", "other"])),
        ("exp", json!("9999999999")),
        ("exp", json!(null)),
        ("exp", json!(1e30)),
        ("exp", json!(-1)),
        ("exp", json!(0)),
        ("exp", json!(true)),
        ("nbf", json!(4_000_000_000_i64)),
        ("nbf", json!("soon")),
        ("sub", json!("ada")),
        ("sub", json!(null)),
        ("sid", json!(null)),
        ("sid", json!("00000000-0000-0000-0000-000000000000")),
        ("sub", json!("00000000-0000-0000-0000-000000000000")),
    ] {
        let mut claims = good_claims.clone();
        claims[name] = value;
        forged.push(signed(&good_header, &claims));
        if let Some(claims) = claims.as_object_mut() {
            claims.remove(name);
        }
        if name != "nbf" {
            forged.push(signed(&good_header, &claims));
        }
    }
    let other_key = EncodingKey::from_secret(b"another key, also long enough for an HMAC");
    let header_of = |alg| Header {
        typ: Some("at+jwt".to_owned()),
        kid: good_header["kid"].as_str().map(Into::into),
        ..Header::new(alg)
    };
    forged.push(encode(&header_of(Algorithm::HS256), &good_claims, &other_key).unwrap());
    forged.push(encode(&header_of(Algorithm::HS256), &good_claims, &EncodingKey::from_secret(b"")).unwrap());
    let last = signature.chars().last().unwrap();
    // The last character of 32 bytes in Base64 has two spare bits.
    let spare = char::from_u32(u32::from(last) + 1).unwrap();
    forged.extend([
        String::new(),
        ".".into(),
        "..".into(),
        "...".into(),
        "a.b.c".into(),
        "\u{e9}.b.c".into(),
        format!("{header}.{claims}"),
        format!("{header}.{claims}."),
        format!(".{claims}.{signature}"),
        format!("{header}..{signature}"),
        format!("{token}."),
        format!("{token}.x"),
        format!("{token}.{signature}.x"),
        format!("{token}="),
        format!("{header}=.{claims}=.{signature}="),
        format!("{header}.{claims}.{}{spare}", &signature[..signature.len() - 1]),
        format!("{header} {claims}.{signature}"),
        format!("{header}.{claims}.{signature}x"),
        format!("{header}.{claims}x.{signature}"),
        format!("{header}x.{claims}.{signature}"),
        json!({ "protected": header, "payload": claims, "signature": signature }).to_string(),
        format!("{{\"protected\":\"{header}\"}}.{claims}.{signature}"),
        "x".repeat(50_000),
    ]);
    for forged in forged {
        assert_ne!(forged, token);
        let answer = actor.with_bearer(&forged).me().await;
        let error = answer.error();
        assert_eq!(error["extensions"]["code"], "UNAUTHENTICATED", "{forged}: {error}");
        assert_ne!(error["extensions"]["reason"], "TOKEN_MISSING", "{forged}");
    }
}
