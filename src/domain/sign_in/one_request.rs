//! Sign-in with a password and a second factor in one request, for clients that cannot answer a challenge later.

use crate::{
    Error, Result,
    config::{ExposeSecret, SecretString},
    domain::{
        Context,
        mfa::Factor,
        sessions::{Cookies, NewSession, SignIn},
        sign_in::{
            challenge::{self, Answer},
            password::{self, Credentials},
        },
    },
};

/// Signs in as [`password::login`] does, and answers the challenge with `code`: a code of an authenticator app, or a recovery
/// code. A blank code means none. The code is ignored for users without a second factor. The refresh tokens of the session
/// are delivered in bodies.
///
/// # Errors
/// Those of [`password::login`] and [`challenge::verify`]. MFA_REQUIRED if there is no code; its challenge is already invalid.
pub async fn login(context: &Context, credentials: Credentials, code: Option<SecretString>) -> Result<SignIn> {
    let code = code.filter(|code| !code.expose_secret().trim().is_empty());
    let challenge = match password::login(context, credentials, NewSession::in_body()).await {
        Err(Error::MfaRequired(challenge)) => challenge,
        other => return other,
    };
    let token = challenge.token.clone();
    let result = match code {
        None => Err(Error::MfaRequired(challenge)),
        Some(code) => {
            let cookies = Cookies::default();
            let answer =
                Answer { token: challenge.token, factor: Factor::of_text(code), remember_device: false, cookies };
            // Boxed, so that requests that wait for their hash do not reserve memory for what follows.
            Box::pin(challenge::verify(context, answer)).await
        }
    };
    if result.is_err() {
        challenge::discard(context, &token).await;
    }
    result
}
