//! `hallpass user invite`.

use anyhow::Result;
use clap::Args;

use super::{describe::describe_roles, error_for_operator, instant};
use crate::{
    cli::output::print_line,
    domain::{
        Context,
        users::administration::{self, Administrator},
    },
};

/// The arguments of `hallpass user invite`.
#[derive(Clone, Debug, Args)]
pub struct InviteArguments {
    /// The e-mail address.
    email: String,
    /// One of ROLES; may be repeated. Without it, the user gets DEFAULT_ROLES.
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
}

pub(super) async fn run(context: &Context, administrator: &Administrator, arguments: InviteArguments) -> Result<()> {
    let InviteArguments { email, roles } = arguments;
    let roles = (!roles.is_empty()).then_some(roles);
    let invitation = administration::invite(context, administrator, &email, roles).await;
    let invitation = invitation.map_err(|error| error_for_operator(context.settings(), error))?;
    let roles = describe_roles(&invitation.roles);
    let expiry = instant(invitation.expires_at);
    print_line(format_args!("{} is invited until {expiry}, with {roles}", invitation.email))
}
