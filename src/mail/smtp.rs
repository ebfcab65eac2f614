//! SMTP client (RFC 5321).
//!
//! Sends each SMTP command separately, to know which one failed. A mail is discarded only if the server's reply means
//! that the mailbox does not exist or never accepts mail. All other failures are retried. The text of replies is not
//! logged, because it contains the recipient's address.

use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use lettre::{
    Message,
    transport::smtp::{
        Error,
        authentication::{Credentials, DEFAULT_MECHANISMS},
        client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters},
        commands::{Data, Mail, Rcpt},
        extension::ClientId,
    },
};
use url::{Host, Url};

use crate::{
    config::{ExposeSecret, Smtp, SmtpSecurity},
    mail::{FailureScope, SendError},
};

/// Time limit for connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The reply code of a server that closes the connection, to any command (RFC 5321 §3.8).
const SERVICE_CLOSING: u16 = 421;

/// An error, and the reply code if the server has replied.
type Failure = (SendError, Option<u16>);

/// The command whose replies concern the recipient.
const RCPT_TO: &str = "RCPT TO";

/// Enhanced status codes for a mailbox that never accepts mail: no such mailbox, no such domain, invalid address, moved
/// without a new address, disabled.
const MAILBOX_STATUSES: [[u16; 3]; 5] = [[5, 1, 1], [5, 1, 2], [5, 1, 3], [5, 1, 6], [5, 2, 1]];

/// A mail server. Each mail uses its own connection, because there are few mails.
pub(super) struct Client {
    host: String,
    port: u16,
    security: SmtpSecurity,
    tls: TlsParameters,
    credentials: Option<Credentials>,
    hello: ClientId,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({self})")
    }
}

/// Names the server without user and password.
impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// A failed attempt to send a message by one server.
pub(super) struct FailedAttempt {
    pub(super) error: SendError,
    /// Whether another server may be asked: this one has certainly not taken the message, and the failure does not concern the
    /// recipient or the message.
    pub(super) can_use_another: bool,
}

impl Client {
    pub(super) fn new(smtp: &Smtp, public_url: &str) -> Result<Self, Error> {
        let credentials = smtp.credentials.as_ref();
        Ok(Self {
            host: smtp.host.clone(),
            port: smtp.port,
            security: smtp.security,
            tls: tls(smtp)?,
            credentials: credentials
                .map(|(user, password)| Credentials::new(user.clone(), password.expose_secret().to_owned())),
            hello: hello(public_url),
        })
    }

    /// Connects, encrypts and signs in. The error is the cause.
    pub(super) async fn check(&self) -> Result<(), String> {
        let mut connection = self.connect().await.map_err(|error| error.cause)?;
        connection.abort().await;
        Ok(())
    }

    /// Sends a message within the time limit.
    pub(super) async fn send(&self, message: &Message, limit: Duration) -> Result<(), FailedAttempt> {
        // While the reply to the content is missing, the server may have taken the message.
        let is_unconfirmed = AtomicBool::new(false);
        let result = tokio::time::timeout(limit, self.transmit(message, &is_unconfirmed)).await;
        let result = result.unwrap_or_else(|_| {
            let cause = "the mail server timed out".to_owned();
            Err((SendError { scope: FailureScope::Server, is_refusal: false, cause }, None))
        });
        result.map_err(|(error, code)| {
            let is_closing = code == Some(SERVICE_CLOSING);
            let concerns_server = error.scope == FailureScope::Server || is_closing;
            let is_rejected = code.is_some() || !is_unconfirmed.load(Ordering::Relaxed);
            FailedAttempt { can_use_another: concerns_server && is_rejected, error }
        })
    }

    async fn transmit(&self, message: &Message, is_unconfirmed: &AtomicBool) -> Result<(), Failure> {
        let mut connection = self.connect().await.map_err(|error| (error, None))?;
        let result = transfer(&mut connection, message, is_unconfirmed).await;
        // The server has already accepted or refused the mail, so an error in QUIT does not matter.
        connection.abort().await;
        result
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, SendError> {
        let tls = (self.security == SmtpSecurity::Tls).then(|| self.tls.clone());
        let server = (self.host.as_str(), self.port);
        let connecting = AsyncSmtpConnection::connect_tokio1(server, Some(CONNECT_TIMEOUT), &self.hello, tls, None);
        let mut connection = connecting.await.map_err(|error| server_error("connecting", &error))?;
        if self.security == SmtpSecurity::StartTls {
            let encrypting = connection.starttls(self.tls.clone(), &self.hello).await;
            encrypting.map_err(|error| server_error("STARTTLS", &error))?;
        }
        if let Some(credentials) = &self.credentials {
            let authenticated = connection.auth(DEFAULT_MECHANISMS, credentials).await;
            authenticated.map_err(|error| server_error("signing in", &error))?;
        }
        Ok(connection)
    }
}

async fn transfer(
    connection: &mut AsyncSmtpConnection,
    message: &Message,
    is_unconfirmed: &AtomicBool,
) -> Result<(), Failure> {
    let envelope = message.envelope();
    let sender = connection.command(Mail::new(envelope.from().cloned(), Vec::new())).await;
    sender.map_err(|error| (server_error("MAIL FROM", &error), code(&error)))?;
    let failure = |step, error: Error| (mail_error(step, &error), code(&error));
    for to in envelope.to() {
        let recipient = connection.command(Rcpt::new(to.clone(), Vec::new())).await;
        recipient.map_err(|error| failure(RCPT_TO, error))?;
    }
    connection.command(Data).await.map_err(|error| failure("DATA", error))?;
    is_unconfirmed.store(true, Ordering::Relaxed);
    let accepted = connection.message(&message.formatted()).await;
    accepted.map_err(|error| failure("the end of DATA", error))?;
    Ok(())
}

/// The reply code of an error, if the server has replied.
fn code(error: &Error) -> Option<u16> {
    error.status().map(u16::from)
}

/// Builds the error for a failure before the recipient was sent.
fn server_error(step: &str, error: &Error) -> SendError {
    SendError { scope: FailureScope::Server, is_refusal: error.is_permanent(), cause: describe(step, error) }
}

/// Builds the error for a failure after the recipient was sent.
fn mail_error(step: &str, error: &Error) -> SendError {
    let scope = if error.status().is_none() {
        FailureScope::Server
    } else if error.is_permanent() && is_about_mailbox(step, error) {
        FailureScope::Mailbox
    } else {
        FailureScope::Mail
    };
    SendError { scope, is_refusal: error.is_permanent(), cause: describe(step, error) }
}

/// Whether a permanent refusal means that the mailbox does not exist, has moved or is disabled (RFC 3463 §3.2, §3.3).
/// Without an enhanced status, the reply code to RCPT decides (RFC 5321 §4.2.3).
fn is_about_mailbox(step: &str, error: &Error) -> bool {
    match enhanced_status(error) {
        Some(status) => MAILBOX_STATUSES.contains(&status),
        None => step == RCPT_TO && error.status().is_some_and(|code| matches!(u16::from(code), 550 | 551 | 553)),
    }
}

/// The enhanced status of a reply (RFC 2034): the first word, or in parentheses as qmail writes it: `(#5.1.1)`.
fn enhanced_status(error: &Error) -> Option<[u16; 3]> {
    use std::error::Error as _;
    let text = error.source()?.to_string();
    text.split_whitespace().find_map(|word| {
        let mut numbers = word.trim_matches(|c: char| !c.is_ascii_digit()).split('.').map(str::parse);
        let status = [numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?];
        (numbers.next().is_none() && matches!(status, [2 | 4 | 5, ..=999, ..=999])).then_some(status)
    })
}

/// Describes an error for the log: the step, and the reply code or the connection error.
fn describe(step: &str, error: &Error) -> String {
    use std::error::Error as _;
    let source = || error.source().map(ToString::to_string).unwrap_or_default();
    match error.status() {
        Some(code) => {
            let status = enhanced_status(error).map(|[class, subject, detail]| format!(" {class}.{subject}.{detail}"));
            format!("{step}: the mail server answered {code}{}", status.unwrap_or_default())
        }
        None if error.is_timeout() => format!("{step}: the mail server timed out"),
        None if error.is_response() => format!("{step}: the mail server's reply is malformed"),
        None if error.is_tls() => format!("{step}: TLS failed: {}", source()),
        None => format!("{step}: {}", source()),
    }
}

fn tls(smtp: &Smtp) -> Result<TlsParameters, Error> {
    let builder = TlsParameters::builder(smtp.host.clone());
    match &smtp.authority {
        None => builder.build(),
        Some(pem) => {
            let authority = Certificate::from_pem(pem)?;
            builder.certificate_store(CertificateStore::None).add_root_certificate(authority).build()
        }
    }
}

/// The name for EHLO: the host of the public URL, or lettre's default.
fn hello(public_url: &str) -> ClientId {
    match Url::parse(public_url).ok().as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => ClientId::Domain(name.to_owned()),
        Some(Host::Ipv4(ip)) => ClientId::Ipv4(ip),
        Some(Host::Ipv6(ip)) => ClientId::Ipv6(ip),
        None => ClientId::default(),
    }
}
