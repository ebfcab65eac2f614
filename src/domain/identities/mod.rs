//! Identities: accounts at providers, such as Google, that users sign in with.
//!
//! A flow has three steps. [`start`] redirects the browser to the provider. [`complete`] verifies what the provider returns, stores it
//! with a one-time code for the app, and changes no account. [`login()`] and [`finish_link`] exchange the code, which needs the verifier of
//! the app, and apply the rules: which account an identity belongs to, and when one is linked, created or refused. `docs/providers.md`
//! has the table.
//!
//! Only issuer and subject identify a user. An address is used once, when an identity is new, and only if the provider has
//! verified it and is trusted with that.

mod address;
mod code;
mod flow;
mod link;
mod login;
mod new_account;
mod unlink;
mod username;

use std::collections::HashMap;

pub use address::ReturnAddress;
pub use code::CodeExchange;
pub use flow::{Completed, Started, complete, prepare, prepare_link, start};
pub use link::{LinkRequest, finish as finish_link, start as start_link};
pub use login::login;
pub use unlink::unlink;
pub(in crate::domain) use unlink::{remove_unproven, unlink_all};
use uuid::Uuid;

use crate::{
    Error, Result,
    domain::{
        Context, Principal, UnitOfWork,
        users::administration::{Administrator, may_read},
    },
    entity::{
        identity::{self, Model},
        provider_login,
    },
    security::{link_token::TokenHash, random},
};

pub use crate::entity::identity::MAX_IDENTITIES;

/// Why an identity was linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkReason {
    /// The signed-in user linked it.
    User,
    /// The provider and this server have verified the same address.
    Address,
    /// The user has taken over an account that never verified the address.
    Takeover,
    /// The account was created with it.
    Registration,
}

impl LinkReason {
    /// The name in the audit log.
    pub(in crate::domain) const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Address => "address",
            Self::Takeover => "takeover",
            Self::Registration => "registration",
        }
    }
}

/// The identity that a user has proved to own, to be inserted.
fn new_identity(work: &UnitOfWork<'_>, login: &provider_login::Model, user_id: Uuid) -> Result<Model> {
    Ok(Model {
        id: random::id(work.now)?,
        user_id,
        provider_id: login.provider_id.clone(),
        issuer: login.issuer.clone(),
        subject: login.subject.clone(),
        identity_hash: hash_of(login),
        email: login.email.clone(),
        linked_at: work.now,
        last_used_at: None,
    })
}

fn hash_of(login: &provider_login::Model) -> TokenHash {
    TokenHash::of_identity(&login.issuer, &login.subject)
}

/// Checks that another identity can be linked to a locked user.
///
/// # Errors
/// IDENTITY_LIMIT_REACHED.
async fn check_limit(work: &UnitOfWork<'_>, user_id: Uuid) -> Result<()> {
    let identities = identity::list(work.db(), user_id).await?;
    let count = u64::try_from(identities.len()).unwrap_or(u64::MAX);
    if count >= MAX_IDENTITIES { Err(Error::IdentityLimitReached) } else { Ok(()) }
}

/// Lists the identities of a user, oldest first, at most [`MAX_IDENTITIES`].
///
/// # Errors
/// NOT_FOUND for another user, except for administrators.
pub async fn list(context: &Context, principal: &Principal, user_id: Uuid) -> Result<Vec<Model>> {
    if !may_read(context, principal, user_id) {
        return Err(Error::NotFound);
    }
    Ok(identity::list(context.app.database.read(), user_id).await?)
}

/// Lists the identities of each of these users, oldest first, by the id of the user.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub async fn list_many(context: &Context, _: &Administrator, user_ids: &[Uuid]) -> Result<HashMap<Uuid, Vec<Model>>> {
    let mut lists = HashMap::<Uuid, Vec<Model>>::new();
    for identity in identity::list_of_many(context.app.database.read(), user_ids).await? {
        lists.entry(identity.user_id).or_default().push(identity);
    }
    Ok(lists)
}

/// Finds an identity of the signed-in user, or of any user for administrators.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub async fn find(context: &Context, principal: &Principal, id: Uuid) -> Result<Option<Model>> {
    let found = identity::find_by_id(context.app.database.read(), id).await?;
    Ok(found.filter(|identity| may_read(context, principal, identity.user_id)))
}
