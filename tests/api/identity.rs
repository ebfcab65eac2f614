//! Identity: equivalent spellings of a username or e-mail address belong to one account only.

use hallpass::entity::user;
use sea_orm::EntityTrait;

use crate::support::{TestServer, json};

const PASSWORD: &str = "correct horse battery";

/// These tests try more usernames than the hourly limit allows.
async fn without_throttle() -> TestServer {
    TestServer::with(|settings| settings.throttle.is_enabled = false).await
}

async fn accounts(server: &TestServer) -> usize {
    user::Entity::find().all(server.app.database.read()).await.unwrap().len()
}

#[tokio::test]
async fn usernames_are_case_insensitive_and_ascii() {
    let server = without_throttle().await;
    for (username, same, others) in [
        (
            "Ada_L-1",
            &["ada_l-1", "ADA_L-1", "aDA_l-1", " Ada_L-1", "Ada_L-1 ", "Ada_L-1\u{a0}", "Ada_L-1\n", "\tAda_L-1"][..],
            &[
                "Ada_L -1",
                "Ada_L-1\0",
                "Ada_L-1\0x",
                "\0Ada_L-1",
                "Ada\u{200b}_L-1",
                "Ada\u{200d}_L-1",
                "\u{feff}Ada_L-1",
                "Ada\u{ad}_L-1",
                "\u{202e}Ada_L-1",
                "A\u{301}da_L-1",
                "Ada_L-1\u{301}",
                "\u{c1}da_L-1",
                "Ａｄａ_L-1",
                "Аda_L-1",
                "Αda_L-1",
                "Ada_L\u{2010}1",
                "Ada_L\u{2212}1",
                "Ada＿L-1",
                "Ada_L-\u{b9}",
                "Ada_L-\u{661}",
                "𝐀da_L-1",
            ][..],
        ),
        // Letters that case mapping turns into ASCII: Kelvin sign, long s, dotted I, dotless i, sharp s.
        (
            "kissmi",
            &["KISSMI", "Kissmi", "kissMI"][..],
            &["\u{212a}issmi", "ki\u{17f}\u{17f}mi", "kissm\u{130}", "kissm\u{131}", "ki\u{df}mi", "ki\u{1e9e}mi"][..],
        ),
    ] {
        let form = |username: &str| json!({ "username": username, "password": PASSWORD });
        let id = server.anonymous().register(form(username)).await.data("/register/user/id");
        let before = accounts(&server).await;
        for spelling in same {
            assert_eq!(server.anonymous().register(form(spelling)).await.problems(), ["username: USERNAME_TAKEN"]);
            assert_eq!(server.anonymous().login(spelling, PASSWORD).await.data("/login/user/id"), id, "{spelling}");
        }
        for other in others {
            let answer = server.anonymous().register(form(other)).await;
            assert_eq!(answer.problems(), ["username: INVALID_USERNAME"], "{other:?}");
            assert_eq!(server.anonymous().login(other, PASSWORD).await.code(), "INVALID_CREDENTIALS", "{other:?}");
        }
        assert_eq!(accounts(&server).await, before);
    }
}

#[tokio::test]
async fn equivalent_emails_belong_to_one_account() {
    let server = without_throttle().await;
    for (number, (email, same)) in [
        (
            "Ada.King+1@example.org",
            &[
                "ada.king+1@example.org",
                "ADA.KING+1@EXAMPLE.ORG",
                "ada.king+1@ｅｘａｍｐｌｅ.org",
                "ada.king+1@example\u{3002}org",
                "ada.king+1@example\u{ff0e}org",
                "ada.king+1@exam\u{200b}ple.org",
                "ada.king+1@exam\u{ad}ple.org",
                "ada.king+1@\u{1d41e}xample.org",
                " ada.king+1@example.org",
                "ada.king+1@example.org\u{a0}",
                "ada.king+1@example.org\n",
            ][..],
        ),
        ("kim@kim.example", &["kim@\u{212a}im.example", "KIM@KIM.EXAMPLE"][..]),
        (
            "ada@e\u{301}t\u{e9}.example",
            &["ada@\u{e9}t\u{e9}.example", "ADA@E\u{301}TE\u{301}.example", "ada@xn--t-9fab.example"][..],
        ),
        (
            "ada@straße.example",
            &["ada@STRA\u{1e9e}E.example", "ada@xn--strae-oqa.example", "ada@XN--STRAE-OQA.example"][..],
        ),
        ("ada@пример.рф", &["ADA@ПРИМЕР.РФ", "ada@xn--e1afmkfd.xn--p1ai", "ada@xn--e1afmkfd.РФ"][..]),
        ("ada@\u{130}stanbul.example", &["ada@i\u{307}stanbul.example"][..]),
        ("ada@ıstanbul.example", &["ada@xn--stanbul-qfb.example"][..]),
    ]
    .into_iter()
    .enumerate()
    {
        let form =
            |username: String, email: &str| json!({ "username": username, "password": PASSWORD, "email": email });
        let answer = server.anonymous().register(form(format!("user{number}"), email)).await;
        let id = answer.data("/register/user/id");
        for spelling in same.iter().copied().chain([email]) {
            let answer = server.anonymous().register(form(format!("other{number}"), spelling)).await;
            assert_eq!(answer.problems(), ["email: EMAIL_TAKEN"], "{spelling:?}");
            assert_eq!(server.anonymous().login(spelling, PASSWORD).await.data("/login/user/id"), id, "{spelling:?}");
        }
        assert_eq!(accounts(&server).await, number + 1);
    }
}

#[tokio::test]
async fn lookalike_emails_are_invalid_or_distinct() {
    let server = without_throttle().await;
    let form = |username: &str, email: &str| json!({ "username": username, "password": PASSWORD, "email": email });
    let id = server.anonymous().register(form("ada", "ada@example.org")).await.data("/register/user/id");
    for other in [
        "ada @example.org",
        "ada@ example.org",
        "ada@example.org\0",
        "ada\0@example.org",
        "ada@example.org\0.example.com",
        "ada@example.org.",
        "ada@.example.org",
        "a\u{200b}da@example.org",
        "\u{feff}ada@example.org",
        "a\u{301}da@example.org",
        "ａda@example.org",
        "аda@example.org",
        "ad\u{430}@example.org",
        "ada＠example.org",
        "\"ada\"@example.org",
        "(a)ada@example.org",
        "ada@example.org@example.org",
        "<ada@example.org>",
        ".ada@example.org",
        "ada.@example.org",
        "ada@xn--example-.org",
        "ada@xn--example.org",
    ] {
        let answer = server.anonymous().register(form("other", other)).await;
        assert_eq!(answer.problems(), ["email: INVALID_EMAIL"], "{other:?}");
        assert_eq!(server.anonymous().login(other, PASSWORD).await.code(), "INVALID_CREDENTIALS", "{other:?}");
    }
    assert_eq!(accounts(&server).await, 1);

    // According to the standards for mail and DNS, these addresses belong to other mailboxes. Some providers treat the first two
    // as the same mailbox, but the server cannot know which.
    for (number, other) in [
        "ad.a@example.org",
        "ada+1@example.org",
        "ada@mail.example.org",
        "ada@ex\u{e1}mple.org",
        "ada@ехample.org",
        "ada@exampıe.org",
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(server.anonymous().login(other, PASSWORD).await.code(), "INVALID_CREDENTIALS", "{other:?}");
        let answer = server.anonymous().register(form(&format!("other{number}"), other)).await;
        assert_ne!(answer.data("/register/user/id"), id, "{other:?}");
    }
}

#[tokio::test]
async fn username_is_never_mistaken_for_an_email() {
    let server = without_throttle().await;
    server
        .anonymous()
        .register(json!({ "username": "ada", "password": PASSWORD, "email": "bo@example.org" }))
        .await
        .data("/register/user");
    let bo = json!({ "username": "bo", "password": "another password", "email": "ada@example.org" });
    let id = server.anonymous().register(bo).await.data("/register/user/id");
    for name in ["bo", "BO", "ada@example.org"] {
        assert_eq!(server.anonymous().login(name, "another password").await.data("/login/user/id"), id);
        assert_eq!(server.anonymous().login(name, PASSWORD).await.code(), "INVALID_CREDENTIALS");
    }
    for name in ["bo@example.org@", "@bo", "bo@", "ada@bo@example.org"] {
        assert_eq!(server.anonymous().login(name, PASSWORD).await.code(), "INVALID_CREDENTIALS");
    }
}
