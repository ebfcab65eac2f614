//! Checks of the mail servers, for `hallpass doctor`.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::{
    config::Settings,
    language::Language,
    mail::{OutgoingMail, Text, message, relay::Relay, smtp::Client},
    security::random,
};

/// Time limit for connecting, TLS and the sign-in to one server.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Connects and signs in to each mail server, without sending anything. Returns the server's name, and the cause if it failed.
pub async fn check_servers(settings: &Settings) -> Vec<(String, Result<(), String>)> {
    let mut results = Vec::new();
    for smtp in &settings.mail.smtp {
        let result = match Client::new(smtp, &settings.server.public_url) {
            Ok(client) => tokio::time::timeout(TIMEOUT, client.check()).await,
            Err(error) => Ok(Err(error.to_string())),
        };
        results.push((smtp.to_string(), result.unwrap_or_else(|_| Err("the mail server timed out".to_owned()))));
    }
    results
}

/// Sends a mail that says that it is a test.
///
/// # Errors
/// The cause, for the operator.
pub async fn send_test(settings: &Settings, address: &str, now: DateTime<Utc>) -> Result<(), String> {
    let relay = Relay::new(settings).map_err(|error| error.to_string())?;
    let relay = relay.ok_or("no mail server is configured")?;
    let mail = OutgoingMail {
        id: random::id(now).map_err(|error| error.to_string())?,
        to: address.to_owned(),
        language: Language::English,
        username: None,
        template: "test",
        link: None,
        code: None,
    };
    let plain = format!("This is a test of the server {}. Its mails arrive.\n", settings.server.public_url);
    let text = Text { subject: "Test of Hallpass".to_owned(), html: format!("<p>{}</p>", plain.trim()), plain };
    let message = message::compose(&settings.mail.from, &mail, &text, now).map_err(|error| error.cause)?;
    relay.send(&mail, &message, now).await.map_err(|error| error.cause)
}
