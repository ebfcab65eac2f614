//! Sign-in with other providers: one test for each rule of the table in `docs/providers.md`, and the provider itself.

use std::sync::atomic::Ordering;

use axum::http::{Method, StatusCode};
use chrono::TimeDelta;
use hallpass::{
    config::{ProviderKind, Settings},
    entity::{audit_event, audit_event::Action, identity, provider_login, session, user},
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde_json::{Value, json};

use crate::support::{Actor, TestServer, decode_part, passkeys, password_of, provider::*};

async fn identities(server: &TestServer) -> Vec<identity::Model> {
    identity::Entity::find().all(server.app.database.read()).await.unwrap()
}

async fn user(server: &TestServer, username: &str) -> user::Model {
    let by_name = user::Entity::find().filter(user::Column::Username.eq(username));
    by_name.one(server.app.database.read()).await.unwrap().unwrap()
}

async fn users(server: &TestServer) -> usize {
    user::Entity::find().all(server.app.database.read()).await.unwrap().len()
}

/// Registers `ada`, whose address is `ada@example.org`, and verifies it.
async fn verified_ada(server: &TestServer) -> Actor {
    let ada = server.user_at("ada", "ada@example.org").await;
    let token = server.token_to("ada@example.org").await;
    server.anonymous().verify_email(&token).await.data("/verifyEmail");
    ada
}

async fn change(server: &TestServer, username: &str, change: impl FnOnce(&mut user::ActiveModel)) {
    let mut row = user(server, username).await.into_active_model();
    change(&mut row);
    let transaction = server.app.write().await.unwrap();
    row.update(&transaction).await.unwrap();
    transaction.commit().await.unwrap();
}

// The table.

#[tokio::test]
async fn known_identity_signs_in() {
    let (server, provider) = with_provider(|_| {}).await;
    let first = sign_in(&server, &provider, ada()).await.data("/loginWithCode/user/id");
    server.clock.advance(TimeDelta::hours(1));
    let second = sign_in(&server, &provider, ada()).await.data("/loginWithCode/user/id");
    assert_eq!(first, second);
    let [identity] = &identities(&server).await[..] else { panic!() };
    assert_eq!(identity.last_used_at, Some(server.app.clock.now()));
    assert_eq!(users(&server).await, 1);
}

#[tokio::test]
async fn address_of_a_known_identity_is_never_looked_at() {
    let (server, provider) = with_provider(|_| {}).await;
    let first = sign_in(&server, &provider, ada()).await.data("/loginWithCode/user/id");
    server.user_at("bo", "bo@example.org").await;
    let token = server.token_to("bo@example.org").await;
    server.anonymous().verify_email(&token).await.data("/verifyEmail");
    for others in [json!({ "email": "bo@example.org" }), json!({ "email": null, "email_verified": null })] {
        let answer = sign_in(&server, &provider, with(ada(), &others)).await;
        assert_eq!(answer.data("/loginWithCode/user/id"), first);
        assert_eq!(answer.data("/loginWithCode/user/email"), "ada@example.org");
    }
}

#[tokio::test]
async fn identity_with_an_address_that_both_have_verified_is_linked() {
    let (server, provider) = with_provider(|_| {}).await;
    verified_ada(&server).await;
    let answer = sign_in(&server, &provider, ada()).await;
    assert_eq!(answer.data("/loginWithCode/user/username"), "ada");
    assert_eq!(answer.data("/loginWithCode/user/hasPassword"), true);
    let [identity] = &identities(&server).await[..] else { panic!() };
    assert_eq!(identity.last_used_at, Some(server.app.clock.now()));
    let mails = server.mails_to("ada@example.org").await;
    assert_eq!(mails[0].text.subject, "A sign-in provider was linked");
    assert_eq!(passkeys::count(&server, Action::IdentityLinked).await, 1);
    server.signed_in("ada").await.me().await.data("/me/id");
}

#[tokio::test]
async fn identity_is_not_linked_to_an_account_that_has_not_verified_the_address() {
    let (server, provider) = with_provider(|_| {}).await;
    server.user_at("ada", "ada@example.org").await;
    assert_eq!(sign_in(&server, &provider, ada()).await.code(), "IDENTITY_UNLINKED");
    assert_eq!((identities(&server).await.len(), users(&server).await), (0, 1));
    assert!(user(&server, "ada").await.email_verified_at.is_none());
}

#[tokio::test]
async fn takeover_removes_password_factors_identities_and_sessions() {
    let (server, provider) = with_provider(|settings| settings.registration.provider_takeover = true).await;
    let attacker = server.user_at("ada", "ada@example.org").await;
    passkeys::add(&attacker, &mut passkeys::authenticator()).await;
    link(&attacker, &provider, with(ada(), &json!({ "sub": "the attacker" }))).await;

    let answer = sign_in(&server, &provider, ada()).await;
    assert_eq!(answer.data("/loginWithCode/user/hasPassword"), false);
    assert_eq!(answer.data("/loginWithCode/user/emailVerified"), true);
    assert_eq!(attacker.me().await.code(), "UNAUTHENTICATED");
    assert_eq!(server.anonymous().login("ada", &password_of("ada")).await.code(), "INVALID_CREDENTIALS");
    let [identity] = &identities(&server).await[..] else { panic!() };
    assert_eq!(identity.subject, "ada at the provider");
    assert_eq!(passkeys::count(&server, Action::IdentityUnlinked).await, 1);
    let ada = signed_in(&server, &answer);
    assert_eq!(
        ada.query("{ me { mfaMethods passkeys { id } } }").await.data("/me"),
        json!({ "mfaMethods": [], "passkeys": [] })
    );
}

#[tokio::test]
async fn mail_about_the_removed_password_also_fits_a_takeover() {
    let (server, provider) = with_provider(|settings| settings.registration.provider_takeover = true).await;
    server.user_at("ada", "ada@example.org").await;
    sign_in(&server, &provider, ada()).await.data("/loginWithCode/user");
    let mails = server.mails_to("ada@example.org").await;
    let removed = mails.iter().find(|mail| mail.text.subject == "The password of your account was removed").unwrap();
    assert!(removed.text.plain.contains("by mail or with another provider"), "{}", removed.text.plain);
}

/// Links an identity from inside.
async fn link(actor: &Actor, provider: &Provider, claims: Value) {
    let start = "mutation($input: StartIdentityLinkInput!) { startIdentityLink(input: $input) { url } }";
    let input = json!({ "providerId": provider.id, "returnTo": RETURN_TO, "codeChallenge": challenge_of(VERIFIER) });
    let url = actor.graphql(start, json!({ "input": input })).await.data("/startIdentityLink/url");
    let path = url.as_str().unwrap().strip_prefix("http://localhost:8000").unwrap();
    let mut browser = actor.clone();
    browser.bearer = None;
    let visit = open(&browser, path).await;
    let location = come_back(&visit, provider, &provider.approve(&visit.location, claims)).await;
    let finish = "mutation($input: FinishIdentityLinkInput!) { finishIdentityLink(input: $input) { identity { id } } }";
    let input = json!({ "code": parameter(&location, "code"), "codeVerifier": VERIFIER });
    actor.graphql(finish, json!({ "input": input })).await.data("/finishIdentityLink/identity/id");
}

#[tokio::test]
async fn address_that_the_provider_has_not_verified_matches_nobody() {
    for others in
        [json!({ "email_verified": false }), json!({ "email_verified": "true" }), json!({ "email_verified": null })]
    {
        let (server, provider) = with_provider(|settings| settings.registration.provider_takeover = true).await;
        verified_ada(&server).await;
        let answer = sign_in(&server, &provider, with(ada(), &others)).await;
        let user = answer.data("/loginWithCode/user");
        assert!(user["username"].as_str().unwrap().starts_with("ada-"), "{user}");
        assert_eq!(user["email"], Value::Null);
        assert_eq!(users(&server).await, 2);
    }
}

#[tokio::test]
async fn address_of_a_provider_that_is_not_trusted_matches_nobody() {
    let (server, provider) = with_provider(|settings| settings.providers[0].trusts_email = false).await;
    verified_ada(&server).await;
    let answer = sign_in(&server, &provider, ada()).await;
    assert_ne!(answer.data("/loginWithCode/user/username"), "ada");
    assert_eq!(users(&server).await, 2);
}

#[tokio::test]
async fn nobody_is_registered() {
    let (server, provider) = with_provider(|_| {}).await;
    let user = sign_in(&server, &provider, ada()).await.data("/loginWithCode/user");
    let expected = json!({
        "id": user["id"], "username": "ada", "email": "ada@example.org", "emailVerified": true, "firstName": "Ada",
        "lastName": "Lovelace", "hasPassword": false,
    });
    assert_eq!(user, expected);
    assert_eq!(passkeys::count(&server, Action::UserRegistered).await, 1);
    assert_eq!(server.mails_to("ada@example.org").await.len(), 0);
}

#[tokio::test]
async fn nobody_is_registered_where_registration_is_closed() {
    let (server, provider) = with_provider(|settings| settings.registration.is_enabled = false).await;
    assert_eq!(sign_in(&server, &provider, ada()).await.code(), "REGISTRATION_DISABLED");
    assert_eq!(users(&server).await, 0);
}

// New accounts.

#[tokio::test]
async fn username_is_made_unique() {
    let (server, provider) = with_provider(|_| {}).await;
    server.user("ada").await;
    let answer = sign_in(&server, &provider, ada()).await;
    let username = answer.data("/loginWithCode/user/username");
    let suffix = username.as_str().unwrap().strip_prefix("ada-").unwrap();
    assert_eq!(suffix.len(), 8);
}

#[tokio::test]
async fn reserved_username_is_not_given() {
    let (server, provider) = with_provider(|_| {}).await;
    let answer = sign_in(&server, &provider, with(ada(), &json!({ "preferred_username": "Admin" }))).await;
    let username = answer.data("/loginWithCode/user/username");
    assert!(username.as_str().unwrap().starts_with("Admin-"), "{username}");
}

#[tokio::test]
async fn new_address_that_is_not_trusted_must_be_verified_by_mail() {
    let (server, provider) = with_provider(|settings| {
        settings.registration.require_email = true;
        settings.registration.require_verified_email = true;
    })
    .await;
    let claims = with(ada(), &json!({ "email_verified": false }));
    assert_eq!(sign_in(&server, &provider, claims.clone()).await.code(), "EMAIL_NOT_VERIFIED");
    let token = server.token_to("ada@example.org").await;
    server.anonymous().verify_email(&token).await.data("/verifyEmail");
    assert_eq!(sign_in(&server, &provider, claims).await.data("/loginWithCode/user/emailVerified"), true);
    assert_eq!(users(&server).await, 1);
}

#[tokio::test]
async fn required_address_must_come_from_the_provider() {
    let (server, provider) = with_provider(|settings| settings.registration.require_email = true).await;
    let without = with(ada(), &json!({ "email": null }));
    assert_eq!(sign_in(&server, &provider, without).await.code(), "REQUIRED");
    server.user_at("ada", "ada@example.org").await;
    let taken = with(ada(), &json!({ "email_verified": false }));
    assert_eq!(sign_in(&server, &provider, taken).await.code(), "IDENTITY_UNLINKED");
    assert_eq!(users(&server).await, 1);
}

#[tokio::test]
async fn registrations_with_a_provider_are_limited() {
    let (server, provider) = with_provider(|settings| settings.throttle.limits.registrations = 1).await;
    sign_in(&server, &provider, ada()).await.data("/loginWithCode");
    let second = with(ada(), &json!({ "sub": "bo", "email": "bo@example.org" }));
    assert_eq!(sign_in(&server, &provider, second).await.code(), "RATE_LIMITED");
    sign_in(&server, &provider, ada()).await.data("/loginWithCode");
}

// The gate.

#[tokio::test]
async fn provider_is_one_factor() {
    let (server, provider) = with_provider(|_| {}).await;
    let answer = sign_in(&server, &provider, ada()).await;
    let token = answer.data("/loginWithCode/accessToken");
    let claims = decode_part(token.as_str().unwrap().split('.').nth(1).unwrap());
    assert_eq!((&claims["amr"], &claims["acr"]), (&json!(["fed"]), &json!("aal1")));
    let ada_here = signed_in(&server, &answer);
    let mut authenticator = passkeys::authenticator();
    passkeys::add(&ada_here, &mut authenticator).await;

    let answer = sign_in(&server, &provider, ada()).await;
    assert_eq!(answer.code(), "MFA_REQUIRED");
    let challenge = answer.error()["extensions"]["mfa"]["token"].as_str().unwrap().to_owned();
    let (token, options) = passkeys::start_for(&server, &challenge).await;
    let credential = authenticator.get(&options, passkeys::truth);
    let verified = passkeys::verify(&server, &challenge, &token, &credential).await;
    let claims = passkeys::claims(&passkeys::bearer(&server, &verified, "verifyMfa"));
    assert_eq!((&claims["amr"], &claims["acr"]), (&json!(["fed", "hwk", "user", "mfa"]), &json!("aal2")));
    let logins = audit_event::Entity::find().all(server.app.database.read()).await.unwrap();
    let login = logins.into_iter().rfind(|event| event.action == Action::LoggedIn).unwrap();
    let expected = [("method", "provider"), ("secondFactor", "passkey")];
    assert_eq!(login.details.unwrap().0, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[tokio::test]
async fn disabled_account_is_refused() {
    let (server, provider) = with_provider(|_| {}).await;
    sign_in(&server, &provider, ada()).await.data("/loginWithCode");
    server.disable("ada").await;
    assert_eq!(sign_in(&server, &provider, ada()).await.code(), "ACCOUNT_DISABLED");
}

#[tokio::test]
async fn disabled_account_gets_no_identity() {
    let (server, provider) = with_provider(|_| {}).await;
    verified_ada(&server).await;
    server.disable("ada").await;
    assert_eq!(sign_in(&server, &provider, ada()).await.code(), "ACCOUNT_DISABLED");
    assert_eq!(identities(&server).await.len(), 0);
}

#[tokio::test]
async fn reset_of_the_password_removes_identities_of_an_account_that_never_verified_its_address() {
    let (server, provider) = with_provider(|_| {}).await;
    let attacker = server.user_at("ada", "ada@example.org").await;
    link(&attacker, &provider, with(ada(), &json!({ "sub": "the attacker" }))).await;
    server.anonymous().request_password_reset("ada@example.org").await.data("/requestPasswordReset");
    let token = server.token_to("ada@example.org").await;
    server.anonymous().reset_password(&token, "a new password").await.data("/resetPassword");
    assert_eq!(identities(&server).await.len(), 0);
}

// The provider.

#[tokio::test]
async fn nothing_is_requested_before_the_first_sign_in_and_documents_are_requested_once() {
    let (server, provider) = with_provider(|_| {}).await;
    server.anonymous().query("{ serverInfo { identityProviders { id name startUrl } } }").await.data("/serverInfo");
    assert_eq!((provider.count("/metadata"), provider.count("/keys")), (0, 0));
    for _ in 0..3 {
        sign_in(&server, &provider, ada()).await.data("/loginWithCode");
    }
    assert_eq!((provider.count("/metadata"), provider.count("/keys"), provider.count("/token")), (1, 1, 3));
}

#[tokio::test]
async fn unknown_key_is_looked_up_once_a_minute() {
    let (server, provider) = with_provider(|_| {}).await;
    sign_in(&server, &provider, ada()).await.data("/loginWithCode");
    provider.rotate_key("second");
    let failed = async || {
        let visit = open(&server.anonymous(), &start_path("acme", RETURN_TO, VERIFIER)).await;
        come_back(&visit, &provider, &provider.approve(&visit.location, ada())).await
    };
    assert_eq!(parameter(&failed().await, "error").as_deref(), Some("PROVIDER_FAILED"));
    assert_eq!(provider.count("/keys"), 1);
    server.clock.advance(TimeDelta::minutes(1));
    sign_in(&server, &provider, ada()).await.data("/loginWithCode");
    assert_eq!(provider.count("/keys"), 2);
}

#[tokio::test]
async fn provider_that_is_down_fails_its_own_sign_ins_only() {
    let (down, up) = (Provider::start("down").await, Provider::start("acme").await);
    let server = TestServer::with(|settings| {
        down.configure(settings);
        up.configure(settings);
    })
    .await;
    down.follow(&server);
    up.follow(&server);
    down.is_down.store(true, Ordering::SeqCst);
    let refused = location_of(&server.anonymous().get(&start_path("down", RETURN_TO, VERIFIER)).await);
    assert_eq!(refused.as_str(), "http://localhost:3000/signed-in?error=PROVIDER_FAILED");
    sign_in(&server, &up, ada()).await.data("/loginWithCode");
    server.user("bo").await;

    // It is not asked again at once, and recovers.
    location_of(&server.anonymous().get(&start_path("down", RETURN_TO, VERIFIER)).await);
    assert_eq!(down.count("/metadata"), 1);
    down.is_down.store(false, Ordering::SeqCst);
    server.clock.advance(TimeDelta::seconds(10));
    sign_in(&server, &down, ada()).await.data("/loginWithCode");
    assert_eq!(down.count("/token"), 1);
}

#[tokio::test]
async fn false_tokens_are_refused() {
    let (server, provider) = with_provider(|settings| settings.throttle.is_enabled = false).await;
    for lie in [
        json!({ "iss": "http://127.0.0.1:1" }),
        json!({ "aud": "another client" }),
        json!({ "nonce": "another nonce" }),
        json!({ "exp": 1_700_000_000 }),
        json!({ "sub": "" }),
    ] {
        *provider.lie.lock().unwrap() = lie.clone();
        let visit = open(&server.anonymous(), &start_path("acme", RETURN_TO, VERIFIER)).await;
        let location = come_back(&visit, &provider, &provider.approve(&visit.location, ada())).await;
        assert_eq!(parameter(&location, "error").as_deref(), Some("PROVIDER_FAILED"), "{lie}");
    }
    let rows = provider_login::Entity::find().all(server.app.database.read()).await.unwrap();
    assert_eq!(rows.len(), 0);
}

#[tokio::test]
async fn claims_may_be_in_the_user_info() {
    let (server, provider) = with_provider(|_| {}).await;
    provider.has_user_info.store(true, Ordering::SeqCst);
    let user = sign_in(&server, &provider, ada()).await.data("/loginWithCode/user");
    assert_eq!(
        [&user["username"], &user["email"], &user["emailVerified"]],
        [&json!("ada"), &json!("ada@example.org"), &json!(true)]
    );
    assert_eq!(provider.count("/userinfo"), 1);
}

#[tokio::test]
async fn github_user_signs_in() {
    let (server, provider) =
        with_provider(|settings| settings.providers[0].kind = ProviderKind::GitHub { address: issuer_of(settings) })
            .await;
    verified_ada(&server).await;
    let code = code_for(&server, &provider, ada()).await;
    let user = exchange(&server.anonymous(), &code, VERIFIER).await.data("/loginWithCode/user");
    assert_eq!(user["username"], "ada");
    let [identity] = &identities(&server).await[..] else { panic!() };
    assert_eq!((identity.issuer.as_str(), identity.subject.as_str()), (&*provider.issuer(), "583231"));
}

fn issuer_of(settings: &Settings) -> String {
    match &settings.providers[0].kind {
        ProviderKind::OpenId { issuer } => issuer.clone(),
        ProviderKind::GitHub { address } => address.clone(),
    }
}

#[tokio::test]
async fn cancelled_sign_in_returns_to_the_app() {
    let (server, provider) = with_provider(|_| {}).await;
    for (error, expected) in [("access_denied", "PROVIDER_REFUSED"), ("server_error", "PROVIDER_FAILED")] {
        let visit = open(&server.anonymous(), &start_path("acme", RETURN_TO, VERIFIER)).await;
        let state = parameter(&visit.location, "state").unwrap();
        let location = come_back(&visit, &provider, &format!("error={error}&state={state}")).await;
        assert_eq!(location.as_str(), format!("{RETURN_TO}?error={expected}"));
    }
}

#[tokio::test]
async fn unknown_provider_returns_to_the_app() {
    let (server, _provider) = with_provider(|_| {}).await;
    let location = location_of(&server.anonymous().get(&start_path("other", RETURN_TO, VERIFIER)).await);
    assert_eq!(location.as_str(), format!("{RETURN_TO}?error=PROVIDER_UNKNOWN"));
}

#[tokio::test]
async fn failed_returns_from_a_provider_are_limited() {
    let (server, provider) =
        with_provider(|settings| settings.throttle.limits.failed_provider_logins_by_network = 2).await;
    for expected in ["PROVIDER_FAILED", "PROVIDER_FAILED", "RATE_LIMITED"] {
        let visit = open(&server.anonymous(), &start_path("acme", RETURN_TO, VERIFIER)).await;
        let state = parameter(&visit.location, "state").unwrap();
        let issuer = provider.issuer();
        let location = come_back(&visit, &provider, &format!("code=guessed&state={state}&iss={issuer}")).await;
        assert_eq!(parameter(&location, "error").as_deref(), Some(expected));
    }
    assert_eq!(provider.count("/token"), 2);
}

#[tokio::test]
async fn successful_returns_from_a_provider_are_not_counted() {
    let (server, provider) =
        with_provider(|settings| settings.throttle.limits.failed_provider_logins_by_network = 1).await;
    for _ in 0..3 {
        sign_in(&server, &provider, ada()).await.data("/loginWithCode");
    }
}

#[tokio::test]
async fn identities_that_are_found_by_an_address_are_limited_too() {
    let (server, provider) = with_provider(|_| {}).await;
    verified_ada(&server).await;
    for number in 0..20 {
        sign_in(&server, &provider, with(ada(), &json!({ "sub": number.to_string() }))).await.data("/loginWithCode");
    }
    assert_eq!(sign_in(&server, &provider, ada()).await.code(), "IDENTITY_LIMIT_REACHED");
}

#[tokio::test]
async fn sign_in_ends_the_session_whose_cookie_it_replaces() {
    let (server, provider) = with_provider(|_| {}).await;
    let login = "mutation($input: LoginWithCodeInput!) { loginWithCode(input: $input) { accessToken } }";
    let mut browser = server.anonymous();
    let mut sessions = Vec::new();
    // An account is created, another one is created, and the first one signs in again.
    for others in [json!({}), json!({ "sub": "bo", "email": null }), json!({})] {
        let code = code_for(&server, &provider, with(ada(), &others)).await;
        let answer = browser.graphql(login, json!({ "input": { "code": code, "codeVerifier": VERIFIER } })).await;
        sessions.push(server.anonymous().with_bearer(answer.data("/loginWithCode/accessToken").as_str().unwrap()));
        browser.cookie = Some(cookie_of(&answer));
    }
    for ended in &sessions[..2] {
        assert_eq!(ended.me().await.error()["extensions"]["reason"], "SESSION_REVOKED");
    }
    sessions[2].me().await.data("/me/id");
}

#[tokio::test]
async fn full_name_is_split_only_if_the_provider_gives_no_part() {
    let (server, provider) = with_provider(|_| {}).await;
    for (sub, others, expected) in [
        ("a", json!({ "name": "Ada King" }), json!({ "firstName": "Ada", "lastName": "King" })),
        ("b", json!({ "name": "Ada" }), json!({ "firstName": "Ada", "lastName": null })),
        ("c", json!({ "name": "Ada King", "given_name": "A." }), json!({ "firstName": "A.", "lastName": null })),
        ("d", json!({ "name": "Ada King", "family_name": "K." }), json!({ "firstName": null, "lastName": "K." })),
    ] {
        let answer = sign_in(&server, &provider, with(json!({ "sub": sub }), &others)).await;
        let names = signed_in(&server, &answer).query("{ me { firstName lastName } }").await.data("/me");
        assert_eq!(names, expected, "{others}");
    }
}

#[tokio::test]
async fn network_of_a_registration_is_familiar() {
    let (server, provider) = with_provider(|settings| settings.mail.sign_in = true).await;
    let home = server.anonymous().at("198.51.100.7");
    let code = code_for(&server, &provider, ada()).await;
    exchange(&home, &code, VERIFIER).await.data("/loginWithCode");
    // Mails that are requested from familiar networks have a count of their own.
    let request = async |client: &Actor| {
        let request = "mutation($input: RequestEmailSignInInput!) { requestEmailSignIn(input: $input) { expiresIn } }";
        let input = json!({ "email": "ada@example.org", "codeChallenge": challenge_of(VERIFIER) });
        client.graphql(request, json!({ "input": input })).await.data("/requestEmailSignIn");
    };
    for number in 0..5 {
        request(&server.anonymous().at(&format!("203.0.113.{number}"))).await;
    }
    let before = server.mails_to("ada@example.org").await.len();
    request(&home).await;
    assert_eq!(server.mails_to("ada@example.org").await.len(), before + 1);
}

#[tokio::test]
async fn providers_are_published() {
    let (server, _provider) = with_provider(|_| {}).await;
    let providers = server.anonymous().query("{ serverInfo { identityProviders { id name startUrl } } }").await;
    let expected =
        json!([{ "id": "acme", "name": "The provider acme", "startUrl": "http://localhost:8000/auth/acme" }]);
    assert_eq!(providers.data("/serverInfo/identityProviders"), expected);
}

#[tokio::test]
async fn flow_cookie_is_for_this_browser_and_ten_minutes() {
    let (server, _provider) = with_provider(|_| {}).await;
    let answer = server.anonymous().get(&start_path("acme", RETURN_TO, VERIFIER)).await;
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.starts_with("auth_"), "{cookie}");
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=600"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let (server, _provider) =
        with_provider(|settings| settings.server.public_url = "https://id.example.org".into()).await;
    let answer = server.anonymous().get(&start_path("acme", RETURN_TO, VERIFIER)).await;
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-auth_") && cookie.contains("Secure"), "{cookie}");
}

#[tokio::test]
async fn several_tabs_sign_in_at_once() {
    let (server, provider) = with_provider(|_| {}).await;
    let first = open(&server.anonymous(), &start_path("acme", RETURN_TO, VERIFIER)).await;
    let second = open(&first.browser, &start_path("acme", RETURN_TO, VERIFIER)).await;
    let mut browser = server.anonymous();
    browser.cookie = Some(format!("{}; {}", first.browser.cookie.unwrap(), second.browser.cookie.unwrap()));
    for location in [second.location, first.location] {
        let visit = Visit { browser: browser.clone(), location };
        let location = come_back(&visit, &provider, &provider.approve(&visit.location, ada())).await;
        let code = parameter(&location, "code").unwrap();
        exchange(&server.anonymous(), &code, VERIFIER).await.data("/loginWithCode");
    }
}

#[tokio::test]
async fn many_flows_in_one_browser_replace_each_other() {
    let (server, _provider) = with_provider(|_| {}).await;
    let mut browser = server.anonymous();
    let cookies: Vec<String> = (0..9).map(|number| format!("auth_{number:08}_0121783a=x")).collect();
    browser.cookie = Some(cookies.join("; "));
    let answer = browser.get(&start_path("acme", RETURN_TO, VERIFIER)).await;
    let changes = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
    assert_eq!(changes.filter(|change| change.contains("Max-Age=0")).count(), 2);
}

#[tokio::test]
async fn head_requests_have_no_effect() {
    let (server, provider) = with_provider(|_| {}).await;
    let path = start_path("acme", RETURN_TO, VERIFIER);
    assert_eq!(send(&server.anonymous(), Method::HEAD, &path).await.status, StatusCode::METHOD_NOT_ALLOWED);
    let visit = open(&server.anonymous(), &path).await;
    let query = provider.approve(&visit.location, ada());
    let callback = format!("/auth/acme/callback?{query}");
    assert_eq!(send(&visit.browser, Method::HEAD, &callback).await.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(provider.count("/token"), 0);
}

#[tokio::test]
async fn sessions_are_opened_by_the_exchange_only() {
    let (server, provider) = with_provider(|_| {}).await;
    let code = code_for(&server, &provider, ada()).await;
    let sessions = async || session::Entity::find().all(server.app.database.read()).await.unwrap().len();
    assert_eq!((sessions().await, users(&server).await, identities(&server).await.len()), (0, 0, 0));
    exchange(&server.anonymous(), &code, VERIFIER).await.data("/loginWithCode");
    assert_eq!(sessions().await, 1);
}

#[tokio::test]
async fn account_without_an_address_is_not_matched_by_an_address_that_is_none() {
    let (server, provider) = with_provider(|_| {}).await;
    server.user("bo").await;
    change(&server, "bo", |user| user.email_key = Set(None)).await;
    let answer = sign_in(&server, &provider, with(ada(), &json!({ "email": "not an address" }))).await;
    assert_eq!(answer.data("/loginWithCode/user/email"), Value::Null);
    assert_eq!(users(&server).await, 2);
}
