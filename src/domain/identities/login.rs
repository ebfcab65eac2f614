//! `loginWithCode`: finds the account of an identity, or links or creates one, and goes through the gate.

use uuid::Uuid;

use super::{CodeExchange, LinkReason, check_limit, code, hash_of, new_account, new_identity};
use crate::{
    Error, Result,
    database::error::is_unique_violation,
    domain::{
        Context, Event, UnitOfWork,
        identity::Email,
        sessions::{NewSession, Replaced, SignIn},
        sign_in::{self, FirstFactor},
        users::claim,
    },
    entity::{
        identity,
        provider_login::{self, Model},
        session::AuthenticationMethods,
        user::{self, Identifier, Locked},
    },
};

/// Maximum number of attempts. An attempt fails if the account, its address or the identity changes at the same time.
const MAX_ATTEMPTS: u32 = 4;

/// The account that an identity belongs to, as read. The unit of work checks it again, with the user locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    /// The identity is linked to this user.
    Known { identity_id: Uuid, user_id: Uuid },
    /// This user has the address, and has verified it.
    Verified(Uuid),
    /// This user has the address, but never verified it.
    Unverified(Uuid),
    /// No account. It is created.
    NewAccount,
}

impl Target {
    fn user_id(self) -> Option<Uuid> {
        match self {
            Self::Known { user_id, .. } | Self::Verified(user_id) | Self::Unverified(user_id) => Some(user_id),
            Self::NewAccount => None,
        }
    }
}

/// Exchanges the code of a sign-in. Of several requests with one code, one succeeds. A provider is one factor.
///
/// # Errors
/// CODE_INVALID; IDENTITY_UNLINKED, IDENTITY_LIMIT_REACHED; ACCOUNT_DISABLED, EMAIL_NOT_VERIFIED, MFA_REQUIRED. If no account has the
/// identity or the address: REGISTRATION_DISABLED, RATE_LIMITED; REQUIRED (the address) if accounts need one and the provider has none.
pub async fn login(context: &Context, exchange: &CodeExchange, new_session: NewSession) -> Result<SignIn> {
    let result = exchange_code(context, exchange, new_session).await;
    sign_in::count(context, FirstFactor::Provider.name(), &result);
    result
}

async fn exchange_code(context: &Context, exchange: &CodeExchange, new_session: NewSession) -> Result<SignIn> {
    let login = code::find(context, exchange).await?;
    if login.user_id.is_some() {
        return Err(Error::CodeInvalid);
    }
    let replaced = new_session.replaced(context).await?;
    let mut is_registration_counted = false;
    for attempt in 0..MAX_ATTEMPTS {
        let target = find_target(context, &login).await?;
        let entered = if target == Target::NewAccount {
            if !is_registration_counted {
                new_account::check(context).await?;
                is_registration_counted = true;
            }
            Box::pin(new_account::create(context, &login, replaced, &new_session, attempt > 0)).await?
        } else {
            Box::pin(enter(context, &login, target, replaced, &new_session)).await?
        };
        if let Some(sign_in) = entered {
            return Ok(sign_in);
        }
    }
    Err(Error::unavailable(1, "an account changed several times during a sign-in"))
}

/// The address that accounts may be found by.
pub(super) fn trusted_email(login: &Model) -> Option<Email> {
    login.email.as_deref().filter(|_| login.is_email_trusted).and_then(|email| Email::parse(email).ok())
}

async fn find_target(context: &Context, login: &Model) -> Result<Target> {
    let db = context.app.database.read();
    if let Some(identity) = identity::find(db, &hash_of(login)).await? {
        return Ok(Target::Known { identity_id: identity.id, user_id: identity.user_id });
    }
    let Some(email) = trusted_email(login) else { return Ok(Target::NewAccount) };
    Ok(match user::find(db, Identifier::Email(&email.key)).await? {
        Some(user) if user.email_verified_at.is_some() => Target::Verified(user.id),
        Some(user) => Target::Unverified(user.id),
        None => Target::NewAccount,
    })
}

/// Signs in to an existing account. Returns `None` if it has changed since it was read.
async fn enter(
    context: &Context,
    login: &Model,
    target: Target,
    replaced: Option<Replaced>,
    new_session: &NewSession,
) -> Result<Option<SignIn>> {
    let mut work = context.begin().await?;
    let ids = replaced.iter().map(|replaced| replaced.user_id).chain(target.user_id()).collect();
    let mut users = user::lock_all(work.db(), ids).await?;
    let resolved = match users.iter_mut().find(|user| Some(user.id) == target.user_id()) {
        Some(user) => resolve(&mut work, login, target, user).await,
        None => Ok(false),
    };
    let (work, is_resolved) = work.or_rollback(resolved).await?;
    let user = users.iter().find(|user| Some(user.id) == target.user_id());
    let Some(user) = user.filter(|_| is_resolved) else {
        work.rollback().await?;
        return Ok(None);
    };
    let user_id = user.id;
    let gate = sign_in::admit(&work, user, AuthenticationMethods::provider(), new_session).await;
    let (work, gate) = work.or_rollback(gate).await?;
    sign_in::finish(work, users, user_id, gate, (new_session, replaced)).await.map(Some)
}

/// Uses up the code, and links the identity to the locked user if it is not linked. Returns false if the user or the identity has
/// changed since they were read. The gate decides whether the user may sign in; if not, the unit of work is rolled back.
async fn resolve(work: &mut UnitOfWork<'_>, login: &Model, target: Target, user: &mut Locked) -> Result<bool> {
    take(work, login).await?;
    let is_holder = || {
        let email = trusted_email(login);
        email.is_some_and(|email| user.email_key.as_ref() == Some(&email.key))
    };
    let reason = match target {
        Target::Known { identity_id, .. } => {
            return Ok(identity::record_use(work.db(), identity_id, login.email.as_deref(), work.now).await?);
        }
        Target::Verified(_) if is_holder() && user.email_verified_at.is_some() => LinkReason::Address,
        Target::Unverified(_) if is_holder() && user.email_verified_at.is_none() => {
            if !work.app().settings.registration.provider_takeover {
                return Err(Error::IdentityUnlinked);
            }
            claim::claim(work, user).await?;
            LinkReason::Takeover
        }
        _ => return Ok(false),
    };
    check_limit(work, user.id).await?;
    insert(work, login, user, reason).await
}

/// Uses up the code.
///
/// # Errors
/// CODE_INVALID if another request has used it.
pub(super) async fn take(work: &UnitOfWork<'_>, login: &Model) -> Result<()> {
    if provider_login::take(work.db(), login.id, work.now).await? { Ok(()) } else { Err(Error::CodeInvalid) }
}

/// Links the identity. Returns false if another request has linked it; the unit of work must be rolled back then.
pub(super) async fn insert(
    work: &mut UnitOfWork<'_>,
    login: &Model,
    user: &Locked,
    reason: LinkReason,
) -> Result<bool> {
    let identity = identity::Model { last_used_at: Some(work.now), ..new_identity(work, login, user.id)? };
    match identity::insert(work.db(), identity).await {
        Ok(()) => {
            let provider_id = login.provider_id.clone();
            work.emit(Event::IdentityLinked { user: user.to_model().into(), provider_id, reason });
            Ok(true)
        }
        Err(error) if is_unique_violation(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
