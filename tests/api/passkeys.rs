//! Passkeys: adding them, signing in with them, as the second factor, as proof of identity, and deleting them. The software
//! authenticator lies about everything that the server must check.

use chrono::TimeDelta;
use hallpass::{
    config::ExposeSecret,
    entity::{audit_event::Action, passkey, recovery_code, spent_challenge, totp_factor, user},
    jobs::purge::{Table, purge},
    security::{
        totp::TotpSecret,
        webauthn::{Algorithm, Flags},
    },
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use crate::support::{
    Actor, TestServer,
    authenticator::{Authenticator, encode},
    passkeys::*,
    password_of,
};

#[tokio::test]
async fn added_passkey_is_a_second_factor_with_recovery_codes() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await.with_header("user-agent", "Mozilla/5.0 (X11; Linux) Firefox/140.0");
    let mut authenticator = authenticator();
    let added = add_with(&ada, &mut authenticator, truth).await.data("/finishPasskeyRegistration");
    assert_eq!(added["user"], json!({ "mfaMethods": ["PASSKEY", "RECOVERY_CODE"], "recoveryCodesLeft": 10 }));
    assert_eq!(added["recoveryCodes"].as_array().unwrap().len(), 10);
    let passkey = &added["passkey"];
    assert_eq!(passkey["name"], "Firefox on Linux");
    assert_eq!(passkey["credentialId"], encode(&authenticator.credential_id));
    assert_eq!((&passkey["lastUsedAt"], &passkey["isSynced"]), (&Value::Null, &json!(false)));
    assert_eq!(count(&server, Action::PasskeyAdded).await, 1);
    let second = add_with(&ada, &mut self::authenticator(), truth).await.data("/finishPasskeyRegistration");
    assert_eq!(second["recoveryCodes"], Value::Null);
    assert_eq!(second["user"]["recoveryCodesLeft"], 10);
}

#[tokio::test]
async fn creation_options_name_the_user_and_exclude_known_passkeys() {
    let (_server, ada, authenticator) = with_passkey().await;
    let (_, options) = started(&ada.query(START).await);
    assert_eq!(options["rp"]["id"], "localhost");
    assert_eq!(options["user"]["name"], "ada");
    assert_eq!(options["excludeCredentials"][0]["id"], encode(&authenticator.credential_id));
    assert_eq!(options["excludeCredentials"][0]["transports"], json!(["internal", "hybrid"]));
}

#[tokio::test]
async fn passkeys_of_all_algorithms_sign_in_with_two_factors() {
    for (algorithm, backup_flags, key) in [
        (Algorithm::Es256, 0, "hwk"),
        (Algorithm::EdDsa, Flags::BACKUP_ELIGIBLE, "hwk"),
        (Algorithm::Rs256, Flags::BACKUP_ELIGIBLE | Flags::BACKED_UP, "swk"),
    ] {
        let server = TestServer::start().await;
        let mut authenticator = Authenticator::new(algorithm, ORIGIN);
        authenticator.backup_flags = backup_flags;
        add(&server.user("ada").await, &mut authenticator).await;
        let login = log_in_with(&server, &mut authenticator, truth).await;
        assert_eq!(login.data("/finishPasskeyLogin/user/username"), "ada");
        let ada = bearer(&server, &login, "finishPasskeyLogin");
        assert_eq!(claims(&ada)["amr"], json!([key, "user", "mfa"]));
        assert_eq!(claims(&ada)["acr"], "aal2");
        ada.me().await.data("/me/id");
        let passkeys = "{ me { passkeys { lastUsedAt isSynced } } }";
        let passkey = ada.query(passkeys).await.data("/me/passkeys/0");
        assert!(passkey["lastUsedAt"].is_string());
        assert_eq!(passkey["isSynced"], key == "swk");
    }
}

#[tokio::test]
async fn login_options_name_no_passkey_and_write_nothing() {
    let (server, _, _) = with_passkey().await;
    let (_, options) = started(&server.anonymous().query(START_LOGIN).await);
    assert_eq!(options["allowCredentials"], json!([]));
    assert_eq!(options["userVerification"], "required");
    let spent = spent_challenge::Entity::find().all(server.app.database.read()).await.unwrap();
    assert_eq!(spent.len(), 1, "only that of the registration");
}

#[tokio::test]
async fn every_lie_in_a_registration_is_refused() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let lies: &[(&str, Lie)] = &[
        ("credential id", |s| s.credential_id = vec![1; 1024]),
        ("no credential", |s| s.flags &= !Flags::ATTESTED_CREDENTIAL),
        ("algorithm", |s| s.cose_key = crate::support::authenticator::cbor::map(&[])),
        ("attestation", |s| s.attestation_format = "packed".into()),
        ("type of the other ceremony", |s| s.client_data["type"] = json!("webauthn.get")),
    ];
    for (what, lie) in LIES.iter().chain(lies) {
        let answer = add_with(&ada, &mut authenticator(), *lie).await;
        assert_eq!(answer.code(), "PASSKEY_INVALID", "{what}");
        assert_eq!(answer.error()["message"], "This passkey could not be verified. Try again, or sign in another way.");
    }
    assert!(passkey::Entity::find().all(server.app.database.read()).await.unwrap().is_empty());
    add(&ada, &mut authenticator()).await;
}

#[tokio::test]
async fn every_lie_in_a_login_is_refused() {
    let (server, _, mut authenticator) = with_passkey().await;
    let before = sessions(&server).await;
    let lies: &[(&str, Lie)] = &[
        ("credential id", |s| s.credential_id = vec![1; 20]),
        ("backup eligibility", |s| s.flags |= Flags::BACKUP_ELIGIBLE),
        ("no user handle", |s| s.user_handle = None),
        ("user handle of another user", |s| s.user_handle = Some(vec![7; 16])),
        ("type of the other ceremony", |s| s.client_data["type"] = json!("webauthn.create")),
    ];
    for (what, lie) in LIES.iter().chain(lies) {
        let answer = log_in_with(&server, &mut authenticator, *lie).await;
        assert_eq!(answer.code(), "PASSKEY_INVALID", "{what}");
    }
    assert_eq!(sessions(&server).await, before);
    log_in_with(&server, &mut authenticator, truth).await.data("/finishPasskeyLogin/accessToken");
}

#[tokio::test]
async fn forged_signature_and_malformed_credentials_are_refused() {
    let (server, _, mut authenticator) = with_passkey().await;
    let (token, options) = started(&server.anonymous().query(START_LOGIN).await);
    let mut credential = authenticator.get(&options, truth);
    credential["response"]["signature"] = encode(&[0; 70]);
    for credential in [credential, json!({}), json!(null), json!([1]), json!("text"), json!({ "id": 1 })] {
        let answer = finish_login(&server.anonymous(), &token, &credential).await;
        let code = answer.code();
        assert!(["PASSKEY_INVALID", "BAD_USER_INPUT"].contains(&&*code), "{credential}: {code}");
    }
}

#[tokio::test]
async fn ceremony_works_once() {
    let (server, ada, mut authenticator) = with_passkey().await;
    let (token, options) = started(&server.anonymous().query(START_LOGIN).await);
    let credential = authenticator.get(&options, truth);
    finish_login(&server.anonymous(), &token, &credential).await.data("/finishPasskeyLogin/accessToken");
    assert_eq!(finish_login(&server.anonymous(), &token, &credential).await.code(), "PASSKEY_INVALID");

    let (token, options) = started(&ada.query(START).await);
    finish(&ada, &token, self::authenticator().create(&options, truth)).await.data("/finishPasskeyRegistration");
    let again = finish(&ada, &token, self::authenticator().create(&options, truth)).await;
    assert_eq!(again.code(), "PASSKEY_INVALID");
}

#[tokio::test]
async fn one_of_many_concurrent_finishes_opens_a_session() {
    let (server, _, mut authenticator) = with_passkey().await;
    let before = sessions(&server).await;
    let (token, options) = started(&server.anonymous().query(START_LOGIN).await);
    let credential = authenticator.get(&options, truth);
    let finishes = (0..20).map(|_| async { finish_login(&server.anonymous(), &token, &credential).await });
    let answers = futures_util::future::join_all(finishes).await;
    let (signed_in, refused): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.json()["data"]["finishPasskeyLogin"].is_object());
    assert_eq!((signed_in.len(), refused.len()), (1, 19));
    assert!(refused.iter().all(|answer| answer.code() == "PASSKEY_INVALID"));
    assert_eq!(sessions(&server).await, before + 1);
}

#[tokio::test]
async fn ceremony_expires_after_fifteen_minutes() {
    let (server, _, mut authenticator) = with_passkey().await;
    let (token, options) = started(&server.anonymous().query(START_LOGIN).await);
    server.clock.advance(TimeDelta::minutes(15));
    let credential = authenticator.get(&options, truth);
    assert_eq!(finish_login(&server.anonymous(), &token, &credential).await.code(), "PASSKEY_INVALID");
}

#[tokio::test]
async fn ceremonies_are_not_interchangeable() {
    let (server, ada, mut authenticator) = with_passkey().await;
    let (token, options) = started(&ada.query(START_VERIFICATION).await);
    let credential = authenticator.get(&options, truth);
    assert_eq!(finish_login(&server.anonymous(), &token, &credential).await.code(), "PASSKEY_INVALID");
    let challenge = challenge(&server).await;
    assert_eq!(verify(&server, &challenge, &token, &credential).await.code(), "PASSKEY_INVALID");
    let bo = server.user("bo").await;
    let (token, options) = started(&ada.query(START).await);
    let stolen = finish(&bo, &token, self::authenticator().create(&options, truth)).await;
    assert_eq!(stolen.code(), "PASSKEY_INVALID");
}

#[tokio::test]
async fn counter_that_went_back_is_refused_and_audited() {
    let server = TestServer::start().await;
    let mut authenticator = authenticator();
    authenticator.counter = 5;
    add(&server.user("ada").await, &mut authenticator).await;
    log_in_with(&server, &mut authenticator, truth).await.data("/finishPasskeyLogin/accessToken");
    for (number, counter) in [6, 1, 0].into_iter().enumerate() {
        let answer = log_in_with(&server, &mut authenticator, |statement| statement.counter = counter).await;
        assert_eq!(answer.code(), "PASSKEY_INVALID", "{counter}");
        assert_eq!(count(&server, Action::PasskeyFailed).await, number + 1, "{counter}");
    }
    authenticator.counter = 9;
    log_in_with(&server, &mut authenticator, truth).await.data("/finishPasskeyLogin/accessToken");
}

#[tokio::test]
async fn credential_belongs_to_one_user() {
    let (server, _, mut authenticator) = with_passkey().await;
    let bo = server.user("bo").await;
    let answer = add_with(&bo, &mut authenticator, truth).await;
    assert_eq!(answer.code(), "PASSKEY_INVALID");
    assert_eq!(
        bo.query("{ me { passkeys { id } mfaMethods } }").await.data("/me"),
        json!({ "passkeys": [], "mfaMethods": [] })
    );
}

#[tokio::test]
async fn disabled_user_cannot_sign_in_with_a_passkey() {
    let (server, _, mut authenticator) = with_passkey().await;
    server.disable("ada").await;
    assert_eq!(log_in_with(&server, &mut authenticator, truth).await.code(), "ACCOUNT_DISABLED");
    let lie = log_in_with(&server, &mut authenticator, |statement| statement.rp_id = "evil.example".into()).await;
    assert_eq!(lie.code(), "PASSKEY_INVALID");
}

#[tokio::test]
async fn passkey_is_the_second_factor_after_a_password() {
    let (server, _, mut authenticator) = with_passkey().await;
    let input = json!({ "username": "ada", "password": password_of("ada"), "tokenDelivery": "BODY" });
    let login = server.anonymous().graphql(LOGIN, json!({ "input": input })).await;
    assert_eq!(login.error()["extensions"]["mfa"]["methods"], json!(["PASSKEY", "RECOVERY_CODE"]));
    let challenge = challenge(&server).await;
    let (token, options) = start_for(&server, &challenge).await;
    assert_eq!(options["allowCredentials"][0]["id"], encode(&authenticator.credential_id));
    let credential = authenticator.get(&options, |statement| statement.user_handle = None);
    let verified = verify(&server, &challenge, &token, &credential).await;
    assert_eq!(verified.data("/verifyMfa/user/username"), "ada");
    let claims = claims(&bearer(&server, &verified, "verifyMfa"));
    assert_eq!((&claims["amr"], &claims["acr"]), (&json!(["pwd", "hwk", "user", "mfa"]), &json!("aal2")));
}

#[tokio::test]
async fn passkey_of_another_user_is_no_second_factor() {
    let (server, _, _) = with_passkey().await;
    let mut other = authenticator();
    add(&server.user("bo").await, &mut other).await;
    let challenge = challenge(&server).await;
    let (token, options) = start_for(&server, &challenge).await;
    let answer = verify(&server, &challenge, &token, &other.get(&options, truth)).await;
    assert_eq!(answer.code(), "PASSKEY_INVALID");
    assert_eq!(count(&server, Action::MfaFailed).await, 1);
}

#[tokio::test]
async fn ceremony_of_another_challenge_is_refused() {
    let (server, _, mut authenticator) = with_passkey().await;
    let (first, second) = (challenge(&server).await, challenge(&server).await);
    let (token, options) = start_for(&server, &first).await;
    let credential = authenticator.get(&options, truth);
    assert_eq!(verify(&server, &second, &token, &credential).await.code(), "PASSKEY_INVALID");
    verify(&server, &first, &token, &credential).await.data("/verifyMfa/accessToken");
}

#[tokio::test]
async fn passkey_proves_the_identity_of_its_own_session() {
    let (server, ada, mut authenticator) = with_passkey().await;
    server.clock.advance(TimeDelta::minutes(11));
    assert_eq!(ada.query(START).await.code(), "REAUTHENTICATION_REQUIRED");
    let other = bearer(&server, &log_in_with(&server, &mut authenticator, truth).await, "finishPasskeyLogin");
    let (token, options) = started(&ada.query(START_VERIFICATION).await);
    let proof = json!({ "passkey": { "ceremonyToken": token, "credential": authenticator.get(&options, truth) } });
    let proof = json!({ "input": proof });
    assert_eq!(other.graphql(REAUTHENTICATE, proof.clone()).await.code(), "PASSKEY_INVALID");
    let proved = ada.graphql(REAUTHENTICATE, proof.clone()).await;
    let proved = bearer(&server, &proved, "reauthenticate");
    assert_eq!(claims(&proved)["acr"], "aal2");
    started(&proved.query(START).await);
    assert_eq!(proved.graphql(REAUTHENTICATE, proof).await.code(), "PASSKEY_INVALID");
}

#[tokio::test]
async fn verification_needs_a_passkey() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    assert_eq!(ada.query(START_VERIFICATION).await.code(), "MFA_NOT_ENABLED");
    assert_eq!(server.anonymous().query(START_VERIFICATION).await.code(), "UNAUTHENTICATED");
    let unknown = server.anonymous().graphql(START_VERIFICATION, json!({ "input": { "mfaToken": "x" } })).await;
    assert_eq!(unknown.code(), "MFA_CHALLENGE_EXPIRED");
}

#[tokio::test]
async fn last_second_factor_is_deleted_with_recovery_codes() {
    let (server, ada, mut authenticator) = with_passkey().await;
    let id = ada.query("{ me { passkeys { id } } }").await.data("/me/passkeys/0/id");
    let deleted = delete(&ada, &id).await.data("/deletePasskey");
    assert_eq!(deleted, json!({ "deletedPasskeyId": id, "user": { "mfaMethods": [], "passkeys": [] } }));
    assert!(recovery_code::Entity::find().all(server.app.database.read()).await.unwrap().is_empty());
    assert_eq!(log_in_with(&server, &mut authenticator, truth).await.code(), "PASSKEY_INVALID");
    server.signed_in("ada").await.me().await.data("/me/id");
    assert_eq!(delete(&ada, &id).await.code(), "NOT_FOUND");
}

/// Sets up an authenticator app.
async fn add_app(server: &TestServer, actor: &Actor) {
    let started = actor.query("mutation { startTotpEnrollment { secret } }").await;
    started.data("/startTotpEnrollment/secret");
    let factor = totp_factor::Entity::find().one(server.app.database.read()).await.unwrap().unwrap();
    let secret = server.app.totp_sealer.open(factor.user_id, &factor.sealed()).unwrap();
    let code = TotpSecret::from_bytes(&secret).unwrap().code_at(server.app.clock.now()).unwrap();
    let confirm =
        "mutation($input: ConfirmTotpEnrollmentInput!) { confirmTotpEnrollment(input: $input) { recoveryCodes } }";
    let confirmed = actor.graphql(confirm, json!({ "input": { "code": code.expose_secret() } })).await;
    confirmed.data("/confirmTotpEnrollment/recoveryCodes");
}

#[tokio::test]
async fn recovery_codes_stay_while_another_factor_remains() {
    let (server, ada, _) = with_passkey().await;
    add_app(&server, &ada).await;
    let factors = "{ me { mfaMethods recoveryCodesLeft passkeys { id } } }";
    let before = ada.query(factors).await.data("/me");
    assert_eq!(before["mfaMethods"], json!(["TOTP", "PASSKEY", "RECOVERY_CODE"]));
    let deleted = delete(&ada, &before["passkeys"][0]["id"]).await;
    assert_eq!(deleted.data("/deletePasskey/user/mfaMethods"), json!(["TOTP", "RECOVERY_CODE"]));
    add(&ada, &mut authenticator()).await;
    let disabled = ada.query("mutation { disableTotp { user { mfaMethods recoveryCodesLeft } } }").await;
    let expected = json!({ "mfaMethods": ["PASSKEY", "RECOVERY_CODE"], "recoveryCodesLeft": 10 });
    assert_eq!(disabled.data("/disableTotp/user"), expected);
    assert_eq!(ada.query("mutation { disableTotp { user { id } } }").await.code(), "MFA_NOT_ENABLED");
}

#[tokio::test]
async fn deletion_requires_a_fresh_second_factor() {
    let (server, ada, _) = with_passkey().await;
    let id = ada.query("{ me { passkeys { id } } }").await.data("/me/passkeys/0/id");
    server.clock.advance(TimeDelta::minutes(10));
    assert_eq!(delete(&ada, &id).await.code(), "REAUTHENTICATION_REQUIRED");
}

#[tokio::test]
async fn last_way_to_sign_in_is_not_deleted() {
    let (server, ada, _) = with_passkey().await;
    change_user(&server, |user| user.has_password = Set(false)).await;
    let first = ada.query("{ me { passkeys { id } } }").await.data("/me/passkeys/0/id");
    assert_eq!(delete(&ada, &first).await.code(), "LAST_SIGN_IN_METHOD");
    let second = add(&ada, &mut authenticator()).await["id"].clone();
    let (one, other) = tokio::join!(delete(&ada, &first), delete(&ada, &second));
    let codes = [one, other].map(|answer| answer.json()["errors"][0]["extensions"]["code"].clone());
    assert!(codes.contains(&Value::Null) && codes.contains(&json!("LAST_SIGN_IN_METHOD")), "{codes:?}");
    assert_eq!(passkey::Entity::find().all(server.app.database.read()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn passkeys_of_other_users_are_out_of_reach() {
    let (server, ada, _) = with_passkey().await;
    let bo = server.user("bo").await;
    let id = ada.query("{ me { passkeys { id } } }").await.data("/me/passkeys/0/id");
    assert_eq!(delete(&bo, &id).await.code(), "NOT_FOUND");
    let rename = json!({ "input": { "passkeyId": id, "name": "Mine" } });
    assert_eq!(bo.graphql(RENAME, rename.clone()).await.code(), "NOT_FOUND");
    let node = "query($id: ID!) { node(id: $id) { ... on Passkey { name } } }";
    assert_eq!(bo.graphql(node, json!({ "id": id })).await.data("/node"), Value::Null);
    assert_eq!(ada.graphql(RENAME, rename).await.data("/renamePasskey/passkey/name"), "Mine");
    assert_eq!(ada.graphql(node, json!({ "id": id })).await.data("/node/name"), "Mine");
    assert_eq!(count(&server, Action::PasskeyRenamed).await, 1);
}

#[tokio::test]
async fn administrators_see_passkeys_and_second_factors() {
    let (server, _, _) = with_passkey().await;
    let boss = server.administrator("boss").await;
    let users = "{ users(filter: { hasMfa: true }) { nodes { username mfaMethods passkeys { name } } } }";
    let expected = json!([{
        "username": "ada",
        "mfaMethods": ["PASSKEY", "RECOVERY_CODE"],
        "passkeys": [{ "name": "Unknown device" }],
    }]);
    assert_eq!(boss.query(users).await.data("/users/nodes"), expected);
    let without = "{ users(filter: { hasMfa: false }) { nodes { username } } }";
    assert_eq!(boss.query(without).await.data("/users/nodes"), json!([{ "username": "boss" }]));
}

#[tokio::test]
async fn reset_of_the_second_factor_removes_passkeys() {
    let (server, _, mut authenticator) = with_passkey().await;
    let boss = server.administrator("boss").await;
    let by_name = user::Entity::find().filter(user::Column::Username.eq("ada"));
    let id = by_name.one(server.app.database.read()).await.unwrap().unwrap().id;
    let reset = "mutation($input: ResetUserMfaInput!) { resetUserMfa(input: $input) { user { mfaMethods } } }";
    let reset = boss.graphql(reset, json!({ "input": { "userId": id, "reason": "lost" } })).await;
    assert_eq!(reset.data("/resetUserMfa/user/mfaMethods"), json!([]));
    assert_eq!(log_in_with(&server, &mut authenticator, truth).await.code(), "PASSKEY_INVALID");
    server.signed_in("ada").await.me().await.data("/me/id");
}

#[tokio::test]
async fn user_who_must_enroll_may_add_a_passkey() {
    let server = TestServer::with(|settings| settings.registration.mfa_required_roles = vec!["user".to_owned()]).await;
    let (ada, other) = (server.user("ada").await, server.signed_in("ada").await);
    assert_eq!(ada.me().await.code(), "MFA_ENROLLMENT_REQUIRED");
    let added = "mutation($input: FinishPasskeyRegistrationInput!) { finishPasskeyRegistration(input: $input) { recoveryCodes } }";
    let (token, options) = started(&ada.query(START).await);
    let input = json!({ "ceremonyToken": token, "credential": authenticator().create(&options, truth) });
    ada.graphql(added, json!({ "input": input })).await.data("/finishPasskeyRegistration/recoveryCodes");
    ada.me().await.data("/me/id");
    assert_eq!(other.me().await.code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn session_from_before_another_factor_adds_no_passkey() {
    let server = TestServer::start().await;
    let (ada, thief) = (server.user("ada").await, server.signed_in("ada").await);
    let (token, options) = started(&thief.query(START).await);
    add(&ada, &mut authenticator()).await;
    let stolen = finish(&thief, &token, authenticator().create(&options, truth)).await;
    assert_eq!(stolen.code(), "REAUTHENTICATION_REQUIRED");
}

#[tokio::test]
async fn user_has_at_most_twenty_passkeys() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let (token, options) = started(&ada.query(START).await);
    for _ in 0..20 {
        add(&ada, &mut authenticator()).await;
    }
    assert_eq!(ada.query(START).await.code(), "PASSKEY_LIMIT_REACHED");
    let late = finish(&ada, &token, authenticator().create(&options, truth)).await;
    assert_eq!(late.code(), "PASSKEY_LIMIT_REACHED");
}

#[tokio::test]
async fn names_of_passkeys_are_checked() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    for (name, code) in [("x".repeat(101), "TOO_LONG"), ("a\u{7}b".to_owned(), "BAD_USER_INPUT")] {
        let (token, options) = started(&ada.query(START).await);
        let credential = authenticator().create(&options, truth);
        let input = json!({ "ceremonyToken": token, "credential": credential, "name": name });
        assert_eq!(ada.graphql(FINISH, json!({ "input": input })).await.code(), code);
    }
    let id = add(&ada, &mut authenticator()).await["id"].clone();
    let blank = ada.graphql(RENAME, json!({ "input": { "passkeyId": id, "name": "  " } })).await;
    assert_eq!(blank.code(), "REQUIRED");
}

#[tokio::test]
async fn user_is_notified_of_passkeys() {
    let server = TestServer::start().await;
    let ada = server.user_at("ada", "ada@example.org").await;
    ada.verify_email(&server.token_to("ada@example.org").await).await.data("/verifyEmail");
    let id = add(&ada, &mut authenticator()).await["id"].clone();
    assert_eq!(server.mails_to("ada@example.org").await[0].text.subject, "A passkey was added");
    delete(&ada, &id).await.data("/deletePasskey");
    assert_eq!(server.mails_to("ada@example.org").await[0].text.subject, "A passkey was removed");
}

#[tokio::test]
async fn spent_challenges_are_purged_after_they_expire() {
    let (server, _, _) = with_passkey().await;
    assert_eq!(purge(&server.app, Table::SpentChallenges).await.unwrap(), 0);
    server.clock.advance(TimeDelta::minutes(15));
    assert_eq!(purge(&server.app, Table::SpentChallenges).await.unwrap(), 1);
}

#[tokio::test]
async fn related_origins_are_published() {
    let server = TestServer::start().await;
    let origins = server.anonymous().get("/.well-known/webauthn").await.json()["origins"].clone();
    assert!(origins.as_array().unwrap().contains(&json!(ORIGIN)), "{origins}");
    assert_eq!(origins.as_array().unwrap().len(), server.app.settings.passkeys.web_origins.len());
}
