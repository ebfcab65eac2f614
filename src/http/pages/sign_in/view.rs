//! The views of the page, and their HTML.

use axum::{
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY},
    },
    response::Response,
};
use minijinja::{Value, context, value::Serde};
use url::form_urlencoded;

use super::{
    PATH,
    registration::Entered,
    texts::{Message, texts},
};
use crate::{
    Error,
    config::{ProviderSettings, Settings},
    domain::identities::ReturnAddress,
    error::{InputError, MfaMethod},
    http::{
        pages::{brand, links::with_error, page},
        status::status_of,
    },
    language::Language,
};

const TEMPLATE: &str = include_str!("sign_in.html");

/// Like that of the other pages, but with the script for passkeys, which sends requests to this server.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// What the page shows.
pub(super) enum View<'a> {
    /// All methods to sign in.
    Start {
        /// The username or e-mail address that was entered.
        identifier: &'a str,
    },
    /// A form that sends a mail to an address.
    Address(Purpose, &'a str),
    /// The form for the code of a mail to this address.
    Code(&'a str),
    /// The form of the link in a mail, with its token.
    Link(&'a str),
    /// The form of a new account.
    Register(&'a Entered, &'a [InputError]),
    /// A title and a text.
    Message(&'a Message),
    /// The form for a second factor.
    SecondFactor {
        /// The token of the challenge.
        token: &'a str,
        /// The names of the methods.
        methods: &'a str,
    },
    /// The user is signed in.
    SignedIn {
        username: &'a str,
        /// Whether the browser continues to the address to return to.
        continues: bool,
    },
    /// The browser opens this address, with the cookies that it does not send when another site opens it.
    Reload(&'a str),
}

/// The purpose of a mail.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    SignIn,
    Reset,
}

impl Purpose {
    /// The name in the address of the page and in its form.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::SignIn => "email",
            Self::Reset => "reset",
        }
    }

    /// Whether the server sends such mails.
    pub(super) fn is_enabled(self, settings: &Settings) -> bool {
        match self {
            Self::SignIn => settings.mail.sign_in,
            Self::Reset => settings.mail.is_enabled(),
        }
    }
}

/// Renders the views of one request.
pub(super) struct Renderer<'a> {
    pub(super) settings: &'a Settings,
    pub(super) language: Language,
    pub(super) return_to: Option<&'a ReturnAddress>,
}

impl Renderer<'_> {
    /// The path of the page with these parameters, which keeps the address to return to.
    pub(super) fn path(&self, parameters: &[(&str, &str)]) -> String {
        let return_to = self.return_to.map(|address| ("return_to", address.as_str()));
        let mut query = form_urlencoded::Serializer::new(String::new());
        let query = query.extend_pairs(parameters).extend_pairs(return_to).finish();
        let path = self.settings.server.path(PATH);
        if query.is_empty() { path } else { format!("{path}?{query}") }
    }

    /// A view that shows an error.
    pub(super) fn error(&self, view: &View<'_>, error: &Error) -> Response {
        let problem = match (error.problems(), view) {
            ([], _) => Some(error.message(self.language)),
            // At its fields.
            (_, View::Register(..)) => None,
            ([first, ..], _) => Some(first.message(self.language)),
        };
        with_error(self.view(status_of(error.code()), view, problem.as_deref()), error)
    }

    /// A view, with a problem above it.
    pub(super) fn view(&self, status: StatusCode, view: &View<'_>, problem: Option<&str>) -> Response {
        let (settings, texts) = (self.settings, texts(self.language));
        let passkeys = |step| settings.passkeys.is_usable().then_some(step);
        let mail_link =
            |purpose: Purpose| purpose.is_enabled(settings).then(|| self.path(&[("method", purpose.name())]));
        let return_to = self.return_to.map(ReturnAddress::as_str);
        let start_link = self.path(&[]);
        let (title, passkey_step, values) = match view {
            View::Start { identifier } => {
                let providers: Vec<_> =
                    settings.providers.iter().map(|provider| self.provider_link(provider)).collect();
                let is_open = settings.registration.is_enabled;
                let register_link = is_open.then(|| self.path(&[("method", "register")]));
                let values = context! {
                    view => "start", entered => *identifier, providers,
                    mail_link => mail_link(Purpose::SignIn), reset_link => mail_link(Purpose::Reset), register_link,
                };
                (texts.title, passkeys("passkey"), values)
            }
            View::Address(purpose, email) => {
                let (title, intro) = match purpose {
                    Purpose::SignIn => (texts.by_mail, texts.by_mail_intro),
                    Purpose::Reset => (texts.reset_title, texts.reset_intro),
                };
                (
                    title,
                    None,
                    context! { view => "address", step => purpose.name(), intro, entered => *email, start_link },
                )
            }
            View::Code(email) => (texts.code_title, None, context! { view => "code", entered => *email, start_link }),
            View::Link(token) => (texts.title, None, context! { view => "link", token => *token, start_link }),
            View::Register(entered, problems) => {
                let fields = entered.fields(settings, self.language, problems);
                (texts.register, None, context! { view => "register", fields, start_link })
            }
            View::Message(Message(title, message)) => {
                (*title, None, context! { view => "message", message => *message, start_link })
            }
            View::SecondFactor { token, methods } => {
                let has = |method: MfaMethod| methods.split(',').any(|name| name == method.name());
                let has_app = has(MfaMethod::Totp);
                let code_label = if has_app { texts.totp_or_recovery_code } else { texts.recovery_code };
                let values =
                    context! { view => "second_factor", token => *token, methods => *methods, code_label, start_link };
                let passkey = if has(MfaMethod::Passkey) { passkeys("second_factor") } else { None };
                (texts.second_factor_title, passkey, values)
            }
            View::SignedIn { username, continues } => {
                let refresh = return_to.filter(|_| *continues);
                (texts.signed_in_title, None, context! { view => "signed_in", username => *username, refresh })
            }
            View::Reload(address) => (texts.title, None, context! { view => "reload", refresh => *address }),
        };
        let common = context! { language => self.language.tag(), texts => Serde(texts), title, passkey_step, problem, return_to };
        self.respond(status, passkey_step.is_some(), context! { ..values, ..common })
    }

    fn provider_link(&self, provider: &ProviderSettings) -> Value {
        context! { name => provider.name.as_str(), link => self.path(&[("provider", &provider.id)]) }
    }

    fn respond(&self, status: StatusCode, has_script: bool, values: Value) -> Response {
        let mut response = page(self.settings, status, self.language, TEMPLATE, values);
        let headers = response.headers_mut();
        // Browsers send the origin with a form only to pages that have a referrer.
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        if has_script {
            headers.insert(CONTENT_SECURITY_POLICY, brand::policy(&self.settings.brand, POLICY));
        }
        response
    }
}
