//! The forms of the page.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{
    START, Visit,
    view::{Purpose, View},
};
use crate::{
    Error, Result,
    config::SecretString,
    domain::{
        Viewer,
        mfa::Factor,
        passkeys::{self, Assertion},
        sessions::{self, Logout},
        sign_in::{
            challenge::{self, Answer},
            email::{self, Proof},
            password::{self, Credentials},
        },
        users::password_reset,
    },
    graphql::Cookie,
    http::{
        Server,
        auth::{add_cookie, redirect},
        form::Form,
        middleware::{cors, peer},
        pages::{
            error_page,
            link_result::message_page,
            links::{read_form, with_error},
            texts,
        },
        status::status_of,
    },
    language::Language,
};

/// Takes a form of the page.
pub(in crate::http) async fn submit(State(server): State<Arc<Server>>, request: Request) -> Response {
    let client = peer::client(&server.app.settings, &request);
    let language = client.language;
    // The forms use cookies, so no other origin may submit them, nor a document that hides its origin.
    if cors::refused_origins(&server.app.settings, request.headers()).next().is_some() {
        return rejected(&server, StatusCode::FORBIDDEN, language);
    }
    let headers = request.headers().clone();
    let mut form = match read_form(&server, request).await {
        Ok(form) => form,
        Err(status) => return rejected(&server, status, language),
    };
    match Visit::new(&server, client, &headers, form.take("return_to")) {
        Ok(visit) => Box::pin(visit.submit(form)).await,
        Err(error) => error_page(&server.app.settings, language, &error),
    }
}

fn rejected(server: &Server, status: StatusCode, language: Language) -> Response {
    message_page(&server.app.settings, status, language, texts::rejected(language), &[texts::start_again(language)])
}

/// Which passkey is asked for.
fn assertion(form: &mut Form) -> Option<Assertion> {
    let (ceremony_token, credential) = (form.take("ceremony_token")?, form.take("credential")?);
    // A text that is not JSON is refused as a credential.
    let credential = serde_json::from_str(&credential).unwrap_or_default();
    Some(Assertion { ceremony_token, credential })
}

impl Visit<'_> {
    async fn submit(self, mut form: Form) -> Response {
        match form.take("step").as_deref() {
            Some("password") => self.password(form).await,
            Some("passkey_options") => self.passkey_options(form).await,
            Some("passkey") => self.passkey(form).await,
            Some("second_factor") => self.second_factor(form).await,
            Some("email") => self.send_sign_in_mail(form).await,
            Some("code") => self.code(form).await,
            Some("link") => self.link(form).await,
            Some("reset") => self.send_reset_mail(form).await,
            Some("register") => self.register(form).await,
            Some("sign_out") => self.sign_out().await,
            _ => rejected(self.server, StatusCode::BAD_REQUEST, self.context.client.language),
        }
    }

    async fn password(self, mut form: Form) -> Response {
        let identifier = form.take("identifier").unwrap_or_default();
        let password = form.take("password").unwrap_or_default().into();
        let credentials = Credentials { identifier: identifier.clone(), password };
        let login = password::login(&self.context, credentials, self.new_session());
        let login = self.server.in_time(Box::pin(login)).await;
        self.finish(login, &View::Start { identifier: &identifier })
    }

    /// The options for the browser, as JSON for the script.
    async fn passkey_options(self, mut form: Form) -> Response {
        let started = match form.take("token").map(SecretString::from) {
            Some(token) => {
                let start = passkeys::start_for_challenge(&self.context, &token, &self.cookies);
                self.server.in_time(Box::pin(start)).await
            }
            None => passkeys::start_login(&self.context),
        };
        match started {
            Ok(started) => {
                Json(json!({ "ceremonyToken": started.ceremony_token, "options": started.options })).into_response()
            }
            Err(error) => {
                let body = Json(json!({ "detail": error.message(self.context.client.language) }));
                with_error((status_of(error.code()), body).into_response(), &error)
            }
        }
    }

    async fn passkey(self, mut form: Form) -> Response {
        let Some(assertion) = assertion(&mut form) else { return self.fail(START, &Error::PasskeyInvalid) };
        let login = passkeys::finish_login(&self.context, &assertion, self.new_session());
        let login = self.server.in_time(Box::pin(login)).await;
        self.finish(login, START)
    }

    async fn second_factor(self, mut form: Form) -> Response {
        let token = form.take("token").unwrap_or_default();
        let methods = form.take("methods").unwrap_or_default();
        let factor = match assertion(&mut form) {
            Some(assertion) => Factor::Passkey(assertion),
            None => Factor::of_text(form.take("code").unwrap_or_default().into()),
        };
        let remember_device = form.take("remember").is_some();
        let cookies = self.cookies.clone();
        let answer = Answer { token: token.clone().into(), factor, remember_device, cookies };
        let verified = challenge::verify(&self.context, answer);
        match self.server.in_time(Box::pin(verified)).await {
            // The form cannot be submitted again.
            Err(error @ Error::MfaChallengeExpired) => self.fail(START, &error),
            verified => self.finish(verified, &View::SecondFactor { token: &token, methods: &methods }),
        }
    }

    async fn send_sign_in_mail(mut self, mut form: Form) -> Response {
        let email = form.take("email").unwrap_or_default();
        let sent = async {
            let browser = self.renew_browser()?;
            let challenge = browser.challenge().ok_or_else(|| Error::internal("a verifier is malformed"))?;
            let request = email::request(&self.context, &email, challenge.as_str());
            self.server.in_time(request).await?;
            Ok(browser)
        };
        let sent: Result<_> = Box::pin(sent).await;
        match sent {
            Ok(browser) => {
                let mut response = self.show(&View::Code(&email));
                add_cookie(&mut response, browser.write(&self.server.cookies));
                response
            }
            Err(error) => self.fail(&View::Address(Purpose::SignIn, &email), &error),
        }
    }

    async fn code(self, mut form: Form) -> Response {
        let email = form.take("email").unwrap_or_default();
        let code = form.take("code").unwrap_or_default().into();
        let login = self.login_with_mail(Proof::Code { email: email.clone(), code }).await;
        self.finish(login, &View::Code(&email))
    }

    async fn link(self, mut form: Form) -> Response {
        let token = form.take("token").unwrap_or_default();
        let login = self.login_with_mail(Proof::Token(token.into())).await;
        self.finish(login, START)
    }

    async fn login_with_mail(&self, proof: Proof) -> Result<sessions::SignIn> {
        let browser = self.browser.as_ref().ok_or(Error::CodeInvalid)?;
        let login = email::login(&self.context, proof, &browser.verifier, self.new_session());
        self.server.in_time(Box::pin(login)).await
    }

    async fn send_reset_mail(self, mut form: Form) -> Response {
        let email = form.take("email").unwrap_or_default();
        let sent = Box::pin(password_reset::request(&self.context, &email));
        match self.server.in_time(sent).await {
            Ok(()) => self.show(&View::Message(&super::texts::texts(self.context.client.language).reset_sent)),
            Err(error) => self.fail(&View::Address(Purpose::Reset, &email), &error),
        }
    }

    async fn sign_out(self) -> Response {
        let tokens = self.presented_token().into_iter().collect();
        let logout = sessions::logout(&self.context, Logout { viewer: Viewer::Anonymous, tokens, everywhere: false });
        match self.server.in_time(logout).await {
            Ok(_) => {
                let mut response = redirect(&self.renderer().path(&[]));
                self.set_cookie(&mut response, Cookie::RefreshToken, None);
                response
            }
            Err(error) => self.fail(START, &error),
        }
    }
}
