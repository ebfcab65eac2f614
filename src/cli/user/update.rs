//! `hallpass user update`.

use anyhow::Result;
use clap::Args;

use crate::{
    Error,
    cli::{error_for_operator, output::print_line},
    domain::{
        Context,
        users::{
            administration::{self, Administrator, UserChange},
            profile::ProfileChange,
        },
    },
};

/// The user, and what to change.
#[derive(Clone, Debug, Args)]
pub struct UpdateArguments {
    /// Username or e-mail address.
    user: String,
    #[command(flatten)]
    fields: Fields,
}

/// What to change. The rest stays.
#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = true)]
struct Fields {
    /// 1 to 64 letters (A-Z), digits, `_` and `-`, not starting with `-`.
    #[arg(long)]
    username: Option<String>,
    /// Given name; '' removes it.
    #[arg(long)]
    first_name: Option<String>,
    /// Family name; '' removes it.
    #[arg(long)]
    last_name: Option<String>,
    /// The new e-mail address, as with `set-email`.
    #[arg(long)]
    email: Option<String>,
    /// Whether the address counts as verified.
    #[arg(long, value_name = "BOOL")]
    email_verified: Option<bool>,
}

impl From<Fields> for UserChange {
    fn from(fields: Fields) -> Self {
        let Fields { username, first_name, last_name, email, email_verified } = fields;
        let [username, first_name, last_name] = [username, first_name, last_name].map(|name| name.map(Some));
        Self { names: ProfileChange { username, first_name, last_name }, email, email_verified }
    }
}

pub(super) async fn run(context: &Context, administrator: &Administrator, arguments: UpdateArguments) -> Result<()> {
    let failed = |error: Error| error_for_operator(context.settings(), error);
    let user = administration::find(context, administrator, &arguments.user).await.map_err(failed)?;
    let change = arguments.fields.into();
    let user = administration::update_profile(context, administrator, user.id, change).await.map_err(failed)?;
    print_line(format_args!("{} is up to date", user.username))
}
