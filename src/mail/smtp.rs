//! The mail server, by SMTP (RFC 5321).
//!
//! The steps are taken one by one, to know which of them failed. A mail is given up only if the server says that there is
//! no such mailbox; everything else is tried again. A server's own words are not passed on; they name the recipient.

use std::time::Duration;

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
    mail::{Concern, SendError},
};

/// How long it may take to hand over one mail, with all that belongs to it.
pub const SEND_TIMEOUT: Duration = Duration::from_mins(1);
/// How much of that connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The step whose replies are about the recipient.
const RCPT_TO: &str = "RCPT TO";

/// Enhanced statuses that say that mail to a mailbox is never accepted: no such mailbox, no such domain, a wrong address, moved
/// without a new address, disabled.
const MAILBOX_STATUSES: [[u16; 3]; 5] = [[5, 1, 1], [5, 1, 2], [5, 1, 3], [5, 1, 6], [5, 2, 1]];

/// A server that takes mails. Each is handed over on a connection of its own: there are few.
pub(super) struct Client {
    host: String,
    port: u16,
    security: SmtpSecurity,
    tls: TlsParameters,
    credentials: Option<Credentials>,
    hello: ClientId,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({}:{})", self.host, self.port)
    }
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

    /// Hands a mail over.
    pub(super) async fn send(&self, message: &Message) -> Result<(), SendError> {
        let handed_over = tokio::time::timeout(SEND_TIMEOUT, self.hand_over(message)).await;
        handed_over.unwrap_or_else(|_| {
            let cause = "the mail server took too long".to_owned();
            Err(SendError { concern: Concern::Server, is_refusal: false, cause })
        })
    }

    async fn hand_over(&self, message: &Message) -> Result<(), SendError> {
        let mut connection = self.connect().await?;
        let handed_over = transfer(&mut connection, message).await;
        // The mail is the server's by now, or is not; a farewell that fails changes nothing.
        connection.abort().await;
        handed_over
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, SendError> {
        let tls = (self.security == SmtpSecurity::Tls).then(|| self.tls.clone());
        let server = (self.host.as_str(), self.port);
        let connecting = AsyncSmtpConnection::connect_tokio1(server, Some(CONNECT_TIMEOUT), &self.hello, tls, None);
        let mut connection = connecting.await.map_err(|error| of_server("connecting", &error))?;
        if self.security == SmtpSecurity::StartTls {
            let encrypting = connection.starttls(self.tls.clone(), &self.hello).await;
            encrypting.map_err(|error| of_server("STARTTLS", &error))?;
        }
        if let Some(credentials) = &self.credentials {
            let signing_in = connection.auth(DEFAULT_MECHANISMS, credentials).await;
            signing_in.map_err(|error| of_server("signing in", &error))?;
        }
        Ok(connection)
    }
}

async fn transfer(connection: &mut AsyncSmtpConnection, message: &Message) -> Result<(), SendError> {
    let envelope = message.envelope();
    let sender = connection.command(Mail::new(envelope.from().cloned(), Vec::new())).await;
    sender.map_err(|error| of_server("MAIL FROM", &error))?;
    for to in envelope.to() {
        let recipient = connection.command(Rcpt::new(to.clone(), Vec::new())).await;
        recipient.map_err(|error| of_mail(RCPT_TO, &error))?;
    }
    connection.command(Data).await.map_err(|error| of_mail("DATA", &error))?;
    let taken = connection.message(&message.formatted()).await;
    taken.map_err(|error| of_mail("the end of DATA", &error))?;
    Ok(())
}

/// A failure before the server knows the recipient.
fn of_server(step: &str, error: &Error) -> SendError {
    SendError { concern: Concern::Server, is_refusal: error.is_permanent(), cause: told(step, error) }
}

/// A failure once the server knows the recipient.
fn of_mail(step: &str, error: &Error) -> SendError {
    let concern = if error.status().is_none() {
        Concern::Server
    } else if error.is_permanent() && is_about_mailbox(step, error) {
        Concern::Mailbox
    } else {
        Concern::Mail
    };
    SendError { concern, is_refusal: error.is_permanent(), cause: told(step, error) }
}

/// Whether a permanent refusal says that the mailbox does not exist, has moved or is disabled (RFC 3463 §3.2, §3.3). Without
/// an enhanced status, the reply code at RCPT must do (RFC 5321 §4.2.3).
fn is_about_mailbox(step: &str, error: &Error) -> bool {
    match enhanced_status(error) {
        Some(status) => MAILBOX_STATUSES.contains(&status),
        None => step == RCPT_TO && error.status().is_some_and(|code| matches!(u16::from(code), 550 | 551 | 553)),
    }
}

/// The enhanced status of a reply (RFC 2034): its first word, or in parentheses as qmail has it: `(#5.1.1)`.
fn enhanced_status(error: &Error) -> Option<[u16; 3]> {
    use std::error::Error as _;
    let text = error.source()?.to_string();
    text.split_whitespace().find_map(|word| {
        let mut numbers = word.trim_matches(|c: char| !c.is_ascii_digit()).split('.').map(str::parse);
        let status = [numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?];
        (numbers.next().is_none() && matches!(status, [2 | 4 | 5, ..=999, ..=999])).then_some(status)
    })
}

/// What the log may know: the step, and the reply code or what became of the connection.
fn told(step: &str, error: &Error) -> String {
    use std::error::Error as _;
    let source = || error.source().map(ToString::to_string).unwrap_or_default();
    match error.status() {
        Some(code) => {
            let status = enhanced_status(error).map(|[class, subject, detail]| format!(" {class}.{subject}.{detail}"));
            format!("{step}: the mail server answered {code}{}", status.unwrap_or_default())
        }
        None if error.is_timeout() => format!("{step}: the mail server took too long"),
        None if error.is_response() => format!("{step}: the mail server's answer can't be read"),
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

/// By which name to greet: the one that clients know, or none that means anything.
fn hello(public_url: &str) -> ClientId {
    match Url::parse(public_url).ok().as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => ClientId::Domain(name.to_owned()),
        Some(Host::Ipv4(ip)) => ClientId::Ipv4(ip),
        Some(Host::Ipv6(ip)) => ClientId::Ipv6(ip),
        None => ClientId::default(),
    }
}
