//! `hallpass user`.

mod describe;
mod export;
mod import;
mod invite;
mod source;

use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use chrono::{DateTime, SecondsFormat, Utc};
use clap::Subcommand;
use serde_json::json;

use self::describe::{describe_address, describe_roles};
pub use self::{export::ExportArguments, import::ImportArguments, invite::InviteArguments, source::Format};
use crate::{
    Error,
    cli::{
        UsageError, app, connect, expect_database, expect_migrated, name_database,
        output::{self, print_line},
        password,
    },
    config::Settings,
    domain::{
        Context,
        users::{
            administration::{self, Administrator, Change},
            registration::Registration,
        },
    },
    entity::user::Model,
    error::ErrorCode,
    language::Language,
};

/// Number of users per query.
const PAGE: u64 = 500;

/// A command for users. A user is named by username or e-mail address; put `--` before one that starts with `-`.
/// Passwords are read from the terminal, or without one from the first line of standard input.
#[derive(Clone, Debug, Subcommand)]
pub enum UserAction {
    /// Create a user.
    Add {
        /// 1 to 64 letters (A-Z), digits, `_` and `-`, not starting with `-`.
        username: String,
        /// The e-mail address.
        #[arg(long)]
        email: Option<String>,
        /// Given name.
        #[arg(long)]
        first_name: Option<String>,
        /// Family name.
        #[arg(long)]
        last_name: Option<String>,
        /// One of ROLES; may be repeated. Without it, the user gets DEFAULT_ROLES.
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<String>,
    },
    /// Invite somebody by mail to create an account, or send the invitation again.
    Invite(InviteArguments),
    /// Disable a user: end all sessions and prevent sign-in.
    Disable {
        /// Username or e-mail address.
        user: String,
    },
    /// Enable a disabled user.
    Enable {
        /// Username or e-mail address.
        user: String,
    },
    /// Set a user's password and end all sessions.
    SetPassword {
        /// Username or e-mail address.
        user: String,
    },
    /// Set a user's e-mail address, send a mail to verify it, and cancel a pending change.
    SetEmail {
        /// Username or e-mail address.
        user: String,
        /// The new address.
        address: String,
        /// Mark the address as verified and send no mail.
        #[arg(long)]
        verified: bool,
    },
    /// Mark a user's e-mail address as verified.
    VerifyEmail {
        /// Username or e-mail address.
        user: String,
    },
    /// Delete a user permanently, with all sessions, links and mails.
    Delete {
        /// Username or e-mail address.
        user: String,
        /// Do not ask for confirmation. Required without a terminal.
        #[arg(long)]
        yes: bool,
    },
    /// Replace a user's roles.
    SetRoles {
        /// Username or e-mail address.
        user: String,
        /// Some of ROLES, separated by commas; '' removes all.
        roles: String,
    },
    /// List all users, sorted by username.
    List {
        /// Print one JSON object per line, with the fields of the API; `unknownRoles` has roles that are not in ROLES.
        #[arg(long)]
        json: bool,
    },
    /// Import users and their password hashes from a file, or from the database of another system.
    Import(ImportArguments),
    /// Export all users in the format of `import`, one per line.
    Export(ExportArguments),
}

pub(super) async fn run(settings: Settings, action: UserAction) -> Result<()> {
    name_database(&settings);
    expect_database(&settings)?;
    let database = connect(&settings).await?;
    expect_migrated(&database).await?;
    let app = app(settings, database)?;
    let result = administer(&Context::of_command_line(&app), action).await;
    app.database.close().await;
    result
}

async fn administer(context: &Context, action: UserAction) -> Result<()> {
    let failed = |error: Error| error_for_operator(context.settings(), error);
    let administrator = &Administrator::at_command_line();
    let update = async |user: &str, change: Change| {
        let user = administration::find(context, administrator, user).await?;
        administration::update(context, administrator, user.id, change).await.map(|(user, _)| user)
    };
    match action {
        UserAction::Add { username, email, first_name, last_name, roles } => {
            let password = password::read()?;
            let form = Registration { username, password, email, first_name, last_name };
            let roles = (!roles.is_empty()).then_some(roles);
            let user =
                administration::create_with_password(context, administrator, form, roles).await.map_err(failed)?;
            print_line(format_args!("{} was created, with {}", user.username, describe_roles(&user.roles)))?;
        }
        UserAction::Invite(arguments) => invite::run(context, administrator, arguments).await?,
        UserAction::Disable { user } => {
            let change = Change { is_active: Some(false), ..Change::default() };
            let user = update(&user, change).await.map_err(failed)?;
            print_line(format_args!("{} is disabled; all sessions were ended", user.username))?;
        }
        UserAction::Enable { user } => {
            let change = Change { is_active: Some(true), ..Change::default() };
            let user = update(&user, change).await.map_err(failed)?;
            print_line(format_args!("{} is enabled", user.username))?;
        }
        UserAction::SetPassword { user } => {
            let user = administration::find(context, administrator, &user).await.map_err(failed)?;
            let password = password::read()?;
            let user = administration::set_password(context, administrator, user.id, password).await.map_err(failed)?;
            print_line(format_args!("the password of {} was changed; all sessions were ended", user.username))?;
        }
        UserAction::SetEmail { user, address, verified } => {
            let user = administration::find(context, administrator, &user).await.map_err(failed)?;
            let user = administration::set_email(context, administrator, user.id, &address, verified).await;
            print_line(describe_address(&user.map_err(failed)?))?;
        }
        UserAction::VerifyEmail { user } => {
            let user = administration::find(context, administrator, &user).await.map_err(failed)?;
            let user = administration::verify_email(context, administrator, user.id).await.map_err(failed)?;
            print_line(describe_address(&user))?;
        }
        UserAction::Delete { user, yes } => {
            let user = administration::find(context, administrator, &user).await.map_err(failed)?;
            if !yes {
                confirm_deletion(&user)?;
            }
            let user = administration::delete(context, administrator, user.id, None).await.map_err(failed)?;
            print_line(format_args!("{} is deleted", user.username))?;
        }
        UserAction::SetRoles { user, roles } => {
            let roles =
                roles.split(',').map(str::trim).filter(|role| !role.is_empty()).map(ToOwned::to_owned).collect();
            let user = update(&user, Change { roles: Some(roles), ..Change::default() }).await.map_err(failed)?;
            print_line(format_args!("{} has {}", user.username, describe_roles(&user.roles)))?;
        }
        UserAction::List { json } => list(context, administrator, json).await?,
        UserAction::Import(arguments) => import::run(context, administrator, arguments).await?,
        UserAction::Export(arguments) => export::run(context, administrator, arguments).await?,
    }
    Ok(())
}

/// Asks the operator to type the username.
fn confirm_deletion(user: &Model) -> Result<()> {
    if !io::stdin().is_terminal() {
        bail!(UsageError("nothing was changed: there is no terminal to ask for confirmation; use --yes"));
    }
    output::print(format_args!("Type {} to delete this account permanently: ", user.username))?;
    let mut typed = String::new();
    io::stdin().read_line(&mut typed)?;
    ensure!(typed.trim_end_matches(['\r', '\n']) == user.username, "nothing was changed: the username does not match");
    Ok(())
}

/// Returns the message to print for an error of the domain.
fn error_for_operator(settings: &Settings, error: Error) -> anyhow::Error {
    const UNCHANGED: &str = "nothing was changed";
    match error {
        Error::NotFound => anyhow!("there is no user with this username or e-mail address"),
        Error::Input(problems) => {
            let lines = problems.as_slice().iter().map(|problem| {
                let known = (problem.code == ErrorCode::RoleUnknown).then(|| settings.registration.roles.join(", "));
                let known = known.map(|known| format!(" ROLES has {known}.")).unwrap_or_default();
                format!("\n  {}: {}{known}", problem.field.camel_case(), problem.message(Language::English))
            });
            anyhow!("{UNCHANGED}:{}", lines.collect::<String>())
        }
        error => anyhow::Error::new(error).context(UNCHANGED),
    }
}

async fn list(context: &Context, administrator: &Administrator, as_json: bool) -> Result<()> {
    let mut out = BufWriter::new(io::stdout());
    let mut write = |line: String| match writeln!(out, "{line}") {
        // The reader, such as `head`, has closed the pipe.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        written => written.map(|()| true).context(output::NOT_PRINTED),
    };
    if !as_json {
        write(line(["USERNAME", "EMAIL", "ROLES", "ACTIVE", "CREATED", "LAST LOGIN"]))?;
    }
    let mut last = None;
    loop {
        let users = administration::list(context, administrator, last.as_ref(), PAGE).await;
        let users = users.context("the users can't be listed")?;
        for user in &users {
            if !write(if as_json { as_object(context.settings(), user) } else { as_line(context.settings(), user) })? {
                return Ok(());
            }
        }
        match users.into_iter().next_back() {
            Some(user) => last = Some(user),
            None => break,
        }
    }
    match out.flush() {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        flushed => flushed.context(output::NOT_PRINTED),
    }
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn as_line(settings: &Settings, user: &Model) -> String {
    let none = || "-".to_owned();
    let unknown = settings.unknown_roles(&user.roles.0).into_iter().map(|role| format!("{role} (not in ROLES)"));
    let roles: Vec<String> = settings.known_roles(&user.roles.0).into_iter().chain(unknown).collect();
    let roles = if roles.is_empty() { none() } else { roles.join(",") };
    let last_login = user.last_login_at.map_or_else(none, instant);
    let active = if user.is_active { "yes" } else { "no" };
    let email = user.email.as_deref().unwrap_or("-");
    line([&user.username, email, &roles, active, &instant(user.created_at), &last_login])
}

/// Formats a line of the table. A value that is longer than its column shifts the columns after it.
fn line([username, email, roles, active, created, last_login]: [&str; 6]) -> String {
    format!("{username:<20}  {email:<32}  {roles:<16}  {active:<6}  {created:<20}  {last_login}")
}

fn as_object(settings: &Settings, user: &Model) -> String {
    let milliseconds = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
    json!({
        "id": user.id,
        "username": user.username,
        "email": user.email,
        "firstName": user.first_name,
        "lastName": user.last_name,
        "isActive": user.is_active,
        "roles": settings.known_roles(&user.roles.0),
        "unknownRoles": settings.unknown_roles(&user.roles.0),
        "createdAt": milliseconds(user.created_at),
        "updatedAt": milliseconds(user.updated_at),
        "lastLoginAt": user.last_login_at.map(milliseconds),
    })
    .to_string()
}
