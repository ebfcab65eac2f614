//! The profile: what people may change about themselves without a proof beyond being signed in.

use sea_orm::{ConnectionTrait, EntityTrait};
use uuid::Uuid;

use crate::{
    App, Error, Result,
    database::error::is_unique_violation,
    domain::{
        Client, Principal, audit,
        identity::{Email, Username, parse_name},
        throttle::RenameAttempt,
        users::{
            email::{self, EmailChange},
            registration::check_reserved,
        },
    },
    entity::{
        audit_event::Kind,
        user::{self, Names},
    },
    error::{ErrorCode, Field, InputError, Problems},
};

/// What someone wants to be called. What is `None` stays as it is; `Some(None)` is to be cleared.
#[derive(Clone, Debug, Default)]
pub struct ProfileChange {
    /// It can't be cleared.
    pub username: Option<Option<String>>,
    /// Given name.
    pub first_name: Option<Option<String>>,
    /// Family name.
    pub last_name: Option<Option<String>>,
}

/// Changes the names of the signed-in user. Returns them as they are then.
///
/// # Errors
/// All problems of the form at once; when there are none, RATE_LIMITED and USERNAME_TAKEN. UNAUTHENTICATED: the session
/// was ended meanwhile.
pub async fn update(app: &App, principal: &Principal, change: ProfileChange, client: &Client) -> Result<user::Model> {
    update_with_email(app, principal, change, None, client).await
}

/// The same together with an address to move to, for APIs that have one form for both. All of it changes, or nothing does
/// and no mail leaves. The address that the account has already is no change.
///
/// # Errors
/// Those of [`update`] and [`email::change`].
pub async fn update_with_email(
    app: &App,
    principal: &Principal,
    change: ProfileChange,
    form: Option<EmailChange>,
    client: &Client,
) -> Result<user::Model> {
    let user = &principal.user;
    let names = parse(&change)?;
    if let Some((_, key)) = names.username.as_ref().filter(|(_, key)| *key != user.username_key) {
        check_reserved(app, key)?;
    }
    let to = match form.filter(|form| user.email.as_deref() != Some(form.new_email.trim())) {
        Some(form) => Some(email::check(app, principal, form).await?),
        None if names.is_of(user) => return Ok(user.clone()),
        None => None,
    };
    if names.username.as_ref().is_none_or(|(username, _)| *username == user.username) {
        return store(app, principal, names, to, client).await;
    }
    let attempt = RenameAttempt::book(app, user.id, client).await?;
    let stored = store(app, principal, names, to, client).await;
    if let Err(error) = &stored {
        attempt.fail(app, error).await;
    }
    stored
}

/// Changes everything in one transaction, the address first: a limit of mails tells nothing about the username.
async fn store(
    app: &App,
    principal: &Principal,
    names: Names,
    to: Option<Email>,
    client: &Client,
) -> Result<user::Model> {
    let change = match to {
        Some(to) => Some((email::request_mail(app, &principal.user, &to, client).await?, to)),
        None => None,
    };
    let (user_id, now) = (principal.user.id, app.clock.now());
    let transaction = app.write().await?;
    principal.lock(&transaction, now).await?;
    if let Some((request, to)) = change {
        email::apply(app, &transaction, principal, (&to, request), client, now).await?;
    }
    // As it is now: another request may have changed it since the principal was read.
    if !names.is_of(&find(&transaction, user_id).await?) {
        match user::rename(&transaction, user_id, names, now).await {
            Ok(()) => {}
            Err(error) if is_unique_violation(&error) => {
                transaction.rollback().await?;
                return Err(InputError::new(ErrorCode::UsernameTaken, Field::Username).into());
            }
            Err(error) => return Err(error.into()),
        }
        audit::record(&transaction, Kind::ProfileChanged, Some(user_id), user_id, client, now).await?;
    }
    let user = find(&transaction, user_id).await?;
    transaction.commit().await?;
    app.outbox.ring();
    Ok(user)
}

async fn find(transaction: &impl ConnectionTrait, user_id: Uuid) -> Result<user::Model> {
    let user = user::Entity::find_by_id(user_id).one(transaction).await?;
    user.ok_or_else(|| Error::internal("a user vanished from a transaction"))
}

fn parse(change: &ProfileChange) -> Result<Names> {
    let mut problems = Problems::default();
    let username =
        change.username.as_ref().map(|name| Username::parse(name.as_deref().unwrap_or_default())).transpose();
    let name =
        |name: &Option<Option<String>>, field| name.as_ref().map(|name| parse_name(name.as_deref(), field)).transpose();
    let username = problems.collect(username);
    let first_name = problems.collect(name(&change.first_name, Field::FirstName));
    let last_name = problems.collect(name(&change.last_name, Field::LastName));
    let names = || {
        let username = username?.map(|username| (username.text, username.key));
        Some(Names { username, first_name: first_name?, last_name: last_name? })
    };
    names().ok_or_else(|| problems.into())
}
