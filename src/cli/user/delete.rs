//! `hallpass user delete`.

use std::io::{self, IsTerminal};

use anyhow::{Result, bail, ensure};
use clap::Args;

use crate::{
    Error,
    cli::{UsageError, error_for_operator, output},
    domain::{
        Context,
        users::administration::{self, Administrator},
    },
    entity::user::Model,
};

/// The user to delete.
#[derive(Clone, Debug, Args)]
pub struct DeleteArguments {
    /// Username or e-mail address.
    user: String,
    /// Kept in the audit log. At most 500 characters.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Do not ask for confirmation. Required without a terminal.
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run(context: &Context, administrator: &Administrator, arguments: DeleteArguments) -> Result<()> {
    let DeleteArguments { user, reason, yes } = arguments;
    let failed = |error: Error| error_for_operator(context.settings(), error);
    let user = administration::find(context, administrator, &user).await.map_err(failed)?;
    if !yes {
        confirm(&user)?;
    }
    let user = administration::delete(context, administrator, user.id, reason).await.map_err(failed)?;
    output::print_line(format_args!("{} is deleted", user.username))
}

/// Asks the operator to type the username.
fn confirm(user: &Model) -> Result<()> {
    if !io::stdin().is_terminal() {
        bail!(UsageError("nothing was changed: there is no terminal to ask for confirmation; use --yes"));
    }
    output::print(format_args!("Type {} to delete this account permanently: ", user.username))?;
    let mut typed = String::new();
    io::stdin().read_line(&mut typed)?;
    ensure!(typed.trim_end_matches(['\r', '\n']) == user.username, "nothing was changed: the username does not match");
    Ok(())
}
