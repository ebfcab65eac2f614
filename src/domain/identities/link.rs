//! Linking an identity to the account of the signed-in user.

use super::{
    CodeExchange, LinkReason, ReturnAddress, check_limit,
    code::{self, parse_challenge},
    flow::find_provider,
    hash_of, new_identity,
};
use crate::{
    Error, Result,
    database::error::is_unique_violation,
    domain::{Context, Event, Principal, UnitOfWork, sign_in::proof},
    entity::{
        identity::{self, Model},
        provider_login, second_factor, user,
    },
    security::oidc::{NewFlow, Purpose},
};

/// The start of a link.
#[derive(Debug)]
pub struct LinkRequest {
    /// The id of the provider.
    pub provider_id: String,
    /// The address of the app to which the browser returns.
    pub return_to: String,
    /// The S256 challenge of the app.
    pub code_challenge: String,
}

/// Starts to link an identity. Returns the address to open. It works for 10 minutes; for another user it does nothing, because
/// only this session can finish the link.
///
/// # Errors
/// REAUTHENTICATION_REQUIRED, PROVIDER_UNKNOWN, BAD_REQUEST.
pub async fn start(context: &Context, principal: &Principal, request: &LinkRequest) -> Result<String> {
    let return_to = ReturnAddress::parse(context.settings(), &request.return_to)?;
    let app_challenge = parse_challenge(&request.code_challenge)?;
    let provider = find_provider(context, &request.provider_id)?;
    proof::check_fresh(context, principal).await?;
    let request = NewFlow {
        provider_id: provider.settings.id.clone(),
        return_to: return_to.as_str().to_owned(),
        app_challenge,
        purpose: Purpose::Link { user_id: principal.user.id, session_id: principal.session.id },
    };
    let ticket = context.app.flow_sealer.seal_ticket(request, context.now())?;
    let public_url = &context.settings().server.public_url;
    Ok(format!("{public_url}/auth/{}?link={ticket}", provider.settings.id))
}

/// Links the identity to the signed-in user, in the session that has started it. An identity that is linked to this user already
/// stays as it is.
///
/// # Errors
/// CODE_INVALID, also in another session or for a code of a sign-in; IDENTITY_TAKEN, IDENTITY_LIMIT_REACHED;
/// REAUTHENTICATION_REQUIRED if a second factor was set up since the start and this session has not confirmed it. UNAUTHENTICATED if
/// the session has ended in the meantime.
pub async fn finish(context: &Context, principal: &Principal, exchange: &CodeExchange) -> Result<(user::Model, Model)> {
    let login = code::find(context, exchange).await?;
    if (login.user_id, login.session_id) != (Some(principal.user.id), Some(principal.session.id)) {
        return Err(Error::CodeInvalid);
    }
    let (work, user) = context.begin_as(principal).await?;
    let linked = link(&work, principal, &login).await;
    let (mut work, (identity, is_new)) = work.or_rollback(linked).await?;
    if is_new {
        let provider_id = identity.provider_id.clone();
        work.emit(Event::IdentityLinked { user: user.to_model().into(), provider_id, reason: LinkReason::User });
    }
    work.commit().await?;
    Ok((user.into(), identity))
}

/// Returns the identity, and whether it is new.
async fn link(work: &UnitOfWork<'_>, principal: &Principal, login: &provider_login::Model) -> Result<(Model, bool)> {
    let user_id = principal.user.id;
    if !provider_login::take(work.db(), login.id, work.now).await? {
        return Err(Error::CodeInvalid);
    }
    if principal.session.second_factor_at.is_none() && second_factor::exists(work.db(), user_id).await? {
        return Err(Error::ReauthenticationRequired { needs_second_factor: true });
    }
    if let Some(known) = identity::find(work.db(), &hash_of(login)).await? {
        return if known.user_id == user_id { Ok((known, false)) } else { Err(Error::IdentityTaken) };
    }
    check_limit(work, user_id).await?;
    let identity = new_identity(work, login, user_id)?;
    match identity::insert(work.db(), identity.clone()).await {
        Ok(()) => Ok((identity, true)),
        Err(error) if is_unique_violation(&error) => Err(Error::IdentityTaken),
        Err(error) => Err(error.into()),
    }
}
