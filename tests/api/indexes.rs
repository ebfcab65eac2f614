//! All queries of sign-in, authentication and the other frequent operations use an index.

use hallpass::{
    entity::{identity, provider_login, user},
    jobs::purge::{Table, purge},
    security::link_token::TokenHash,
};
use sea_orm::{ConnectionTrait, Statement};

use crate::support::{Plan, TestServer, json, password_of, random_id};

#[tokio::test]
async fn frequent_queries_use_an_index() {
    let (server, statements) = TestServer::observed_with(|settings| settings.mail.sign_in = true).await;
    let input = json!({ "username": "ada", "password": password_of("ada"), "email": "ada@example.org" });
    server.anonymous().register(input.clone()).await.data("/register/user");
    server.anonymous().register(input).await.problems();
    server.anonymous().login("ada@example.org", &password_of("ada")).await.data("/login/user");
    let answer = server.anonymous().login("ada", &password_of("ada")).await;
    server.anonymous().with_bearer(answer.data("/login/accessToken").as_str().unwrap()).me().await.data("/me");

    let (app, token) = server.app_user("bo").await;
    let refresh = app.refresh(&token).await;
    app.query("{ me { sessions { id } } }").await.data("/me/sessions/0/id");
    app.query("mutation { revokeOtherSessions { revokedSessions } }").await.data("/revokeOtherSessions");
    let unknown = "mutation { revokeSession(input: { sessionId: \"00000000-0000-7000-8000-000000000000\" }) { revokedSessionId } }";
    assert_eq!(app.query(unknown).await.code(), "NOT_FOUND");
    app.refresh(refresh.data("/refreshToken/refreshToken").as_str().unwrap()).await.data("/refreshToken");
    app.refresh(&token).await.code();
    app.logout(json!({})).await.data("/logout");
    purge(&server.app, Table::Sessions).await.unwrap();
    server.anonymous().login("ada", "not her password").await.code();
    server.clock.advance(chrono::TimeDelta::days(91));
    purge(&server.app, Table::Throttles).await.unwrap();

    let ada = server.user_at("grace", "grace@example.org").await;
    server.anonymous().send_verification_email("grace@example.org").await.data("/sendVerificationEmail");
    let token = server.token_to("grace@example.org").await;
    server.anonymous().verify_email(&token).await.data("/verifyEmail");
    ada.change_email(json!({ "newEmail": "grace@new.example" })).await.data("/changeEmail");
    let token = server.token_to("grace@new.example").await;
    server.anonymous().verify_email(&token).await.data("/verifyEmail");
    server.anonymous().request_password_reset("grace@new.example").await.data("/requestPasswordReset");
    let token = server.token_to("grace@new.example").await;
    server.anonymous().reset_password(&token, "a new password").await.data("/resetPassword");
    purge(&server.app, Table::Links).await.unwrap();

    // The verifier and the challenge of RFC 7636, appendix B.
    let request = r#"mutation { requestEmailSignIn(input: { email: "grace@new.example",
        codeChallenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" }) { expiresIn } }"#;
    server.anonymous().query(request).await.data("/requestEmailSignIn");
    let token = server.token_to("grace@new.example").await;
    let login = async |proof: &str| {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let login = format!(
            r#"mutation {{ loginWithEmail(input: {{ proof: {proof}, codeVerifier: "{verifier}" }}) {{ accessToken }} }}"#
        );
        server.anonymous().query(&login).await
    };
    let wrong = r#"{ emailAndCode: { email: "grace@new.example", code: "00000000" } }"#;
    assert_eq!(login(wrong).await.code(), "CODE_INVALID");
    login(&format!("{{ token: {token:?} }}")).await.data("/loginWithEmail");
    purge(&server.app, Table::EmailSignIns).await.unwrap();

    let statements = std::mem::take(&mut *statements.lock().unwrap());
    let queries: Vec<&Statement> = statements.iter().filter(|statement| !statement.sql.starts_with("INSERT")).collect();
    // Guards against a test that observes too few statements.
    assert!(queries.len() >= 18, "{queries:#?}");
    for statement in queries {
        let plan = Plan::by_index(&server.app.database, statement).await;
        assert!(plan.uses_index(), "{}\n{}", statement.sql, plan.text);
    }
}

#[tokio::test]
async fn unverified_account_purge_uses_an_index() {
    let (server, statements) = TestServer::observed().await;
    server.user_at("ada", "ada@example.org").await;
    statements.lock().unwrap().clear();
    let abandoned = user::Unverified { since: server.app.clock.now(), without_email: false };
    let found = abandoned.find(server.app.database.read(), 200).await.unwrap();
    assert_eq!(found.len(), 1);
    let queries = std::mem::take(&mut *statements.lock().unwrap());
    for statement in queries {
        let plan = Plan::by_index(&server.app.database, &statement).await;
        assert!(plan.uses_index(), "{}\n{}", statement.sql, plan.text);
    }
}

#[tokio::test]
async fn search_by_role_uses_the_index() {
    let (server, statements) = TestServer::observed().await;
    server.user("ada").await;
    statements.lock().unwrap().clear();
    user::active_admins(server.app.database.read(), 10).await.unwrap();
    let queries = std::mem::take(&mut *statements.lock().unwrap());
    let [query] = &queries[..] else { panic!("{queries:#?}") };
    let plan = Plan::by_index(&server.app.database, query).await;
    assert!(plan.uses_index() && plan.text.contains("user_roles"), "{}\n{}", query.sql, plan.text);
}

#[tokio::test]
async fn full_table_scan_is_detected() {
    let server = TestServer::start().await;
    server.user("ada").await;
    let backend = server.app.database.read().get_database_backend();
    let statement = Statement::from_string(backend, "SELECT id FROM users WHERE first_name = 'Ada'");
    let plan = Plan::by_index(&server.app.database, &statement).await;
    assert!(!plan.uses_index(), "{}", plan.text);
}

#[tokio::test]
async fn queries_about_identities_use_an_index() {
    let (server, statements) = TestServer::observed().await;
    server.user("ada").await;
    let (db, now, id) = (server.app.database.read(), server.app.clock.now(), random_id());
    let hash = TokenHash::of(&"x".into());
    statements.lock().unwrap().clear();
    identity::find(db, &hash).await.unwrap();
    identity::list(db, id).await.unwrap();
    provider_login::find(db, &hash, now).await.unwrap();
    let transaction = server.app.write().await.unwrap();
    identity::record_use(&transaction, id, None, now).await.unwrap();
    identity::delete(&transaction, id, id).await.unwrap();
    identity::delete_of(&transaction, id).await.unwrap();
    provider_login::take(&transaction, id, now).await.unwrap();
    transaction.commit().await.unwrap();
    purge(&server.app, Table::ProviderLogins).await.unwrap();
    let statements = std::mem::take(&mut *statements.lock().unwrap());
    assert!(statements.len() >= 8, "{statements:#?}");
    for statement in &statements {
        let plan = Plan::by_index(&server.app.database, statement).await;
        assert!(plan.uses_index(), "{}\n{}", statement.sql, plan.text);
    }
}
