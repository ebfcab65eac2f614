//! The start of a flow, and the return of the browser from the provider.

use super::{
    ReturnAddress,
    code::{self, parse_challenge},
};
use crate::{
    Error, Result,
    config::SecretString,
    domain::{Context, sign_in::FirstFactor, throttle::PlainAttempt},
    providers::{Provider, ProviderError},
    security::oidc::{Callback, CallbackOutcome, Flow, FlowCookie, NewFlow, Purpose},
};

/// Errors of providers that follow from a decision of the user or about the user, not from a fault (RFC 6749 §4.1.2.1, OpenID Connect
/// Core §3.1.2.6).
const REFUSALS: [&str; 5] =
    ["access_denied", "login_required", "consent_required", "interaction_required", "account_selection_required"];

/// A flow that was started.
#[derive(Debug)]
pub struct Started {
    /// The address at the provider, to which the browser is redirected.
    pub location: String,
    /// The cookie that binds the flow to the browser.
    pub cookie: FlowCookie,
}

/// A flow whose browser has returned from the provider.
#[derive(Debug)]
pub struct Completed {
    /// The address of the app with a code or an error, to which the browser is redirected.
    pub location: String,
    /// The name of the cookie of the flow, to be deleted.
    pub cookie_name: String,
}

/// Checks the parameters of a sign-in.
///
/// # Errors
/// BAD_REQUEST.
pub fn prepare(context: &Context, provider_id: &str, return_to: &str, code_challenge: &str) -> Result<NewFlow> {
    let return_to = ReturnAddress::parse(context.settings(), return_to)?;
    Ok(NewFlow {
        provider_id: provider_id.to_owned(),
        return_to: return_to.as_str().to_owned(),
        app_challenge: parse_challenge(code_challenge)?,
        purpose: Purpose::SignIn,
    })
}

/// Opens the ticket that [`super::start_link`] has issued.
///
/// # Errors
/// CODE_INVALID.
pub fn prepare_link(context: &Context, provider_id: &str, ticket: &str) -> Result<NewFlow> {
    let opened = context.app.flow_sealer.open_ticket(ticket, provider_id, context.now());
    opened.map_err(|_| Error::CodeInvalid)
}

/// Starts a flow. Writes nothing.
///
/// # Errors
/// PROVIDER_UNKNOWN, PROVIDER_FAILED.
pub async fn start(context: &Context, request: NewFlow) -> Result<Started> {
    let app = &context.app;
    let provider = find_provider(context, &request.provider_id)?;
    let flow = Flow::start(request, context.now())?;
    let url = provider.authorization_url(&app.outgoing, &flow, context.now()).await;
    let location = url.map_err(|error| failed(provider, &error))?.into();
    Ok(Started { location, cookie: app.flow_sealer.seal(&flow)? })
}

/// Finishes a flow at the return from the provider, with `query` of the callback. `cookies` returns the values of the cookies with a
/// name. No account is changed.
///
/// Once the flow is known, an error is a redirect to the app. A failed sign-in counts for the network of the client, because it costs
/// requests to the provider.
///
/// # Errors
/// CODE_INVALID if the flow is unknown: it has expired, was not started by this browser or with another provider, or the callback
/// is malformed.
pub async fn complete(
    context: &Context,
    provider_id: &str,
    query: &str,
    cookies: impl Fn(&str) -> Vec<String>,
) -> Result<Completed> {
    let unknown = |reason: &dyn std::fmt::Display| {
        tracing::debug!(%reason, "the callback of a provider was refused");
        Error::CodeInvalid
    };
    let callback = Callback::parse(query).map_err(|error| unknown(&error))?;
    let cookie_name = FlowCookie::name_for(&callback.state).ok_or(Error::CodeInvalid)?;
    let open = |cookie: &String| context.app.flow_sealer.open(&callback.state, cookie, provider_id, context.now());
    let mut opened = Err(Error::CodeInvalid);
    for cookie in cookies(&cookie_name) {
        opened = open(&cookie).map_err(|error| unknown(&error));
        if opened.is_ok() {
            break;
        }
    }
    let flow = opened?;
    let return_to = ReturnAddress::parse(context.settings(), &flow.request.return_to)?;
    let location = match finish(context, &callback, &flow).await {
        Ok(code) => return_to.with_code(&code),
        Err(error) => {
            if matches!(flow.request.purpose, Purpose::SignIn) {
                context.app.metrics.count_sign_in(FirstFactor::Provider.name(), Some(error.code()));
            }
            if let Some(cause) = error.cause() {
                tracing::error!(cause, "a sign-in with a provider failed");
            }
            return_to.with_error(error.code())
        }
    };
    Ok(Completed { location, cookie_name })
}

async fn finish(context: &Context, callback: &Callback, flow: &Flow) -> Result<SecretString> {
    let provider = find_provider(context, &flow.request.provider_id)?;
    let code = match &callback.outcome {
        CallbackOutcome::Code(code) => code,
        CallbackOutcome::Refused(reason) => {
            tracing::info!(provider = provider.settings.id, %reason, "a provider refused a sign-in");
            let is_refusal = REFUSALS.contains(&reason.as_str());
            return Err(if is_refusal { Error::ProviderRefused } else { Error::ProviderFailed });
        }
    };
    let attempt = PlainAttempt::book_provider(context).await?;
    let identified = provider.identify(&context.app.outgoing, callback, code, flow, context.now()).await;
    let identity = identified.map_err(|error| failed(provider, &error))?;
    attempt.withdraw(context).await;
    code::issue(context, &flow.request, identity, provider.settings.trusts_email).await
}

pub(super) fn find_provider<'a>(context: &'a Context, id: &str) -> Result<&'a Provider> {
    context.app.providers.get(id).ok_or(Error::ProviderUnknown)
}

/// Logs why a provider failed. Users are not told, because they can do nothing about it.
fn failed(provider: &Provider, error: &ProviderError) -> Error {
    tracing::warn!(provider = provider.settings.id, %error, "a sign-in with a provider failed");
    Error::ProviderFailed
}
