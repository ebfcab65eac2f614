//! `SMTP_URL`, `MAIL_FROM`, `APP_URL` and `DEV_MAIL`: whether mails are sent, by whom, and where their links lead.

use chrono::TimeDelta;
use lettre::{address::Envelope, message::Mailbox};
use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use crate::config::{
    server::{Addresses, is_loopback},
    vars::Vars,
};

/// How mails leave. Without a server and without `dev` none do.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// The server that takes mails to where they are read.
    pub smtp: Option<Smtp>,
    /// Who they come from, such as `Example <accounts@example.org>`.
    pub from: Mailbox,
    /// Whether they are kept for `GET /dev/mail`. Only while the server is local.
    pub dev: bool,
    /// Where the links in mails lead, without a slash at the end.
    pub app_url: String,
}

impl MailSettings {
    /// Whether there is a way for mails to go.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.smtp.is_some() || self.dev
    }
}

/// A mail server.
#[derive(Clone, Debug)]
pub struct Smtp {
    /// Name or address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// How the connection is encrypted.
    pub security: SmtpSecurity,
    /// The only authority whose certificates are believed, as PEM; none believes the well-known ones.
    pub authority: Option<Vec<u8>>,
    /// Whom to sign in as.
    pub credentials: Option<(String, SecretString)>,
}

/// How the connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpSecurity {
    /// From the first byte: `smtps://`.
    Tls,
    /// By STARTTLS, without which nothing is sent: `smtp://`.
    StartTls,
    /// Not at all: `smtp://` to a loopback address.
    None,
}

/// The submission port (RFC 6409), and that of TLS from the start (RFC 8314).
const SUBMISSION: u16 = 587;
const SUBMISSIONS: u16 = 465;

pub(super) fn read(vars: &mut Vars, addresses: &Addresses) -> MailSettings {
    let was_given = vars.is_set("SMTP_URL") || vars.is_set("SMTP_URL_FILE");
    let smtp = vars.secret("SMTP_URL").and_then(|url| vars.parse_secret("SMTP_URL", &url, parse_smtp));
    let from = vars
        .get("MAIL_FROM", None, "an address, such as Example <accounts@example.org>", |text| sender(text).map(Some));
    if was_given && !vars.is_set("MAIL_FROM") {
        vars.mistake(
            "MAIL_FROM: required with SMTP_URL. Set it to the sender, such as Example <accounts@example.org>"
                .to_owned(),
        );
    }
    let app_url = vars.get(
        "APP_URL",
        addresses.public_url.clone(),
        "an address without a query, such as https://app.example.org/account",
        |text| app_url(text, addresses.is_local),
    );
    let dev = vars.flag("DEV_MAIL", addresses.is_local);
    if dev && !addresses.is_local {
        vars.mistake(
            "DEV_MAIL: expected false, because the server is not local and the mailbox shows the links of all users"
                .to_owned(),
        );
    }
    MailSettings { smtp, from: from.unwrap_or_else(local_sender), dev, app_url }
}

/// `UNVERIFIED_ACCOUNT_DAYS`; 0 is none. Without mails nobody could verify an address in time.
pub(super) fn unverified_account_lifetime(vars: &mut Vars, mail: &MailSettings) -> Option<TimeDelta> {
    const NAME: &str = "UNVERIFIED_ACCOUNT_DAYS";
    let days = vars.number(NAME, 0, 0..=3650);
    if days > 0 && !mail.is_enabled() {
        vars.mistake(format!("{NAME}: expected 0 without SMTP_URL and DEV_MAIL, got \"{days}\""));
    }
    (days > 0).then(|| TimeDelta::days(days))
}

/// Who mails come from that nobody but the developer reads.
fn local_sender() -> Mailbox {
    Mailbox::new(Some("Hallpass".to_owned()), lettre::Address::new_dangerous("hallpass", "localhost"))
}

/// A name, which may be left out, and an address that any server takes.
fn sender(text: &str) -> Option<Mailbox> {
    let mailbox: Mailbox = text.parse().ok()?;
    let address = mailbox.email.clone();
    let is_plain = <lettre::Address as AsRef<str>>::as_ref(&address).is_ascii() && !text.chars().any(char::is_control);
    let is_usable = Envelope::new(Some(address.clone()), vec![address]).is_ok();
    (is_plain && is_usable).then_some(mailbox)
}

fn parse_smtp(url: &SecretString) -> Result<Smtp, &'static str> {
    const WANTED: &str = "expected smtps://user:password@mail.example.org, or smtp://… for STARTTLS. Append another port than \
                          465 or 587 to the host, and percent-encode characters such as @ or / in the password";
    let url = Url::parse(url.expose_secret()).map_err(|_| WANTED)?;
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or(WANTED)?;
    let is_bare = matches!(url.path(), "" | "/") && url.fragment().is_none();
    let (security, port) = match url.scheme() {
        "smtps" => (SmtpSecurity::Tls, SUBMISSIONS),
        "smtp" if is_this_machine(host) => (SmtpSecurity::None, SUBMISSION),
        "smtp" => (SmtpSecurity::StartTls, SUBMISSION),
        _ => return Err(WANTED),
    };
    let decode =
        |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().map(Into::into).map_err(|_| WANTED);
    let user: String = decode(url.username())?;
    let credentials = match (user.is_empty(), url.password()) {
        (true, None) => None,
        (false, Some(password)) => Some((user, SecretString::from(decode(password)?))),
        _ => return Err(WANTED),
    };
    if !is_bare {
        return Err(WANTED);
    }
    let authority = match url.query_pairs().collect::<Vec<_>>().as_slice() {
        [] => None,
        [(name, path)] if name == "ca" => {
            let pem = std::fs::read(&**path).map_err(|_| "cannot read the file of the option ca")?;
            if !pem.starts_with(b"-----BEGIN CERTIFICATE-----") {
                return Err("expected a certificate in PEM format in the file of the option ca");
            }
            Some(pem)
        }
        _ => return Err(WANTED),
    };
    // An IPv6 address is in brackets in a URL, and nowhere else.
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    Ok(Smtp { host, port: url.port().unwrap_or(port), security, authority, credentials })
}

/// The schemes are none that `Url` knows, so that it leaves addresses as text.
fn is_this_machine(host: &str) -> bool {
    Host::parse(host).is_ok_and(|host| is_loopback(&host))
}

fn app_url(text: &str, is_local: bool) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_safe = match url.scheme() {
        "https" => true,
        "http" => is_local,
        _ => false,
    };
    let is_bare =
        url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    (is_safe && is_bare).then(|| url.as_str().trim_end_matches('/').to_owned())
}
