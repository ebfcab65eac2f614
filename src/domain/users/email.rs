//! E-mail addresses: verification, requesting the verification mail, and changing the address.

use chrono::TimeDelta;

use crate::{
    Error, Result,
    config::SecretString,
    database::error::is_unique_violation,
    domain::{
        Context, Event, Principal, UnitOfWork,
        identity::Email,
        notifications::{self, links},
        sign_in::proof,
        throttle::MailRequest,
        users::mail_request,
    },
    entity::{
        link,
        mail::Purpose,
        user::{self, Identifier, Locked},
    },
    error::{ErrorCode, Field, InputError, Problems},
    security::random,
};

/// How long a requested change of the address is valid.
pub(in crate::domain) const PENDING_EMAIL_LIFETIME: TimeDelta = TimeDelta::hours(24);

/// Maximum number of attempts to use a link. An attempt fails if the link, its user, or the current user of the address
/// changes at the same time.
const MAX_ATTEMPTS: u32 = 3;

/// A change of the address.
#[derive(Debug)]
pub struct EmailChange {
    /// The new address.
    pub new_email: String,
    /// The current password. Required unless the session signed in less than ten minutes ago.
    pub password: Option<SecretString>,
}

/// Requests another verification mail: for the account that has the address unverified, otherwise for the account that last
/// requested a change to it. The result does not reveal whether such an account exists.
///
/// # Errors
/// MAIL_DISABLED, INVALID_EMAIL, TOO_LONG, RATE_LIMITED.
pub async fn send_verification(context: &Context, email: &str) -> Result<()> {
    mail_request::to_address(context, Purpose::VerifyEmail, email).await
}

/// A valid verification link.
#[derive(Debug)]
pub struct VerificationLink {
    /// The address that it verifies.
    pub address: String,
    /// Whether the link has already verified the address, which the account still has.
    pub is_used: bool,
}

/// Finds a verification link without using it.
///
/// # Errors
/// LINK_INVALID, LINK_EXPIRED; SERVICE_UNAVAILABLE.
pub async fn find_link(context: &Context, token: &SecretString) -> Result<VerificationLink> {
    let (link, user) = links::find(context, link::Purpose::VerifyEmail, token).await?;
    let is_used = link.used_at.is_some();
    Ok(VerificationLink { address: address_of(&link, user)?, is_used })
}

/// The address that a link verifies, or has verified.
fn address_of(link: &link::Model, user: user::Model) -> Result<String> {
    let is_change = link.pending_email_id.is_some() && link.used_at.is_none();
    let address = if is_change { user.pending_email } else { user.email };
    address.ok_or_else(|| Error::internal("the account of a link has no address"))
}

/// Verifies the address that a token was sent to, and completes a change of the address if the token is for one. Returns
/// the address. Using the link again changes nothing and returns the address, as long as the account has it. If another
/// account has the new address but never verified it, the address is removed from that account.
///
/// # Errors
/// LINK_INVALID, LINK_EXPIRED; EMAIL_TAKEN if another account has verified the address. The token stays valid in that case,
/// because the address may become free.
pub async fn verify(context: &Context, token: &SecretString) -> Result<String> {
    let mut last_error = Error::LinkInvalid;
    for _ in 0..MAX_ATTEMPTS {
        let (link, user) = links::find(context, link::Purpose::VerifyEmail, token).await?;
        let verified = if link.used_at.is_some() { Ok(true) } else { use_link(context, &link, &user).await? };
        match verified {
            Ok(true) => return address_of(&link, user),
            Ok(false) => {}
            Err(problem) => last_error = problem.into(),
        }
    }
    Err(last_error)
}

/// Uses a link. Returns false if the link or its user has changed since it was read. The inner error is EMAIL_TAKEN.
async fn use_link(context: &Context, link: &link::Model, read: &user::Model) -> Result<Result<bool, InputError>> {
    let mut work = context.begin().await?;
    // Lock order: users before links, as in every unit of work, so that two of them cannot deadlock.
    let Some(mut user) = lock_with_holder(&mut work, link, read).await? else {
        work.rollback().await?;
        return Ok(Ok(false));
    };
    let before = user.to_model();
    let now = work.now;
    let changed = user.update(work.db(), |user| {
        if link.pending_email_id.is_some() {
            user.email = user.pending_email.take();
            user.email_key = user.pending_email_key.take();
            user.clear_pending_email();
            user.email_verified_at = None;
        }
        user.set_email_verified(now);
        user.updated_at = now;
    });
    match changed.await {
        Ok(_) => {}
        Err(error) if is_unique_violation(&error) => {
            work.rollback().await?;
            return Ok(Err(InputError::new(ErrorCode::EmailTaken, Field::Token)));
        }
        Err(error) => return Err(error.into()),
    }
    if !link::mark_used(work.db(), link.id, now).await? {
        work.rollback().await?;
        return Ok(Ok(false));
    }
    if link.pending_email_id.is_none() {
        link::delete_unused(work.db(), user.id, Some(link.purpose)).await?;
        work.emit(Event::EmailVerified { user_id: user.id });
    } else {
        links::end_all(&work, user.id).await?;
        work.emit(Event::EmailChanged { before: before.into(), after: user.to_model().into() });
    }
    work.commit().await?;
    Ok(Ok(true))
}

/// Locks the user of a link, if the link still matches. If the link changes the address, removes the address from another
/// account that has it but never verified it. The sessions of that account continue, because its password opened them.
async fn lock_with_holder(work: &mut UnitOfWork<'_>, link: &link::Model, read: &user::Model) -> Result<Option<Locked>> {
    let mut ids = vec![read.id];
    if link.pending_email_id.is_some() {
        let holder = user::find(work.db(), Identifier::Email(&link.email_key)).await?;
        ids.extend(holder.filter(|holder| holder.email_verified_at.is_none()).map(|holder| holder.id));
    }
    // Both with one statement, in a fixed order, so that two accounts that exchange addresses cannot deadlock.
    let mut user = None;
    let mut holder = None;
    for locked in user::lock_all(work.db(), ids).await? {
        if locked.id == read.id {
            user = Some(locked);
        } else {
            holder = Some(locked);
        }
    }
    let now = work.now;
    let user = user.filter(|user| {
        links::matches(link.purpose, user, &link.email_key, link.pending_email_id)
            && (link.pending_email_id.is_none() || user.pending_email_at(now).is_some())
    });
    let loses =
        |holder: &Locked| holder.email_verified_at.is_none() && holder.email_key.as_ref() == Some(&link.email_key);
    if let Some(mut holder) = holder.filter(|holder| user.is_some() && loses(holder)) {
        remove(work, &mut holder).await?;
    }
    Ok(user)
}

/// Removes the address from an account that never verified it, because somebody else has proved to own it.
pub(in crate::domain) async fn remove(work: &mut UnitOfWork<'_>, holder: &mut Locked) -> Result<()> {
    let now = work.now;
    holder
        .update(work.db(), |holder| {
            holder.email = None;
            holder.email_key = None;
            holder.updated_at = now;
        })
        .await?;
    links::end_all(work, holder.id).await?;
    work.emit(Event::EmailRemoved { user_id: holder.id });
    Ok(())
}

/// Requests a change of the signed-in user's address. The change takes effect when the link sent to the new address is used
/// within 24 hours, unless another account has verified that address. The result does not reveal whether one has. A new
/// request replaces the previous one. A request with the current address cancels it.
///
/// # Errors
/// MAIL_DISABLED; RATE_LIMITED; all problems of the form: INVALID_EMAIL, TOO_LONG, REQUIRED, WRONG_PASSWORD.
pub async fn change(context: &Context, principal: &Principal, form: EmailChange) -> Result<user::Model> {
    let to = check(context, principal, form).await?;
    let request = request_mail(context, &principal.user, &to).await?;
    let (mut work, mut user) = context.begin_as(principal).await?;
    apply(&mut work, &mut user, to, request).await?;
    work.commit().await?;
    Ok(user.into())
}

/// Checks the form of [`change`], including the password. Nothing is written, and no mail is counted.
pub(in crate::domain) async fn check(context: &Context, principal: &Principal, form: EmailChange) -> Result<Email> {
    notifications::require(&context.app)?;
    let mut problems = Problems::default();
    let to = problems.collect(Email::parse_field(&form.new_email, Field::NewEmail));
    let proof = proof::check(context, principal, form.password.as_ref(), Field::Password).await?;
    match (to, problems.collect(proof)) {
        (Some(to), Some(())) => Ok(to),
        _ => Err(problems.into()),
    }
}

/// Returns the mail request of a change of the address, and fails early if a limit is reached. Returns `None` if no mail is
/// needed.
///
/// # Errors
/// RATE_LIMITED.
pub(in crate::domain) async fn request_mail(
    context: &Context,
    user: &user::Model,
    to: &Email,
) -> Result<Option<MailRequest>> {
    if user.email_key.as_ref() == Some(&to.key) && user.email_verified_at.is_some() {
        return Ok(None);
    }
    MailRequest::checked(context, Some(user.id)).await.map(Some)
}

/// Stores the requested change.
///
/// # Errors
/// RATE_LIMITED; the caller must then roll back.
pub(in crate::domain) async fn apply(
    work: &mut UnitOfWork<'_>,
    user: &mut Locked,
    to: Email,
    request: Option<MailRequest>,
) -> Result<()> {
    let now = work.now;
    let pending = (user.email_key.as_ref() != Some(&to.key)).then(|| random::id(now)).transpose()?;
    user.update(work.db(), |user| {
        user.clear_pending_email();
        if let Some(id) = pending {
            user.pending_email = Some(to.text.clone());
            user.pending_email_key = Some(to.key.clone());
            user.pending_email_id = Some(id);
            user.pending_email_expires_at = Some(now + PENDING_EMAIL_LIFETIME);
        }
        user.updated_at = now;
    })
    .await?;
    let mail_round = match request {
        Some(request) => Some(request.book(work).await?),
        None => None,
    };
    work.emit(Event::EmailChangeRequested { user: user.to_model().into(), to, mail_round });
    Ok(())
}

/// Cancels a requested change of the signed-in user's address. It needs no mail and is not limited, so that it is always
/// possible. Does nothing if there is no request.
///
/// # Errors
/// UNAUTHENTICATED if the session has ended in the meantime.
pub async fn cancel_change(context: &Context, principal: &Principal) -> Result<user::Model> {
    let (mut work, mut user) = context.begin_as(principal).await?;
    let now = work.now;
    if user.pending_email_id.is_some() {
        user.update(work.db(), |user| {
            user.clear_pending_email();
            user.updated_at = now;
        })
        .await?;
        work.emit(Event::EmailChangeCancelled { user_id: user.id });
    }
    work.commit().await?;
    Ok(user.into())
}
