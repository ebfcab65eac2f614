//! Parses the record of a user.

use std::{borrow::Cow, fmt};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    Result,
    config::{Settings, is_role_name},
    domain::{
        identity::{Email, Username, parse_name},
        users::{
            administration::parse_roles,
            email::PENDING_EMAIL_LIFETIME,
            import::{columns::Record, identities, made_username::MadeUsername, texts},
        },
    },
    entity::{
        identity,
        user::{Model, Roles},
    },
    error::{ErrorCode, Field, InputError},
    language::Language,
    security::{password::PasswordHash, random},
};

/// Size of the column `roles` in characters, including the commas.
const MAX_ROLES_LENGTH: usize = 1000;

/// Why a record is rejected: the column and the reason. Never contains the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordError {
    column: &'static str,
    message: Cow<'static, str>,
}

impl RecordError {
    /// Creates an error with a fixed message.
    #[must_use]
    pub const fn new(column: &'static str, message: &'static str) -> Self {
        Self { column, message: Cow::Borrowed(message) }
    }

    /// Creates an error for a column whose name differs from that of the input field.
    fn of(column: &'static str, problem: InputError) -> Self {
        Self { column, message: problem.message(Language::English) }
    }
}

impl From<InputError> for RecordError {
    fn from(problem: InputError) -> Self {
        Self::of(problem.field.snake_case(), problem)
    }
}

/// For the command line, which is in English.
impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.column, self.message)
    }
}

/// A user whose record has passed all checks that do not need the database.
#[derive(Clone, Debug)]
pub(super) struct ParsedUser {
    pub line: u64,
    pub user: Model,
    /// How to make another username, if the username was made.
    pub made_username: Option<MadeUsername>,
    /// The user's accounts at providers.
    pub identities: Vec<identity::Model>,
    /// Whether the record contains `created_at`. Otherwise `user.created_at` is the time of the import.
    pub has_created_at: bool,
}

/// Parses a record. The inner result is the user, or all errors of the record.
///
/// # Errors
/// Internal if the system has no random bytes for ids.
pub(super) fn parse(
    line: u64,
    record: Record,
    settings: &Settings,
    now: DateTime<Utc>,
) -> Result<Result<ParsedUser, Vec<RecordError>>> {
    let mut errors = Errors::default();
    let id = errors.collect(given(record.id).map_or(Ok(None), |text| texts::id(&text)));
    let (username, email) = names(given(record.username).as_deref(), given(record.email), settings);
    let username = errors.collect(username);
    let email = errors.collect(email);
    let is_verified = errors.collect(texts::flag(given(record.email_verified), "email_verified", false));
    let verified_at = errors.collect(texts::instant(given(record.email_verified_at), "email_verified_at"));
    let pending = errors.collect(given(record.pending_email).map(|email| pending_email(&email)).transpose());
    let [first_name, last_name] = match (given(record.first_name), given(record.last_name), given(record.full_name)) {
        (None, None, Some(full)) => {
            // A heuristic: the last word is the last name.
            let (first, last) = full.trim().rsplit_once(' ').unwrap_or((full.trim(), ""));
            let parse =
                |name, field| parse_name(Some(name), field).map_err(|problem| RecordError::of("full_name", problem));
            [(first, Field::FirstName), (last, Field::LastName)].map(|(name, field)| errors.collect(parse(name, field)))
        }
        (first, last, _) => [(first, Field::FirstName), (last, Field::LastName)]
            .map(|(name, field)| errors.collect(parse_name(name.as_deref(), field))),
    };
    let has_password = errors.collect(texts::flag(given(record.has_password), "has_password", true));
    let password_hash = match (record.password_hash.as_deref().unwrap_or_default(), has_password) {
        ("", Some(false)) => Some(PasswordHash::dummy(settings.passwords.bcrypt_cost)?),
        (text, _) => errors.collect(hash(text)),
    };
    let is_active = errors.collect(texts::flag(given(record.is_active), "is_active", true));
    let is_disabled = errors.collect(texts::flag(given(record.disabled), "disabled", false));
    let roles = errors.collect(roles(record.roles.as_deref(), record.unknown_roles.as_deref(), settings));
    let created_at = errors.collect(texts::instant(given(record.created_at), "created_at"));
    let updated_at = errors.collect(texts::instant(given(record.updated_at), "updated_at"));
    let last_login_at = errors.collect(texts::instant(given(record.last_login_at), "last_login"));
    let identities = errors.collect(identities::parse(given(record.identities).as_deref(), now)?);

    let user = |new_id: Uuid, request_id: Uuid| {
        let (created_at, (username, made_username)) = (created_at?, username?);
        let verified_at =
            verified_at?.or(is_verified?.then_some(now)).filter(|_| email.as_ref().is_some_and(Option::is_some));
        let (pending_email, pending_email_key) = pending?.map(|email| (email.text, email.key)).unzip();
        let is_pending = pending_email.is_some();
        let (email, email_key) = email?.map(|email| (email.text, email.key)).unzip();
        let user = Model {
            id: id?.unwrap_or(new_id),
            username: username.text,
            username_key: username.key,
            email,
            email_key,
            password_hash: password_hash?,
            first_name: first_name?,
            last_name: last_name?,
            is_active: is_active? && !is_disabled?,
            roles: roles?,
            created_at: created_at.unwrap_or(now),
            updated_at: updated_at?.or(created_at).unwrap_or(now),
            last_login_at: last_login_at?,
            email_verified_at: verified_at,
            pending_email,
            pending_email_key,
            session_epoch: 0,
            pending_email_id: is_pending.then_some(request_id),
            pending_email_expires_at: is_pending.then_some(now + PENDING_EMAIL_LIFETIME),
            never_verified_since: verified_at.is_none().then(|| created_at.unwrap_or(now)),
            is_self_registered: false,
            has_password: has_password?,
        };
        let identities = identities?.into_iter().map(|identity| identity::Model { user_id: user.id, ..identity });
        let identities = identities.collect();
        Some(ParsedUser { line, identities, user, made_username, has_created_at: created_at.is_some() })
    };
    Ok(user(random::id(now)?, random::id(now)?).ok_or(errors.0))
}

/// A username, and how to make another one.
type Name = (Username, Option<MadeUsername>);

/// Parses the username and the address. A username that is the user's address, which no username can be, is replaced by one that is
/// made from it, as if there was none.
fn names(
    username: Option<&str>,
    email: Option<String>,
    settings: &Settings,
) -> (Result<Name, RecordError>, Result<Option<Email>, InputError>) {
    let address = username.filter(|text| text.contains('@')).and_then(|text| Email::parse(text).ok());
    let email = match (email, &address) {
        (Some(email), _) => Email::parse(&email).map(Some),
        (None, Some(address)) => Ok(Some(address.clone())),
        (None, None) if settings.registration.require_email => Err(InputError::new(ErrorCode::Required, Field::Email)),
        (None, None) => Ok(None),
    };
    let own = email.as_ref().ok().and_then(Option::as_ref);
    let username = match (username, &address, own) {
        (Some(_), Some(address), Some(own)) if address.key != own.key => {
            Err(RecordError::new("username", "The username is another e-mail address than that of the user."))
        }
        (Some(text), None, _) => Username::parse_imported(text, &settings.registration.username_extra_characters)
            .map(|username| (username, None))
            .map_err(RecordError::from),
        (_, _, Some(own)) => {
            MadeUsername::first(own, settings).map(|(made, username)| (username, Some(made))).map_err(RecordError::from)
        }
        (_, _, None) => Err(InputError::new(ErrorCode::Required, Field::Username).into()),
    };
    (username, email)
}

/// The errors of a record, collected while it is parsed.
#[derive(Default)]
struct Errors(Vec<RecordError>);

impl Errors {
    fn collect<T, E: Into<RecordError>>(&mut self, parsed: Result<T, E>) -> Option<T> {
        parsed.map_err(|problem| self.0.push(problem.into())).ok()
    }
}

/// Returns a text that is not blank.
fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

/// Parses the address of a pending change.
fn pending_email(text: &str) -> Result<Email, RecordError> {
    Email::parse(text).map_err(|problem| RecordError::of("pending_email", problem))
}

fn hash(text: &str) -> Result<PasswordHash, RecordError> {
    const COLUMN: &str = "hashed_password";
    match text {
        "" => Err(RecordError::new(COLUMN, "The password hash is missing.")),
        text => PasswordHash::import(text).ok_or(RecordError::new(
            COLUMN,
            "Unsupported hash: expected one of the formats that the manual lists in \"Passwords\", such as bcrypt ($2a$, $2b$, \
             $2y$), pbkdf2_sha256$, $argon2id$ or scrypt:, with a cost within the limits.",
        )),
    }
}

/// Parses `roles`, which must be in `ROLES`, and `unknown_roles`, where an export writes roles that are not. An empty
/// `roles` means no roles; without the column, the user gets the default roles of new accounts.
fn roles(known: Option<&str>, unknown: Option<&str>, settings: &Settings) -> Result<Roles, RecordError> {
    let names = |text, column| texts::roles(text).ok_or(RecordError::new(column, "Expected a list of role names."));
    let known = known.map_or(Ok(settings.registration.default_roles.clone()), |text| names(text, "roles"))?;
    let mut roles = parse_roles(known, settings)?;
    let unknown = names(unknown.unwrap_or_default(), "unknown_roles")?;
    if !unknown.iter().all(|name| is_role_name(name)) {
        return Err(RecordError::new("unknown_roles", "Role names contain only a-z, 0-9, _ and -."));
    }
    roles.0.extend(unknown);
    roles.0.sort();
    roles.0.dedup();
    if roles.to_string().len() > MAX_ROLES_LENGTH {
        return Err(RecordError::new("roles", "Too many roles: at most 1000 characters are stored."));
    }
    Ok(roles)
}
