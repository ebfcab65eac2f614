//! `hallpass user`.

mod add;
mod delete;
mod describe;
mod export;
mod import;
mod invitations;
mod list;
mod show;
mod source;
mod update;

use anyhow::{Result, bail};
use clap::Subcommand;

use self::describe::{describe_address, describe_roles};
pub use self::{
    add::AddArguments, delete::DeleteArguments, export::ExportArguments, import::ImportArguments,
    invitations::InviteArguments, list::ListArguments, source::Format, update::UpdateArguments,
};
use crate::{
    Error,
    cli::{UsageError, error_for_operator, output, output::print_line, password, with_context},
    config::Settings,
    domain::{
        Context,
        users::administration::{self, Administrator, Change},
    },
};

/// Number of rows per query.
pub(super) const PAGE: u64 = 500;

/// A command for users. A user is named by username or e-mail address; put `--` before one that starts with `-`.
/// Passwords are read from the terminal, or without one from the first line of standard input.
#[derive(Clone, Debug, Subcommand)]
pub enum UserAction {
    /// Create a user.
    Add(AddArguments),
    /// Invite a person by mail to create an account, or send the invitation again.
    Invite(InviteArguments),
    /// List open invitations, newest first.
    Invitations {
        /// Print one JSON object per line, with the fields of the API; `unknownRoles` has roles that are not in ROLES.
        #[arg(long)]
        json: bool,
    },
    /// Revoke an open invitation, so that its link no longer works.
    RevokeInvitation {
        /// The id of the invitation, or the invited address.
        invitation: String,
    },
    /// List users: all of them, sorted by username; with criteria, those that match, newest first.
    List(ListArguments),
    /// Print a user, the second factor and the current sessions.
    Show {
        /// Username or e-mail address.
        user: String,
        /// Print a JSON object, with the fields of the API; `unknownRoles` has roles that are not in ROLES.
        #[arg(long)]
        json: bool,
    },
    /// Change a user's names and address.
    Update(UpdateArguments),
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
    /// Replace a user's roles.
    SetRoles {
        /// Username or e-mail address.
        user: String,
        /// Some of ROLES, separated by commas; '' removes all.
        roles: String,
    },
    /// Set a user's password and end all sessions.
    SetPassword {
        /// Username or e-mail address.
        user: String,
    },
    /// Mail a user a link to choose a new password, valid for 24 hours. The current password is valid until then.
    SendPasswordReset {
        /// Username or e-mail address.
        user: String,
    },
    /// End all sessions of a user.
    RevokeSessions {
        /// Username or e-mail address.
        user: String,
    },
    /// Remove the lost second factor of a user, end all sessions, and notify the user. Identify the user by other
    /// means first.
    ResetMfa {
        /// Username or e-mail address.
        user: String,
        /// Kept in the audit log, where the user can read it. At most 500 characters.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Unlink all accounts at providers from a user, end all sessions, and notify the user. For stolen provider accounts.
    UnlinkIdentities {
        /// Username or e-mail address.
        user: String,
    },
    /// Disable a user: end all sessions and prevent sign-in.
    Disable {
        /// Username or e-mail address.
        user: String,
        /// Kept in the audit log, where the user can read it. At most 500 characters.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Enable a disabled user.
    Enable {
        /// Username or e-mail address.
        user: String,
    },
    /// Delete a user permanently, with all sessions, links and mails.
    Delete(DeleteArguments),
    /// Import users and their password hashes from a file, or from the database of another system.
    Import(ImportArguments),
    /// Export all users in the format of `import`, one per line.
    Export(ExportArguments),
}

pub(super) async fn run(settings: Settings, action: UserAction) -> Result<()> {
    with_context(settings, async |context| administer(context, action).await).await
}

async fn administer(context: &Context, action: UserAction) -> Result<()> {
    let failed = |error: Error| error_for_operator(context.settings(), error);
    let administrator = &Administrator::at_command_line();
    let find = async |user: &str| administration::find(context, administrator, user).await.map_err(failed);
    let update = async |user: &str, change: Change| {
        let user = find(user).await?;
        administration::update(context, administrator, user.id, change).await.map(|(user, _)| user).map_err(failed)
    };
    match action {
        UserAction::Add(arguments) => add::run(context, administrator, arguments).await?,
        UserAction::Invite(arguments) => invitations::invite(context, administrator, arguments).await?,
        UserAction::Invitations { json } => invitations::list(context, administrator, json).await?,
        UserAction::RevokeInvitation { invitation } => {
            invitations::revoke(context, administrator, &invitation).await?;
        }
        UserAction::List(arguments) => list::run(context, administrator, arguments).await?,
        UserAction::Show { user, json } => show::run(context, administrator, &user, json).await?,
        UserAction::Update(arguments) => update::run(context, administrator, arguments).await?,
        UserAction::SetEmail { user, address, verified } => {
            let user = find(&user).await?;
            let user = administration::set_email(context, administrator, user.id, &address, verified).await;
            print_line(describe_address(&user.map_err(failed)?))?;
        }
        UserAction::VerifyEmail { user } => {
            let user = find(&user).await?;
            let user = administration::verify_email(context, administrator, user.id).await.map_err(failed)?;
            print_line(describe_address(&user))?;
        }
        UserAction::SetRoles { user, roles } => {
            let roles =
                roles.split(',').map(str::trim).filter(|role| !role.is_empty()).map(ToOwned::to_owned).collect();
            let user = update(&user, Change { roles: Some(roles), ..Change::default() }).await?;
            print_line(format_args!("{} has {}", user.username, describe_roles(&user.roles)))?;
        }
        UserAction::SetPassword { user } => {
            let user = find(&user).await?;
            let password = password::read()?;
            let user = administration::set_password(context, administrator, user.id, password).await.map_err(failed)?;
            print_line(format_args!("the password of {} was changed; all sessions were ended", user.username))?;
        }
        UserAction::SendPasswordReset { user } => {
            let user = find(&user).await?;
            let user = administration::send_password_reset(context, administrator, user.id).await.map_err(failed)?;
            let email = user.email.unwrap_or_default();
            print_line(format_args!("a link to choose a new password is sent to {email}"))?;
        }
        UserAction::RevokeSessions { user } => {
            let user = find(&user).await?;
            let revoked = administration::revoke_sessions(context, administrator, user.id).await;
            let (user, count) = revoked.map_err(failed)?;
            print_line(format_args!("sessions of {} that were ended: {count}", user.username))?;
        }
        UserAction::ResetMfa { user, reason } => {
            let user = find(&user).await?;
            let (user, ended) = match administration::reset_mfa(context, administrator, user.id, reason).await {
                Err(Error::MfaNotEnabled) => bail!("{} has no second factor; nothing was changed", user.username),
                other => other.map_err(failed)?,
            };
            let name = user.username;
            print_line(format_args!("the second factor of {name} was removed; sessions that were ended: {ended}"))?;
        }
        UserAction::UnlinkIdentities { user } => {
            let user = find(&user).await?;
            let unlinked = administration::unlink_identities(context, administrator, user.id).await;
            let (user, count, ended) = unlinked.map_err(failed)?;
            let name = user.username;
            if count == 0 {
                bail!("{name} has no linked provider; nothing was changed");
            }
            print_line(format_args!(
                "providers of {name} that were unlinked: {count}; sessions that were ended: {ended}"
            ))?;
        }
        UserAction::Disable { user, reason } => {
            let user = update(&user, Change { is_active: Some(false), reason, ..Change::default() }).await?;
            print_line(format_args!("{} is disabled; all sessions were ended", user.username))?;
        }
        UserAction::Enable { user } => {
            let user = update(&user, Change { is_active: Some(true), ..Change::default() }).await?;
            print_line(format_args!("{} is enabled", user.username))?;
        }
        UserAction::Delete(arguments) => delete::run(context, administrator, arguments).await?,
        UserAction::Import(arguments) => import::run(context, administrator, arguments).await?,
        UserAction::Export(arguments) => export::run(context, administrator, arguments).await?,
    }
    Ok(())
}
