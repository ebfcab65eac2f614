//! The profile: what people may change about themselves without a proof beyond being signed in.

use sea_orm::EntityTrait;

use super::{
    Client, Principal, audit,
    email::{self, EmailChange},
    input::{Username, parse_name},
};
use crate::{
    App, Error, Result,
    database::error::is_unique_violation,
    entity::{
        audit_event::Kind,
        user::{self, Names},
    },
    error::{ErrorCode, InputError, Problems},
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
/// All problems of the form at once; when there are none, USERNAME_TAKEN. UNAUTHENTICATED: the session was ended meanwhile.
pub async fn update(app: &App, principal: &Principal, change: ProfileChange, client: &Client) -> Result<user::Model> {
    let names = parse(&change)?;
    if names.is_of(&principal.user) {
        return Ok(principal.user.clone());
    }
    let (user_id, now) = (principal.user.id, app.clock.now());
    let transaction = app.write().await?;
    principal.lock(&transaction, now).await?;
    match user::rename(&transaction, user_id, names, now).await {
        Ok(()) => {}
        Err(error) if is_unique_violation(&error) => {
            return Err(InputError::new(ErrorCode::UsernameTaken, "username").into());
        }
        Err(error) => return Err(error.into()),
    }
    audit::record(&transaction, Kind::ProfileChanged, Some(user_id), user_id, client, now).await?;
    let user = user::Entity::find_by_id(user_id).one(&transaction).await?;
    transaction.commit().await?;
    user.ok_or_else(|| Error::internal("a user vanished from a transaction"))
}

/// The same together with an address to move to, for doors that have one form for both. Nothing changes and no mail leaves
/// before the names have passed their checks; the address that the account has already is no change.
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
    parse(&change)?;
    if let Some(form) = form.filter(|form| principal.user.email.as_ref() != Some(&form.new_email)) {
        email::change(app, principal, form, client).await?;
    }
    update(app, principal, change, client).await
}

fn parse(change: &ProfileChange) -> Result<Names> {
    let mut problems = Problems::default();
    let username =
        change.username.as_ref().map(|name| Username::parse(name.as_deref().unwrap_or_default())).transpose();
    let name =
        |name: &Option<Option<String>>, field| name.as_ref().map(|name| parse_name(name.as_deref(), field)).transpose();
    let username = problems.collect(username);
    let first_name = problems.collect(name(&change.first_name, "firstName"));
    let last_name = problems.collect(name(&change.last_name, "lastName"));
    let names = || {
        let username = username?.map(|username| (username.text, username.key));
        Some(Names { username, first_name: first_name?, last_name: last_name? })
    };
    names().ok_or_else(|| problems.into())
}
