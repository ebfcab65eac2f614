//! How mails are sent, who the sender is, and where links in mails lead.

use std::path::PathBuf;

use lettre::{address::Envelope, message::Mailbox};
use url::Url;

use crate::config::{
    ServerSettings,
    setting::{Setting, join},
    smtp::{self, Smtp},
    vars::Vars,
};

/// How mails are sent. Without servers and `dev`, none are.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// The servers that deliver mails, in the order in which they are tried.
    pub smtp: Vec<Smtp>,
    /// The sender, such as `Example <accounts@example.org>`.
    pub from: Mailbox,
    /// Whether mails are kept for `GET /dev/mail`. Only while the server is local.
    pub dev: bool,
    /// Where the links in mails lead, without a slash at the end.
    pub app_url: String,
    /// Whether users can sign in by mail.
    pub sign_in: bool,
    /// The folder with templates that replace built-in ones.
    pub templates: Option<PathBuf>,
}

impl MailSettings {
    /// Declares and reads the settings of this section.
    pub(super) fn read(vars: &mut Vars, server: &ServerSettings) -> Self {
        vars.section("mail", "Mail");
        let is_development = server.is_development;
        let smtp = Setting::new(
            "SMTP_URL",
            "The mail server, with user and password. Further servers are tried if the one before cannot be reached. See \
             [E-mail](email.md#send-mails).",
        )
        .example("smtps://user:password@mail.example.org")
        .secret(
            "`smtps://user:password@mail.example.org`, or `smtp://…` for STARTTLS; several are separated by commas or spaces",
            move |urls| smtp::parse(urls, is_development),
        )
        .show(|servers| join(servers))
        .read_optional(vars)
        .unwrap_or_default();
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
        if sign_in && smtp.is_empty() && !dev {
            vars.mistake("EMAIL_SIGN_IN: expected false without SMTP_URL or DEV_MAIL");
        }
        let templates = Setting::new(
            "MAIL_TEMPLATES",
            "A folder with templates that replace built-in ones. They are checked at start. See [Your own texts](email.md#your-own-texts).",
        )
        .parsed("the path of a folder", |path| Some(PathBuf::from(path)), |path| path.display().to_string())
        .read_optional(vars);
        Self { smtp, from: from.unwrap_or_else(local_sender), dev, app_url, sign_in, templates }
    }

    /// Whether mails are sent, or kept for developers.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        !self.smtp.is_empty() || self.dev
    }
}

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
