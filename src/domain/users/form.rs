//! The forms of new accounts.

use uuid::Uuid;

use crate::{
    Result,
    config::{SecretString, Settings},
    domain::{
        Context,
        identity::{Email, Owner, Password, Username, parse_name},
    },
    error::{ErrorCode, Field, InputError, Problems},
    security::{password::PasswordHash, random},
};

/// The form of a registration.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Unique without regard to case.
    pub username: String,
    /// 8 to 128 code points.
    pub password: SecretString,
    /// Unique, if given.
    pub email: Option<String>,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
}

/// A parsed [`Registration`].
pub(in crate::domain) struct ParsedRegistration {
    pub profile: ParsedProfile,
    password: Password,
}

/// The form of an account, without its password.
#[derive(Clone, Copy, Debug)]
pub(in crate::domain) struct ProfileForm<'a> {
    pub username: &'a str,
    pub email: Option<&'a str>,
    pub first_name: Option<&'a str>,
    pub last_name: Option<&'a str>,
}

/// A parsed [`ProfileForm`].
#[derive(Clone)]
pub(in crate::domain) struct ParsedProfile {
    pub username: Username,
    pub email: Option<Email>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
}

/// A user to be created.
#[derive(Clone)]
pub(in crate::domain) struct NewUser {
    pub id: Uuid,
    pub profile: ParsedProfile,
    pub password_hash: PasswordHash,
    /// False if no password matches the hash.
    pub has_password: bool,
}

impl NewUser {
    /// A user who has no password yet.
    ///
    /// # Errors
    /// Internal if no random bytes are available.
    pub(in crate::domain) fn without_password(context: &Context, id: Uuid, profile: ParsedProfile) -> Result<Self> {
        let password_hash = PasswordHash::dummy(context.settings().passwords.bcrypt_cost)?;
        Ok(Self { id, profile, password_hash, has_password: false })
    }
}

impl ParsedRegistration {
    /// Hashes the password.
    ///
    /// # Errors
    /// SERVICE_UNAVAILABLE if too many passwords wait to be hashed.
    pub(in crate::domain) async fn hash(self, context: &Context) -> Result<NewUser> {
        let password_hash = context.app.hasher.hash(self.password.secret()).await?;
        let id = random::id(context.now())?;
        Ok(NewUser { id, profile: self.profile, password_hash, has_password: true })
    }
}

/// Parses the form.
///
/// # Errors
/// All problems of the form.
pub(in crate::domain) fn parse(form: Registration, settings: &Settings) -> Result<ParsedRegistration> {
    let Registration { username, password, email, first_name, last_name } = form;
    let mut problems = Problems::default();
    let profile = ProfileForm {
        username: &username,
        email: email.as_deref(),
        first_name: first_name.as_deref(),
        last_name: last_name.as_deref(),
    };
    let owner = Owner {
        username: username.trim(),
        email: email.as_deref().map(str::trim),
        first_name: profile.first_name,
        last_name: profile.last_name,
    };
    let username = problems.collect(Username::parse(&username, &settings.registration.username_extra_characters));
    let password = problems.collect(Password::parse(password, Field::Password, &owner, settings));
    let profile = parse_others(username, profile, settings, &mut problems);
    let parsed = || Some(ParsedRegistration { profile: profile?, password: password? });
    parsed().ok_or_else(|| problems.into())
}

/// Parses the form of an account without a password.
///
/// # Errors
/// All problems of the form.
pub(in crate::domain) fn parse_profile(form: ProfileForm<'_>, settings: &Settings) -> Result<ParsedProfile> {
    let mut problems = Problems::default();
    let username = problems.collect(Username::parse(form.username, &settings.registration.username_extra_characters));
    parse_others(username, form, settings, &mut problems).ok_or_else(|| problems.into())
}

/// Parses the fields after the username. Each field that is missing from the result has added a problem.
fn parse_others(
    username: Option<Username>,
    form: ProfileForm<'_>,
    settings: &Settings,
    problems: &mut Problems,
) -> Option<ParsedProfile> {
    let email = problems.collect(match form.email.filter(|email| !email.trim().is_empty()) {
        Some(email) => Email::parse(email).map(Some),
        None if settings.registration.require_email => Err(InputError::new(ErrorCode::Required, Field::Email)),
        None => Ok(None),
    });
    let first_name = problems.collect(parse_name(form.first_name, Field::FirstName));
    let last_name = problems.collect(parse_name(form.last_name, Field::LastName));
    Some(ParsedProfile { username: username?, email: email?, first_name: first_name?, last_name: last_name? })
}
