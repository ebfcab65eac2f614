//! `/sign-in`: sign-in with a password, a passkey, a provider or a mail, for apps without a form of their own.
//!
//! After the sign-in, the refresh token is in the cookie, and the browser goes to `return_to`. The page works without scripts, except
//! for passkeys. Each form posts a step to the same path, whose response shows the next view.
//!
//! The cookie of the page contains the verifier that binds mails and flows to the browser. So the link in a mail, and the redirect
//! of a provider, work only in the browser that asked for them.
//!
//! Cookies with tokens are `SameSite=Strict`: browsers do not send them when another site opens the page. The page then opens itself
//! once more, because an existing sign-in or a remembered device would be ignored otherwise.

mod cookie;
mod registration;
mod steps;
mod texts;
mod view;

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, Method, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, SET_COOKIE},
    },
    response::{IntoResponse, Response},
};
use chrono::{DateTime, TimeDelta, Utc};
pub(in crate::http) use steps::submit;

use self::{
    cookie::BrowserState,
    registration::Entered,
    view::{Purpose, Renderer, View},
};
use crate::{
    Error, Result,
    config::{ExposeSecret, SecretString},
    domain::{
        Client, Context, Viewer,
        identities::{self, CodeExchange, ReturnAddress},
        sessions::{self, Cookies, Delivery, DeviceToken, NewSession, PresentedToken, SignIn},
    },
    error::MfaChallenge,
    graphql::{Cookie, CookieChange},
    http::{
        Server,
        auth::{add_cookie, redirect},
        form::Form,
        middleware::peer,
        pages::error_page,
    },
};

/// The path of the page, to which the links of mails lead.
pub(in crate::http) const PATH: &str = "/sign-in";

const SCRIPT: &str = include_str!("sign_in.js");

/// The errors of a flow that a redirect to this page can name.
const FLOW_ERRORS: [Error; 3] = [Error::ProviderUnknown, Error::ProviderFailed, Error::ProviderRefused];

pub(super) async fn script() -> Response {
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8"), (CACHE_CONTROL, "public, max-age=300")], SCRIPT).into_response()
}

/// Opens the page. The results of mails and flows are in the query.
pub(in crate::http) async fn open(State(server): State<Arc<Server>>, request: Request) -> Response {
    let client = peer::client(&server.app.settings, &request);
    let language = client.language;
    let (head, _) = request.into_parts();
    // HEAD must have no effect.
    let query = head.uri.query().filter(|_| head.method == Method::GET).unwrap_or_default();
    let mut query = Form::parse(query.as_bytes()).unwrap_or_default();
    let visit = match Visit::new(&server, client, &head.headers, query.take("return_to")) {
        Ok(visit) => visit,
        Err(error) => return error_page(&server.app.settings, language, &error),
    };
    let code = query.take("code");
    // Browsers without the header arrive with a code from a provider.
    let is_cross_site = head.headers.get("sec-fetch-site").map_or(code.is_some(), |site| site == "cross-site");
    if is_cross_site && query.take("reloaded").is_none() {
        let separator = if head.uri.query().is_some() { '&' } else { '?' };
        let address = head.uri.path_and_query().map_or(PATH, |address| address.as_str());
        let address = server.app.settings.server.path(address);
        return visit.show(&View::Reload(&format!("{address}{separator}reloaded=1")));
    }
    Box::pin(visit.open(query, code)).await
}

/// A request to the page.
struct Visit<'a> {
    server: &'a Server,
    context: Context,
    cookies: Cookies,
    has_forward_auth: bool,
    browser: Option<BrowserState>,
    return_to: Option<ReturnAddress>,
}

impl<'a> Visit<'a> {
    /// # Errors
    /// BAD_REQUEST if the address to return to is not allowed, or another origin sends the cookies.
    fn new(server: &'a Server, client: Client, headers: &HeaderMap, return_to: Option<String>) -> Result<Self> {
        let settings = &server.app.settings;
        let cookies = server.cookies.read(settings, headers);
        let cookies = cookies.map_err(|_| Error::BadRequest("This page accepts requests from its own origin only."))?;
        let return_to = return_to.map(|address| ReturnAddress::parse_for_page(settings, &address)).transpose()?;
        Ok(Self {
            server,
            context: Context::of_request(&server.app, Viewer::Anonymous, client),
            has_forward_auth: server.has_forward_auth(headers, cookies.refresh_token.as_ref()),
            cookies,
            browser: BrowserState::read(&server.cookies, headers),
            return_to,
        })
    }

    fn renderer(&self) -> Renderer<'_> {
        Renderer {
            settings: &self.server.app.settings,
            language: self.context.client.language,
            return_to: self.return_to.as_ref(),
        }
    }

    fn show(&self, view: &View<'_>) -> Response {
        self.renderer().view(StatusCode::OK, view, None)
    }

    fn fail(&self, view: &View<'_>, error: &Error) -> Response {
        self.renderer().error(view, error)
    }

    async fn open(self, mut query: Form, code: Option<String>) -> Response {
        if let Some(id) = query.take("provider") {
            return self.start_flow(&id);
        }
        if let Some(code) = code {
            return self.finish_flow(code).await;
        }
        if let Some(token) = query.take("token") {
            return self.open_link(&token);
        }
        if let Some(name) = query.take("error") {
            return self.fail(START, &flow_error(&name));
        }
        let settings = &self.server.app.settings;
        let method = query.take("method");
        let method = method.as_deref();
        if method == Some("register") && settings.registration.is_enabled {
            return self.show(&View::Register(&Entered::default(), &[]));
        }
        let purpose = [Purpose::SignIn, Purpose::Reset].into_iter().find(|purpose| Some(purpose.name()) == method);
        if let Some(purpose) = purpose.filter(|purpose| purpose.is_enabled(settings)) {
            return self.show(&View::Address(purpose, ""));
        }
        self.signed_in(query.take("done").is_some()).await
    }

    /// Who is signed in, or the methods to sign in.
    async fn signed_in(&self, has_just_signed_in: bool) -> Response {
        let user = match self.presented_token() {
            Some(token) => self.server.in_time(sessions::user_of(&self.context, &token)).await,
            None => Ok(None),
        };
        match user {
            Ok(Some(user)) if self.has_forward_auth => {
                self.show(&View::SignedIn { username: &user.username, continues: has_just_signed_in })
            }
            // A proxy sends browsers here without the cookie of forward-auth, so they continue when they have it.
            Ok(Some(user)) => {
                let mut response = self.show(&View::SignedIn { username: &user.username, continues: true });
                let token = self.cookies.refresh_token.as_ref();
                add_cookie(&mut response, token.and_then(|token| self.server.set_forward_auth(token)));
                response
            }
            Ok(None) if has_just_signed_in => {
                let texts = texts::texts(self.context.client.language);
                self.renderer().view(StatusCode::BAD_REQUEST, START, Some(texts.no_cookie))
            }
            Ok(None) => self.show(START),
            Err(error) => self.fail(START, &error),
        }
    }

    fn presented_token(&self) -> Option<PresentedToken> {
        let token = self.cookies.refresh_token.clone()?;
        Some(PresentedToken { token, delivery: Delivery::Cookie })
    }

    /// Redirects to a provider, which returns to this page.
    fn start_flow(mut self, provider_id: &str) -> Response {
        let settings = &self.server.app.settings;
        if !settings.providers.iter().any(|provider| provider.id == provider_id) {
            return self.fail(START, &Error::ProviderUnknown);
        }
        let browser = match self.renew_browser() {
            Ok(browser) => browser,
            Err(error) => return self.fail(START, &error),
        };
        let challenge = browser.challenge();
        let address = format!("{}{}", settings.server.origin(), self.renderer().path(&[]));
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("return_to", &address)
            .append_pair("code_challenge", challenge.as_ref().map_or("", |challenge| challenge.as_str()))
            .finish();
        let mut response = redirect(&settings.server.path(&format!("/auth/{provider_id}?{query}")));
        add_cookie(&mut response, browser.write(&self.server.cookies));
        response
    }

    /// Keeps the verifier of the browser, or creates one.
    fn renew_browser(&mut self) -> Result<BrowserState> {
        BrowserState::renewed(self.browser.take(), self.return_to.as_ref().map(ReturnAddress::as_str))
    }

    async fn finish_flow(mut self, code: String) -> Response {
        let Some(browser) = self.browser.take() else { return self.fail(START, &Error::CodeInvalid) };
        let exchange = CodeExchange { code: code.into(), code_verifier: browser.verifier };
        let login = identities::login(&self.context, &exchange, self.new_session());
        let login = self.server.in_time(Box::pin(login)).await;
        self.finish(login, START)
    }

    /// Shows the button of the link in a mail. In another browser, says where to enter the code.
    fn open_link(mut self, token: &str) -> Response {
        let Some(browser) = self.browser.take() else {
            let (title, text) = texts::elsewhere(self.context.client.language);
            let (settings, language) = (&self.server.app.settings, self.context.client.language);
            return super::link_result::message_page(settings, StatusCode::OK, language, title, &[text]);
        };
        let settings = &self.server.app.settings;
        self.return_to = browser.return_to.and_then(|address| ReturnAddress::parse_for_page(settings, &address).ok());
        self.show(&View::Link(token))
    }

    fn new_session(&self) -> NewSession {
        NewSession::new(Delivery::Cookie, self.cookies.clone())
    }

    /// The response to a sign-in: a redirect, the form for the second factor, or the view `on_error`.
    fn finish(&self, sign_in: Result<SignIn>, on_error: &View<'_>) -> Response {
        match sign_in {
            Ok(sign_in) => self.finished(sign_in),
            Err(Error::MfaRequired(challenge)) => self.ask_for_second_factor(&challenge),
            Err(error) => self.fail(on_error, &error),
        }
    }

    fn finished(&self, sign_in: SignIn) -> Response {
        let mut response = redirect(&self.renderer().path(&[("done", "1")]));
        let expires_at = sign_in.principal.session.expires_at;
        self.set_cookie(&mut response, Cookie::RefreshToken, Some((sign_in.refresh_token, expires_at)));
        if let Some(DeviceToken { token, expires_at }) = sign_in.device_token {
            self.set_cookie(&mut response, Cookie::RememberedDevice, Some((token, expires_at)));
        }
        response
    }

    fn ask_for_second_factor(&self, challenge: &MfaChallenge) -> Response {
        let methods: Vec<_> = challenge.methods.iter().map(|method| method.name()).collect();
        let view = View::SecondFactor { token: challenge.token.expose_secret(), methods: &methods.join(",") };
        let mut response = self.show(&view);
        if let Some(token) = &challenge.client_token {
            let expires_at = self.context.now() + TimeDelta::seconds(challenge.expires_in);
            self.set_cookie(&mut response, Cookie::MfaClient, Some((token.clone(), expires_at)));
        }
        response
    }

    fn set_cookie(&self, response: &mut Response, cookie: Cookie, token: Option<(SecretString, DateTime<Utc>)>) {
        for header in self.server.set_cookies(&CookieChange { cookie, token }) {
            response.headers_mut().append(SET_COOKIE, header);
        }
    }
}

const START: &View<'static> = &View::Start { identifier: "" };

/// The error that a flow has ended with. Unknown names are failures, because anyone can write them into a link.
fn flow_error(name: &str) -> Error {
    let known = FLOW_ERRORS.into_iter().find(|error| error.code().to_string() == name);
    known.unwrap_or(Error::ProviderFailed)
}
