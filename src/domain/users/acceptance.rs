//! Accepting an invitation: creates an account with the invited address, which counts as verified. Works where registration is
//! disabled.

use crate::{
    Error, Result,
    config::SecretString,
    domain::{
        Context, Event, UnitOfWork,
        sessions::{NewSession, Replaced, SignIn},
        sign_in, throttle,
        users::{
            email,
            form::NewUser,
            registration::{self, Account, Registration},
        },
    },
    entity::{
        invitation,
        session::AuthenticationMethods,
        user::{self, Identifier},
    },
    error::{ErrorCode, Field, InputError, Problems},
    security::link_token::TokenHash,
};

/// Maximum number of attempts. An attempt fails if somebody registers the address at the same time.
const MAX_ATTEMPTS: u32 = 3;

/// The form of an invited person.
#[derive(Clone, Debug)]
pub struct Acceptance {
    /// The token of the link.
    pub token: SecretString,
    /// Unique without regard to case.
    pub username: String,
    /// 8 to 128 code points.
    pub password: SecretString,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
}

/// Finds an open invitation without accepting it.
///
/// # Errors
/// INVITATION_INVALID, INVITATION_EXPIRED; SERVICE_UNAVAILABLE.
pub async fn find(context: &Context, token: &SecretString) -> Result<invitation::Model> {
    let found = invitation::find(context.app.database.read(), &TokenHash::of(token)).await?;
    let invitation = found.ok_or(Error::InvitationInvalid)?;
    if invitation.expires_at <= context.now() { Err(Error::InvitationExpired) } else { Ok(invitation) }
}

/// Accepts an invitation, and signs in. If several clients accept one invitation at the same time, the database gives it to one
/// of them. If the form is rejected, the token stays valid. An account that has the address but never verified it loses it.
///
/// # Errors
/// INVITATION_INVALID, INVITATION_EXPIRED; all problems of the form; if there are none, RATE_LIMITED, then USERNAME_TAKEN, and
/// EMAIL_TAKEN if another account has verified the address.
pub async fn accept(context: &Context, form: Acceptance, new_session: NewSession) -> Result<SignIn> {
    let replaced = new_session.replaced(context).await?;
    let (mut work, mut user, event) = create(context, form, replaced).await?;
    let entered =
        sign_in::enter_new_account(&mut work, &mut user, &new_session, event, AuthenticationMethods::password())
            .await?;
    work.commit().await?;
    entered.issue_tokens(&context.app)
}

/// Accepts an invitation without signing in, for the page, which has no use for a session.
///
/// # Errors
/// Those of [`accept`].
pub async fn accept_only(context: &Context, form: Acceptance) -> Result<Account> {
    let (mut work, user, event) = create(context, form, None).await?;
    work.emit(event);
    work.commit().await?;
    Ok(user.into())
}

/// Creates the account. Ends the session that the sign-in replaces, if any.
async fn create(
    context: &Context,
    form: Acceptance,
    replaced: Option<Replaced>,
) -> Result<(UnitOfWork<'_>, user::Locked, Event)> {
    let Acceptance { token, username, password, first_name, last_name } = form;
    let invitation = find(context, &token).await?;
    let form = Registration { username, password, email: Some(invitation.email.clone()), first_name, last_name };
    let new_user = registration::prepare(context, form).await?;
    let mut attempts = 0;
    let created = loop {
        attempts += 1;
        let created = attempt(context, &invitation, new_user.clone(), replaced).await;
        let is_taken = created.as_ref().is_err_and(is_email_taken);
        if !is_taken || attempts == MAX_ATTEMPTS {
            break created;
        }
    };
    match created {
        Ok((work, user)) => {
            let event = Event::InvitationAccepted { user: user.to_model().into(), invitation_id: invitation.id };
            Ok((work, user, event))
        }
        // The error depends on the cause. The user may have submitted the form twice.
        Err(Error::InvitationInvalid) => Err(find(context, &token).await.err().unwrap_or(Error::InvitationInvalid)),
        Err(error) => Err(in_form(error)),
    }
}

/// Creates the account if the invitation is still open.
async fn attempt<'a>(
    context: &'a Context,
    invitation: &invitation::Model,
    new_user: NewUser,
    replaced: Option<Replaced>,
) -> Result<(UnitOfWork<'a>, user::Locked)> {
    let mut work = context.begin().await?;
    let holder = user::find(work.db(), Identifier::Email(&invitation.email_key)).await?;
    let holder = holder.filter(|holder| holder.email_verified_at.is_none()).map(|holder| holder.id);
    let ids: Vec<_> = replaced.map(|replaced| replaced.user_id).into_iter().chain(holder).collect();
    // Lock order: users before invitations, as when a user is deleted, so that two of them cannot deadlock.
    let mut users = if ids.is_empty() { Vec::new() } else { user::lock_all(work.db(), ids).await? };
    if !invitation::take(work.db(), invitation.id, work.now).await? {
        work.rollback().await?;
        return Err(Error::InvitationInvalid);
    }
    if let Some(replaced) = replaced {
        replaced.end(&mut work, &users).await?;
    }
    let loses = |holder: &user::Locked| {
        holder.email_verified_at.is_none() && holder.email_key.as_ref() == Some(&invitation.email_key)
    };
    if let Some(holder) = users.iter_mut().find(|user| loses(user)) {
        email::remove(&mut work, holder).await?;
    }
    // A role may have been removed from `ROLES` since the invitation.
    let roles = work.app().settings.known_roles(&invitation.roles.0);
    let (work, mut user) = registration::insert(work, new_user, roles, false).await?;
    let now = work.now;
    user.update(work.db(), |user| user.set_email_verified(now)).await?;
    throttle::remember_network(&work, &user).await?;
    Ok((work, user))
}

fn is_email_taken(error: &Error) -> bool {
    error.problems().iter().any(|problem| problem.code == ErrorCode::EmailTaken)
}

/// Moves the problem of the address to the token, because the form has no field for the address.
fn in_form(error: Error) -> Error {
    if !is_email_taken(&error) {
        return error;
    }
    let mut problems = Problems::default();
    for problem in error.problems() {
        let field = if problem.field == Field::Email { Field::Token } else { problem.field };
        problems.push(InputError { field, ..*problem });
    }
    problems.into()
}
