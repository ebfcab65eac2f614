//! How mails are sent, who the sender is, and where links in mails lead.

use std::fmt;

use lettre::{address::Envelope, message::Mailbox};
use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use crate::config::{ServerSettings, is_loopback_host, setting::Setting, vars::Vars};

/// How mails are sent. Without `smtp` and `dev`, none are.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// The server that delivers mails.
    pub smtp: Option<Smtp>,
    /// The sender, such as `Example <accounts@example.org>`.
    pub from: Mailbox,
    /// Whether mails are kept for `GET /dev/mail`. Only while the server is local.
    pub dev: bool,
    /// Where the links in mails lead, without a slash at the end.
    pub app_url: String,
    /// Whether users can sign in by mail.
    pub sign_in: bool,
}

impl MailSettings {
    /// Declares and reads the settings of this section.
    pub(super) fn read(vars: &mut Vars, server: &ServerSettings) -> Self {
        vars.section("mail", "Mail");
        let smtp = Setting::new("SMTP_URL", "The mail server, with user and password. See [E-mail](email.md).")
            .example("smtps://user:password@mail.example.org")
            .secret("`smtps://user:password@mail.example.org`, or `smtp://…` for STARTTLS", parse_smtp)
            .show(ToString::to_string)
            .read_optional(vars);
        let from = Setting::new("MAIL_FROM", "The sender; required with `SMTP_URL`.")
            .example("Example <accounts@example.org>")
            .text("an address, such as `Example <accounts@example.org>`", sender)
            .read_optional(vars);
        if vars.is_set("SMTP_URL") && !vars.is_set("MAIL_FROM") {
            vars.mistake(
                "MAIL_FROM: required with SMTP_URL. Set it to the sender, such as Example <accounts@example.org>",
            );
        }
        let is_local = server.is_local;
        let app_url = Setting::new(
            "APP_URL",
            "Where links in mails lead: `APP_URL/verify-email?token=…`, `APP_URL/reset-password?token=…`, \
             `APP_URL/accept-invitation?token=…` and `APP_URL/sign-in?token=…`.",
        )
        .text(
            "an address without a query, such as `https://app.example.org/account` or `com.example.app:/`",
            move |text| app_url(text, is_local),
        )
        .read_or_computed(vars, server.public_url.clone(), "`PUBLIC_URL`");
        let dev = Setting::new(
            "DEV_MAIL",
            "Whether mails are kept in memory and shown at `/dev/mail`. Must be `false` unless the server is local.",
        )
        .flag()
        .read_or_computed(vars, is_local, "`true` while local, otherwise `false`");
        if dev && !is_local {
            vars.mistake(
                "DEV_MAIL: expected false, because the server is not local and the mailbox shows the links of all users",
            );
        }
        let sign_in = Setting::new(
            "EMAIL_SIGN_IN",
            "Whether users can sign in by a link or a code in a mail. A person who reads the mails of a user can then sign in as the \
             user, unless there is a second factor. Needs a way to send mails. See [Sign-in by mail](email-sign-in.md).",
        )
        .flag()
        .read_or(vars, false);
        if sign_in && smtp.is_none() && !dev {
            vars.mistake("EMAIL_SIGN_IN: expected false without SMTP_URL or DEV_MAIL");
        }
        Self { smtp, from: from.unwrap_or_else(local_sender), dev, app_url, sign_in }
    }

    /// Whether mails are sent, or kept for developers.
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

/// Names the server without user and password.
impl fmt::Display for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let security = match self.security {
            SmtpSecurity::Tls => "TLS",
            SmtpSecurity::StartTls => "STARTTLS",
            SmtpSecurity::None => "not encrypted",
        };
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        write!(f, "{host}:{} ({security})", self.port)
    }
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

/// The sender of mails that only the developer reads.
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
    Host::parse(host).is_ok_and(|host| is_loopback_host(&host))
}

/// Schemes with a meaning of their own in browsers, besides those that [`Url::is_special`] knows.
const BUILT_IN_SCHEMES: [&str; 9] =
    ["about", "blob", "data", "filesystem", "javascript", "mailto", "tel", "vbscript", "view-source"];

/// Parses `APP_URL`. The result has no slash at its end, except the first one of `app://`.
fn app_url(text: &str, is_local: bool) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_safe = match url.scheme() {
        "https" => true,
        "http" => is_local,
        // The scheme of an app (RFC 8252 §7.1), but none that browsers and mail clients handle themselves.
        scheme => !url.is_special() && !url.cannot_be_a_base() && !BUILT_IN_SCHEMES.contains(&scheme),
    };
    let is_bare =
        url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    if !(is_safe && is_bare) {
        return None;
    }
    // `app://` and `/verify-email` make `app://verify-email`, as deep links are often written.
    match url.as_str() {
        address if address.ends_with("://") => address.strip_suffix('/'),
        address => Some(address.trim_end_matches('/')),
    }
    .map(str::to_owned)
}
