//! Creating accounts for other people.

use crate::{
    Error, Result,
    domain::{
        Context, Event,
        identity::{Email, Username, parse_name},
        notifications,
        users::{
            administration::{Administrator, begin, parse_roles},
            form::{self, NewUser, ParsedProfile},
            registration::{self, Registration},
        },
    },
    entity::user,
    error::{Field, Problems},
    security::random,
};

/// An account whose owner chooses the password.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// Unique without regard to case.
    pub username: String,
    /// The link to choose a password is sent there.
    pub email: String,
    /// Whether the address counts as verified before the link is used.
    pub email_verified: bool,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// `None` for `DEFAULT_ROLES`.
    pub roles: Option<Vec<String>>,
}

/// Creates an account, and sends a mail with a link to choose the password. Nobody can sign in before. Reserved usernames are
/// allowed.
///
/// # Errors
/// MAIL_DISABLED; all problems of the form, USERNAME_TAKEN, EMAIL_TAKEN, ROLE_UNKNOWN; FORBIDDEN, REAUTHENTICATION_REQUIRED.
pub async fn create(context: &Context, administrator: &Administrator, form: NewAccount) -> Result<user::Model> {
    notifications::require(&context.app)?;
    let settings = context.settings();
    let mut problems = Problems::default();
    let username = problems.collect(Username::parse(&form.username, &settings.registration.username_extra_characters));
    let email = problems.collect(Email::parse(&form.email));
    let first_name = problems.collect(parse_name(form.first_name.as_deref(), Field::FirstName));
    let last_name = problems.collect(parse_name(form.last_name.as_deref(), Field::LastName));
    let roles = form.roles.unwrap_or_else(|| settings.registration.default_roles.clone());
    let roles = problems.collect(parse_roles(roles, settings));
    let (Some(username), Some(email), Some(first_name), Some(last_name), Some(roles)) =
        (username, email, first_name, last_name, roles)
    else {
        return Err(problems.into());
    };
    let profile = ParsedProfile { username, email: Some(email), first_name, last_name };
    let new_user = NewUser::without_password(context, random::id(context.now())?, profile)?;
    let work = begin(context, administrator).await?;
    let (mut work, mut user) = registration::insert(work, new_user, roles.0, false).await?;
    if form.email_verified {
        let now = work.now;
        user.update(work.db(), |user| user.set_email_verified(now)).await?;
    }
    work.emit(Event::UserCreated { user: user.to_model().into(), chooses_password: true });
    work.commit().await?;
    Ok(user.into())
}

/// Creates an account with a password for another person, with `DEFAULT_ROLES` unless other roles are given. Does not sign in.
///
/// # Errors
/// As [`registration::register`], except for REGISTRATION_DISABLED; and ROLE_UNKNOWN.
pub async fn create_with_password(
    context: &Context,
    administrator: &Administrator,
    form: Registration,
    roles: Option<Vec<String>>,
) -> Result<user::Model> {
    let mut problems = Problems::default();
    let form = match form::parse(form, context.settings()) {
        Ok(form) => Some(form),
        Err(Error::Input(found)) => {
            problems.append(found);
            None
        }
        Err(error) => return Err(error),
    };
    let roles = roles.unwrap_or_else(|| context.settings().registration.default_roles.clone());
    let roles = problems.collect(parse_roles(roles, context.settings()));
    let (Some(form), Some(roles)) = (form, roles) else {
        return Err(problems.into());
    };
    let new_user = form.hash(context).await?;
    let work = begin(context, administrator).await?;
    let (mut work, user) = registration::insert(work, new_user, roles.0, false).await?;
    work.emit(Event::UserCreated { user: user.to_model().into(), chooses_password: false });
    work.commit().await?;
    Ok(user.into())
}
