//! Several mail servers, which are tried in order.

use chrono::TimeDelta;
use hallpass::jobs::deliver_mail;

use crate::support::{SmtpServer, TestServer, logged};

/// Two mail servers, a server that uses them, and a mail that waits.
async fn two_servers() -> (SmtpServer, SmtpServer, TestServer) {
    let (first, second) = (SmtpServer::start().await, SmtpServer::start().await);
    let server = TestServer::with(|settings| settings.mail.smtp = vec![first.settings(), second.settings()]).await;
    server.user_at("ada", "ada@example.org").await;
    (first, second, server)
}

/// The mails that were sent, and those that each server has received.
async fn deliver(server: &TestServer, first: &SmtpServer, second: &SmtpServer) -> (u64, usize, usize) {
    (deliver_mail::tick(&server.app).await.unwrap(), first.received().len(), second.received().len())
}

#[tokio::test]
async fn first_server_gets_all_mails_while_it_works() {
    let (first, second, server) = two_servers().await;
    server.user_at("bea", "bea@example.org").await;
    assert_eq!(deliver(&server, &first, &second).await, (2, 2, 0));
}

#[tokio::test]
async fn unreachable_server_is_replaced_in_the_same_attempt() {
    let (mut first, second, server) = two_servers().await;
    first.stop().await;
    assert_eq!(deliver(&server, &first, &second).await, (1, 0, 1));
    let lines = logged(&format!("127.0.0.1:{}: connecting", first.port));
    assert!(lines.len() == 1 && lines[0].contains("WARN") && !lines[0].contains("ada@"), "{lines:?}");
}

#[tokio::test]
async fn failure_before_the_recipient_and_closing_server_are_replaced() {
    for (command, answer) in [
        ("EHLO", "421 4.3.2 shutting down"),
        ("MAIL", "451 4.3.0 later"),
        ("MAIL", "550 5.7.1 you may not send"),
        ("RCPT", "421 4.3.2 shutting down"),
        ("DATA", "421 4.3.2 shutting down"),
        ("<end>", "421 4.3.2 shutting down"),
    ] {
        let (first, second, server) = two_servers().await;
        first.answer(command, answer);
        assert_eq!(deliver(&server, &first, &second).await, (1, 0, 1), "{command} {answer}");
    }
}

#[tokio::test]
async fn refused_recipient_or_mail_is_not_offered_to_another_server() {
    for (command, answer) in [
        ("RCPT", "550 5.1.1 no such mailbox"),
        ("RCPT", "450 4.2.0 greylisted"),
        ("DATA", "554 5.7.1 policy"),
        ("<end>", "550 5.7.1 spam"),
        ("<end>", "451 4.3.0 later"),
    ] {
        let (first, second, server) = two_servers().await;
        first.answer(command, answer);
        assert_eq!(deliver(&server, &first, &second).await, (0, 0, 0), "{command} {answer}");
    }
}

/// Without a reply to the content, the first server may have taken the mail.
#[tokio::test]
async fn mail_that_may_have_been_taken_is_not_offered_to_another_server() {
    let (first, second, server) = two_servers().await;
    first.answer("<end>", "nonsense");
    assert_eq!(deliver(&server, &first, &second).await, (0, 0, 0));
}

#[tokio::test]
async fn failed_server_is_tried_last_for_a_minute() {
    let (mut first, second, server) = two_servers().await;
    first.stop().await;
    assert_eq!(deliver(&server, &first, &second).await, (1, 0, 1));
    first.restart().await;
    server.user_at("bea", "bea@example.org").await;
    assert_eq!(deliver(&server, &first, &second).await, (1, 0, 2));
    server.clock.advance(TimeDelta::minutes(1));
    server.user_at("cleo", "cleo@example.org").await;
    assert_eq!(deliver(&server, &first, &second).await, (1, 1, 2));
}

#[tokio::test]
async fn failure_of_all_servers_names_each() {
    let (mut first, second, server) = two_servers().await;
    first.stop().await;
    second.answer("MAIL", "550 5.7.1 you may not send");
    assert_eq!(deliver(&server, &first, &second).await, (0, 0, 0));
    let cause = format!("; 127.0.0.1:{}: MAIL FROM: the mail server answered 550 5.7.1", second.port);
    let lines = logged(&cause);
    let first = format!("127.0.0.1:{}: connecting: ", first.port);
    assert!(lines.len() == 1 && lines[0].contains("ERROR") && lines[0].contains(&first), "{lines:?}");
}
