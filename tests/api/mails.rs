//! The outbox and its worker, with an SMTP server on a loopback port.

use std::{collections::BTreeSet, sync::Arc};

use chrono::TimeDelta;
use hallpass::{
    entity::{link, mail},
    jobs::deliver_mail,
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, DbBackend, EntityTrait, IntoActiveModel};

use crate::support::{SmtpServer, TestServer, json, logged, password_of, token_in};

async fn server_with(smtp: &SmtpServer) -> TestServer {
    TestServer::with(|settings| {
        settings.throttle.is_enabled = false;
        settings.mail.smtp = vec![smtp.settings()];
        settings.mail.dev = false;
        settings.mail.from = "Example <accounts@example.net>".parse().unwrap();
    })
    .await
}

async fn waiting(server: &TestServer) -> Vec<mail::Model> {
    mail::Entity::find().all(server.app.database.read()).await.unwrap()
}

#[tokio::test]
async fn mail_is_well_formed() {
    let smtp = SmtpServer::start().await;
    let server = server_with(&smtp).await;
    let register = "mutation($input: RegisterInput!) { register(input: $input) { accessToken } }";
    for (name, email, language) in [("ada", "Ada@example.org", "en"), ("вера", "vera@ПРИМЕР.рф", "ru-RU,ru;q=0.9")]
    {
        let username = if name == "ada" { name } else { "vera" };
        let input = json!({ "username": username, "password": password_of(username), "email": email });
        let actor = server.anonymous();
        let request = actor
            .request(axum::http::Method::POST, "/graphql")
            .header("content-type", "application/json")
            .header("accept-language", language)
            .body(json!({ "query": register, "variables": { "input": input } }).to_string().into());
        actor.send(request.unwrap()).await.data("/register/accessToken");
    }
    let id = waiting(&server).await.iter().find(|mail| mail.email == "Ada@example.org").unwrap().id;
    assert_eq!(deliver_mail::tick(&server.app).await.unwrap(), 2);
    assert_eq!(waiting(&server).await, []);

    let mut received = smtp.received();
    received.sort_by_key(|mail| mail.to.clone());
    let [english, russian] = &received[..] else { panic!("{received:?}") };
    assert_eq!((english.from.as_str(), english.to.as_str()), ("accounts@example.net", "Ada@example.org"));
    assert_eq!(english.header("From").unwrap(), "Example <accounts@example.net>");
    assert_eq!(english.header("To").unwrap(), "Ada@example.org");
    assert_eq!(english.header("Subject").unwrap(), "Confirm your e-mail address");
    assert_eq!(english.header("Date").unwrap(), "Sat, 31 Jan 2026 12:00:00 +0000");
    assert_eq!(english.header("Message-ID").unwrap(), format!("<{id}@example.net>"));
    assert_eq!(english.header("Auto-Submitted").unwrap(), "auto-generated");
    assert_eq!(english.header("MIME-Version").unwrap(), "1.0");
    assert!(english.header("Content-Type").unwrap().starts_with("multipart/alternative;"));
    let parts = english.parts();
    assert_eq!(
        parts.iter().map(|(kind, _)| kind.as_str()).collect::<Vec<_>>(),
        ["text/plain; charset=utf-8", "text/html; charset=utf-8"]
    );
    let token = token_in(&parts[0].1);
    assert!(parts[1].1.contains(&format!("verify-email?token={token}\"")), "{}", parts[1].1);
    server.anonymous().verify_email(&token).await.data("/verifyEmail");

    assert!(russian.data.is_ascii() && russian.data.lines().all(|line| line.len() <= 998));
    assert_eq!(russian.to, "vera@xn--e1afmkfd.xn--p1ai");
    assert!(russian.parts()[0].1.starts_with("Здравствуйте, vera!"), "{:?}", russian.parts());
    server.anonymous().verify_email(&token_in(&russian.parts()[0].1)).await.data("/verifyEmail");
}

#[tokio::test]
async fn queued_mail_is_sent_once_after_an_smtp_outage() {
    let mut smtp = SmtpServer::start().await;
    smtp.stop().await;
    let server = server_with(&smtp).await;
    let names: Vec<String> = (0..40).map(|number| format!("user{number}")).collect();
    for name in &names {
        server.user_at(name, &format!("{name}@example.org")).await;
    }
    for round in 0..60 {
        assert_eq!(deliver_mail::tick(&server.app).await.unwrap(), 0);
        // After one connection failure, the worker does not try the remaining mails.
        let tried = waiting(&server).await.iter().filter(|mail| mail.attempts > 0).count();
        assert!((1..=4).contains(&tried) || round > 0, "{tried}");
        server.clock.advance(TimeDelta::minutes(1));
    }
    assert_eq!(waiting(&server).await.len(), 40);
    smtp.restart().await;
    let mut sent = 0;
    for _ in 0..60 {
        sent += deliver_mail::tick(&server.app).await.unwrap();
        server.clock.advance(TimeDelta::minutes(1));
    }
    assert_eq!((sent, waiting(&server).await.len()), (40, 0));
    let received = smtp.received();
    let recipients: BTreeSet<&str> = received.iter().map(|mail| mail.to.as_str()).collect();
    assert_eq!((received.len(), recipients.len()), (40, 40));
    // The link is created, and its lifetime starts, when the mail is sent.
    let token = token_in(&received.last().unwrap().parts()[0].1);
    server.anonymous().verify_email(&token).await.data("/verifyEmail");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_mail_is_sent_by_one_instance() {
    let smtp = SmtpServer::start().await;
    let first = server_with(&smtp).await;
    let second = TestServer::on(Arc::clone(&first.database), |settings| *settings = first.app.settings.clone()).await;
    for number in 0..30 {
        let email = format!("user{number}@example.org");
        if number % 2 == 0 {
            first.user_at(&format!("user{number}"), &email).await;
        } else {
            first.anonymous().request_password_reset("user0@example.org").await.data("/requestPasswordReset");
        }
    }
    let ticks = (0..6).map(|number| {
        let app = Arc::clone(if number % 2 == 0 { &first.app } else { &second.app });
        tokio::spawn(async move { deliver_mail::tick(&app).await })
    });
    let mut sent = 0;
    for tick in ticks.collect::<Vec<_>>() {
        sent += tick.await.unwrap().unwrap();
    }
    sent += deliver_mail::tick(&first.app).await.unwrap();
    assert_eq!((sent, smtp.received().len(), waiting(&first).await.len()), (30, 30, 0));
    let ids: BTreeSet<_> = smtp.received().iter().map(|mail| mail.header("Message-ID").unwrap()).collect();
    assert_eq!(ids.len(), 30);
    second.app.database.close().await;
}

#[tokio::test]
async fn mail_that_another_instance_has_resolved_is_neither_removed_nor_locked() {
    let smtp = SmtpServer::start().await;
    let server = server_with(&smtp).await;
    server.user_at("ada", "ada@example.org").await;
    server.anonymous().request_password_reset("ada@example.org").await.data("/requestPasswordReset");
    let (resolved, unresolved): (Vec<_>, Vec<_>) =
        waiting(&server).await.into_iter().partition(mail::Model::is_resolved);
    let ids = resolved.iter().chain(&unresolved).map(|mail| mail.id).collect();
    let transaction = server.app.write().await.unwrap();
    assert_eq!(mail::remove_unresolved(&transaction, ids).await.unwrap(), unresolved);
    // SQLite has a single writer.
    if transaction.get_database_backend() != DbBackend::Sqlite {
        // Fails if the row is locked.
        mail::postpone(server.app.database.read(), resolved[0].id, 0, resolved[0].next_attempt_at).await.unwrap();
    }
    transaction.commit().await.unwrap();
    assert_eq!((waiting(&server).await, unresolved.len()), (resolved, 1));
}

#[tokio::test]
async fn expired_lease_lets_another_worker_send_the_mail() {
    let smtp = SmtpServer::start().await;
    let server = server_with(&smtp).await;
    server.user_at("ada", "ada@example.org").await;
    // The state that a killed instance leaves after it has leased the mail.
    let leased = waiting(&server).await.remove(0);
    let until = server.app.clock.now() + TimeDelta::minutes(3);
    assert!(mail::lease(server.app.database.read(), &leased, until).await.unwrap());
    assert!(!mail::lease(server.app.database.read(), &leased, until).await.unwrap());
    assert_eq!(deliver_mail::tick(&server.app).await.unwrap(), 0);
    server.clock.advance(TimeDelta::minutes(3));
    assert_eq!(deliver_mail::tick(&server.app).await.unwrap(), 1);
    assert_eq!((smtp.received().len(), waiting(&server).await.len()), (1, 0));
    // If the first worker is still alive, its result is ignored.
    assert!(!mail::delete(server.app.database.read(), leased.id, 1).await.unwrap());
}

#[tokio::test]
async fn permanently_rejected_mail_is_dropped_and_temporarily_rejected_mail_is_retried() {
    let smtp = SmtpServer::start().await;
    let server = server_with(&smtp).await;
    server.user_at("grey", "greylisted@example.org").await;
    smtp.answer("RCPT", "450 4.2.0 <greylisted@example.org>: come back later");
    assert_eq!(deliver_mail::tick(&server.app).await.unwrap(), 0);
    let postponed = waiting(&server).await.remove(0);
    assert_eq!(postponed.next_attempt_at - server.app.clock.now(), TimeDelta::minutes(1));
    smtp.accept_all();
    assert_eq!(deliver_mail::tick(&server.app).await.unwrap(), 0);
    server.clock.advance(TimeDelta::minutes(1));
    assert_eq!(deliver_mail::tick(&server.app).await.unwrap(), 1);

    server.user_at("gone", "gone_for_good@example.org").await;
    let id = waiting(&server).await[0].id.to_string();
    smtp.answer("RCPT", "550 5.1.1 <gone_for_good@example.org>: no such mailbox");
    assert_eq!(deliver_mail::tick(&server.app).await.unwrap(), 0);
    assert_eq!(waiting(&server).await, []);
    let line = logged(&id).into_iter().find(|line| line.contains("cannot be delivered")).unwrap();
    assert!(line.contains("ERROR") && line.contains("RCPT TO: the mail server answered 550"), "{line}");
    assert_eq!(logged("gone_for_good@"), Vec::<String>::new());
    assert_eq!(logged("greylisted@"), Vec::<String>::new());
}

/// Whether a mail is retried after this SMTP response, and the log levels of both attempts.
async fn attempts_with(command: &'static str, answer: &'static str) -> (bool, Vec<&'static str>) {
    let smtp = SmtpServer::start().await;
    let server = server_with(&smtp).await;
    server.user_at("ada", "ada@example.org").await;
    let id = waiting(&server).await[0].id.to_string();
    smtp.answer(command, answer);
    for _ in 0..2 {
        assert_eq!(deliver_mail::tick(&server.app).await.unwrap(), 0);
        server.clock.advance(TimeDelta::minutes(2));
    }
    let about = |line: &String| line.contains("delivered") || line.contains("rejected a mail");
    let level = |line: String| if line.contains("ERROR") { "ERROR" } else { "WARN" };
    let levels = logged(&id).into_iter().filter(about).map(level).collect();
    (!waiting(&server).await.is_empty(), levels)
}

#[tokio::test]
async fn only_a_rejected_mailbox_drops_a_mail() {
    for (command, answer) in [
        ("RCPT", "550 5.1.1 no such mailbox"),
        ("RCPT", "550-5.1.1 no such mailbox\r\n550 5.1.1 look at https://example.org"),
        ("RCPT", "550 5.1.2 no such domain"),
        ("RCPT", "553 5.1.3 bad address"),
        ("RCPT", "551 5.1.6 moved"),
        ("RCPT", "550 5.2.1 disabled"),
        ("RCPT", "554 5.1.1 no such mailbox"),
        ("RCPT", "550 no such mailbox"),
        ("RCPT", "551 not here"),
        ("RCPT", "553 bad address"),
        ("RCPT", "553 sorry, no mailbox here by that name. (#5.1.1)"),
        ("DATA", "550 5.1.1 no such mailbox"),
        ("<end>", "550 5.1.1 no such mailbox"),
    ] {
        assert_eq!(attempts_with(command, answer).await, (false, vec!["ERROR"]), "{command} {answer}");
    }
}

#[tokio::test]
async fn other_rejections_are_retried_and_logged_once_as_error() {
    for (command, answer) in [
        ("RCPT", "550 5.7.1 relaying denied"),
        ("RCPT", "550 5.7.26 unauthenticated sender"),
        ("RCPT", "552 5.2.2 mailbox full"),
        ("RCPT", "554 5.7.1 relay access denied"),
        ("RCPT", "550 5.1.8 bad sender"),
        ("RCPT", "550 5.4.1 recipient address rejected"),
        ("RCPT", "553 sorry, that domain isn't allowed (#5.7.1)"),
        ("RCPT", "554 no"),
        ("RCPT", "530 authentication required"),
        ("MAIL", "550 5.7.1 you may not send"),
        ("MAIL", "550 5.1.1 no such sender"),
        ("MAIL", "552 5.2.2 quota"),
        ("DATA", "554 5.7.1 policy"),
        ("DATA", "550 no"),
        ("<end>", "550 5.7.1 spam"),
        ("<end>", "550 spam"),
        ("<end>", "552 5.3.4 too big"),
    ] {
        assert_eq!(attempts_with(command, answer).await, (true, vec!["ERROR", "WARN"]), "{command} {answer}");
    }
    for (command, answer) in
        [("RCPT", "450 4.1.1 later"), ("RCPT", "452 4.2.2 mailbox full"), ("MAIL", "451 4.7.1 later")]
    {
        assert_eq!(attempts_with(command, answer).await, (true, vec!["WARN", "WARN"]), "{command} {answer}");
    }
}

/// The cause is the configuration of the mail server, not a single mail.
#[tokio::test]
async fn rejected_smtp_login_is_logged_once_as_error() {
    let smtp = SmtpServer::start().await;
    let server = TestServer::with(|settings| {
        let credentials = Some(("ada".to_owned(), "tiger".into()));
        settings.mail.smtp = vec![hallpass::config::Smtp { credentials, ..smtp.settings() }];
    })
    .await;
    smtp.answer("EHLO", "250-mail.test\r\n250 AUTH PLAIN");
    smtp.answer("AUTH", "535 5.7.8 who are you?");
    for name in ["ada", "bea", "cleo"] {
        server.user_at(name, &format!("{name}@example.org")).await;
    }
    for _ in 0..3 {
        assert_eq!(deliver_mail::tick(&server.app).await.unwrap(), 0);
        server.clock.advance(TimeDelta::minutes(5));
    }
    let ids: Vec<String> = waiting(&server).await.iter().map(|mail| mail.id.to_string()).collect();
    let errors: Vec<String> = ids.iter().flat_map(|id| logged(id)).filter(|line| line.contains("ERROR")).collect();
    assert_eq!((ids.len(), errors.len()), (3, 1), "{errors:#?}");
    assert!(errors[0].contains("signing in: the mail server answered 535 5.7.8"), "{errors:#?}");
}

/// The server refuses the sender, not a recipient, so no mail is dropped before two days have passed.
#[tokio::test]
async fn sender_rejections_do_not_drop_mails() {
    let smtp = SmtpServer::start().await;
    let server = server_with(&smtp).await;
    server.user_at("ada", "ada@example.org").await;
    smtp.answer("MAIL", "550 5.7.1 you may not send");
    let mut waits = Vec::new();
    let start = server.app.clock.now();
    loop {
        assert_eq!(deliver_mail::tick(&server.app).await.unwrap(), 0);
        let now = server.app.clock.now();
        let Some(mail) = waiting(&server).await.pop() else { break };
        waits.push((mail.next_attempt_at - now).num_minutes());
        server.clock.advance(mail.next_attempt_at - now);
    }
    assert_eq!(waits[..8], [1, 2, 4, 8, 16, 32, 60, 60]);
    assert!(server.app.clock.now() - start >= TimeDelta::hours(48));
    assert_eq!(smtp.received().len(), 0);
}

#[tokio::test]
async fn mail_is_not_sent_without_tls() {
    use hallpass::config::SmtpSecurity;
    let smtp = SmtpServer::start().await;
    for (security, credentials) in [
        (SmtpSecurity::StartTls, None),
        (SmtpSecurity::Tls, None),
        (SmtpSecurity::None, Some(("ada".to_owned(), "tiger".into()))),
    ] {
        let smtp_settings = hallpass::config::Smtp { security, credentials, ..smtp.settings() };
        let server = TestServer::with(|settings| settings.mail.smtp = vec![smtp_settings]).await;
        server.user_at("ada", "ada@example.org").await;
        // The server offers no TLS: no mail is sent, and none is in the development mailbox.
        assert_eq!(deliver_mail::tick(&server.app).await.unwrap(), 0, "{security:?}");
        assert_eq!((smtp.received().len(), waiting(&server).await.len()), (0, 1));
        assert_eq!(server.app.mailer.dev_mailbox().unwrap().all().len(), 0);
    }
}

#[tokio::test]
async fn link_works_after_its_mail_is_sent_twice() {
    let smtp = SmtpServer::start().await;
    let server = server_with(&smtp).await;
    server.user_at("ada", "ada@example.org").await;
    smtp.answer("<end>", "451 4.3.0 queued perhaps");
    assert_eq!(deliver_mail::tick(&server.app).await.unwrap(), 0);
    smtp.accept_all();
    server.clock.advance(TimeDelta::minutes(1));
    assert_eq!(deliver_mail::tick(&server.app).await.unwrap(), 1);
    assert_eq!(link::Entity::find().all(server.app.database.read()).await.unwrap().len(), 2);
    let token = token_in(&smtp.received()[0].parts()[0].1);
    server.anonymous().verify_email(&token).await.data("/verifyEmail");
    // The used link is kept, and the other one is deleted.
    assert_eq!(link::Entity::find().all(server.app.database.read()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn queued_mail_has_no_content() {
    let server = TestServer::start().await;
    server.user_at("ada", "ada@example.org").await;
    server.anonymous().request_password_reset("ada@example.org").await.data("/requestPasswordReset");
    let mails = waiting(&server).await;
    let (known, unknown): (Vec<_>, Vec<_>) = mails.into_iter().partition(|mail| mail.user_id.is_some());
    assert_eq!((known.len(), unknown.len()), (1, 1));
    assert_eq!(link::Entity::find().all(server.app.database.read()).await.unwrap(), []);
    // A mail with this purpose needs an account, but no account has the address, so the mail is dropped.
    let mut orphan = unknown[0].clone().into_active_model();
    orphan.id = Set(hallpass::security::random::id(server.app.clock.now()).unwrap());
    orphan.purpose = Set(mail::Purpose::EmailChanged);
    orphan.insert(server.app.database.read()).await.unwrap();
    assert_eq!(server.mails_to("ada@example.org").await.len(), 2);
    assert_eq!(waiting(&server).await, []);
}
