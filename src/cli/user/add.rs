//! `hallpass user add`.

use anyhow::Result;
use clap::Args;

use super::describe::describe_roles;
use crate::{
    Error,
    cli::{error_for_operator, output::print_line, password},
    domain::{
        Context,
        users::{
            administration::{self, Administrator, NewAccount},
            registration::Registration,
        },
    },
};

/// The new user.
#[derive(Clone, Debug, Args)]
pub struct AddArguments {
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
    /// Read no password; mail the user a link to choose one, valid for 24 hours.
    #[arg(long, requires = "email")]
    send_link: bool,
    /// With `--send-link`: mark the address as verified before the link is used.
    #[arg(long, requires = "send_link")]
    verified: bool,
}

pub(super) async fn run(context: &Context, administrator: &Administrator, arguments: AddArguments) -> Result<()> {
    let AddArguments { username, email, first_name, last_name, roles, send_link, verified } = arguments;
    let failed = |error: Error| error_for_operator(context.settings(), error);
    let roles = (!roles.is_empty()).then_some(roles);
    if send_link {
        let email = email.unwrap_or_default();
        let form = NewAccount { username, email, email_verified: verified, first_name, last_name, roles };
        let user = administration::create(context, administrator, form).await.map_err(failed)?;
        let (roles, email) = (describe_roles(&user.roles), user.email.unwrap_or_default());
        return print_line(format_args!(
            "{} was created, with {roles}; a link to choose a password is sent to {email}",
            user.username
        ));
    }
    let password = password::read()?;
    let form = Registration { username, password, email, first_name, last_name };
    let user = administration::create_with_password(context, administrator, form, roles).await.map_err(failed)?;
    print_line(format_args!("{} was created, with {}", user.username, describe_roles(&user.roles)))
}
