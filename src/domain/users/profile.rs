//! The profile: fields that signed-in users change without reauthentication.

use crate::{
    Error, Result,
    config::Settings,
    database::error::is_unique_violation,
    domain::{
        Context, Event, Principal,
        identity::{Email, Username, parse_name},
        throttle::RenameAttempt,
        users::{
            email::{self, EmailChange},
            registration::check_reserved,
        },
    },
    entity::user,
    error::{ErrorCode, Field, InputError, Problems},
};

/// Names to change. `None` keeps a name; `Some(None)` clears it.
#[derive(Clone, Debug, Default)]
pub struct ProfileChange {
    /// It cannot be cleared.
    pub username: Option<Option<String>>,
    /// Given name.
    pub first_name: Option<Option<String>>,
    /// Family name.
    pub last_name: Option<Option<String>>,
}

/// A parsed [`ProfileChange`].
#[expect(clippy::option_option, reason = "as above: `None` keeps a name, and `Some(None)` clears it")]
pub(super) struct Names {
    username: Option<Username>,
    first_name: Option<Option<String>>,
    last_name: Option<Option<String>>,
}

impl Names {
    /// The key of the new username. Empty if it stays.
    pub(super) fn username_key(&self) -> &str {
        self.username.as_ref().map_or("", |username| &username.key)
    }

    /// The fields that would change.
    pub(super) fn changed(&self, user: &user::Model) -> Vec<Field> {
        let differs = |name: &Option<Option<String>>, own| name.as_ref().is_some_and(|name| name != own);
        let username = self.username.as_ref().is_some_and(|username| username.text != user.username);
        let fields = [
            (username, Field::Username),
            (differs(&self.first_name, &user.first_name), Field::FirstName),
            (differs(&self.last_name, &user.last_name), Field::LastName),
        ];
        fields.into_iter().filter_map(|(is_changed, field)| is_changed.then_some(field)).collect()
    }

    pub(super) fn apply(self, user: &mut user::Model) {
        if let Some(username) = self.username {
            (user.username, user.username_key) = (username.text, username.key);
        }
        if let Some(name) = self.first_name {
            user.first_name = name;
        }
        if let Some(name) = self.last_name {
            user.last_name = name;
        }
    }
}

/// Changes the names of the signed-in user.
///
/// # Errors
/// All problems of the form; if there are none, RATE_LIMITED and USERNAME_TAKEN. UNAUTHENTICATED if the session has ended in
/// the meantime.
pub async fn update(context: &Context, principal: &Principal, change: ProfileChange) -> Result<user::Model> {
    update_with_email(context, principal, change, None).await
}

/// Changes the names and requests a change of the address, for APIs that have one form for both. If one fails, nothing
/// changes and no mail is sent. The current address does not count as a change.
///
/// # Errors
/// Those of [`update`] and [`email::change`].
pub async fn update_with_email(
    context: &Context,
    principal: &Principal,
    change: ProfileChange,
    form: Option<EmailChange>,
) -> Result<user::Model> {
    let user = &principal.user;
    let mut problems = Problems::default();
    let names = parse(&change, context.settings(), &mut problems).ok_or_else(|| Error::from(problems))?;
    if let Some(username) = names.username.as_ref().filter(|username| username.key != user.username_key) {
        check_reserved(context, &username.key)?;
    }
    let changed = names.changed(user);
    let to = match form.filter(|form| user.email.as_deref() != Some(form.new_email.trim())) {
        Some(form) => Some(email::check(context, principal, form).await?),
        None if changed.is_empty() => return Ok(user.clone()),
        None => None,
    };
    if !changed.contains(&Field::Username) {
        return store(context, principal, names, to).await;
    }
    let attempt = RenameAttempt::book(context, user.id).await?;
    let stored = store(context, principal, names, to).await;
    if let Err(error) = &stored {
        attempt.fail(context, error).await;
    }
    stored
}

/// Stores everything in one unit of work. The address comes first, so that an error about the limit of mails does not reveal
/// whether the username is taken.
async fn store(context: &Context, principal: &Principal, names: Names, to: Option<Email>) -> Result<user::Model> {
    let change = match to {
        Some(to) => Some((email::request_mail(context, &principal.user, &to).await?, to)),
        None => None,
    };
    let (mut work, mut user) = context.begin_as(principal).await?;
    if let Some((request, to)) = change {
        email::apply(&mut work, &mut user, to, request).await?;
    }
    // Compared with the locked row, because another request may have changed the user since the principal was read.
    let fields = names.changed(&user);
    if !fields.is_empty() {
        let now = work.now;
        let updated = user.update(work.db(), |user| {
            names.apply(user);
            user.updated_at = now;
        });
        match updated.await {
            Ok(_) => work.emit(Event::ProfileUpdated { user_id: user.id, fields }),
            Err(error) if is_unique_violation(&error) => {
                work.rollback().await?;
                return Err(InputError::new(ErrorCode::UsernameTaken, Field::Username).into());
            }
            Err(error) => return Err(error.into()),
        }
    }
    work.commit().await?;
    Ok(user.into())
}

/// Parses names. If some are invalid, adds their problems and returns `None`.
pub(super) fn parse(change: &ProfileChange, settings: &Settings, problems: &mut Problems) -> Option<Names> {
    let extra = &settings.registration.username_extra_characters;
    let username = |name: &Option<String>| Username::parse(name.as_deref().unwrap_or_default(), extra);
    let username = change.username.as_ref().map(username).transpose();
    let name =
        |name: &Option<Option<String>>, field| name.as_ref().map(|name| parse_name(name.as_deref(), field)).transpose();
    let username = problems.collect(username);
    let first_name = problems.collect(name(&change.first_name, Field::FirstName));
    let last_name = problems.collect(name(&change.last_name, Field::LastName));
    Some(Names { username: username?, first_name: first_name?, last_name: last_name? })
}
