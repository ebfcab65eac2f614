//! `hallpass user list`.

use anyhow::{Context as _, Result};
use clap::Args;
use serde_json::Value;

use super::{
    PAGE,
    describe::{NONE, list_roles, user_object, yes_or_no},
};
use crate::{
    cli::{
        moment::Moment,
        output::{Lines, instant},
    },
    config::Settings,
    domain::{
        Context,
        page::{Page, Range},
        users::administration::{self, Administrator, Filter, ListOrder, MAX_SEARCH},
    },
    entity::user::Model,
};

/// Which users to list, and how. A user must meet all criteria. A TIME is an age such as 12h or 30d, or a date such as
/// 2026-01-31 or 2026-01-31T12:00:00Z.
#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct ListArguments {
    /// Words separated by spaces. Each must be the beginning of the username, the address, its domain, a name, or a word
    /// in one of them. Case-insensitive. At most 200 characters.
    #[arg(long, value_name = "TEXT", value_parser = parse_search)]
    search: Option<String>,
    /// Users who have this role.
    #[arg(long)]
    role: Option<String>,
    /// Users who can sign in.
    #[arg(long, conflicts_with = "disabled")]
    active: bool,
    /// Users who are disabled.
    #[arg(long)]
    disabled: bool,
    /// Users whose address is verified.
    #[arg(long, conflicts_with = "unverified")]
    verified: bool,
    /// Users whose address is not verified, or who have none.
    #[arg(long)]
    unverified: bool,
    /// Users who have a second factor.
    #[arg(long, conflicts_with = "no_mfa")]
    has_mfa: bool,
    /// Users who have no second factor.
    #[arg(long)]
    no_mfa: bool,
    /// Users created at this time or later.
    #[arg(long, value_name = "TIME")]
    created_after: Option<Moment>,
    /// Users created before this time.
    #[arg(long, value_name = "TIME")]
    created_before: Option<Moment>,
    /// Users who were created before this time and have not signed in since.
    #[arg(long, value_name = "TIME")]
    inactive_since: Option<Moment>,
    /// Print one JSON object per line, with the fields of the API; `unknownRoles` has roles that are not in ROLES.
    #[arg(long)]
    json: bool,
}

fn parse_search(text: &str) -> Result<String, String> {
    if administration::is_search_too_long(text) {
        return Err(format!("expected at most {MAX_SEARCH} characters"));
    }
    Ok(text.to_owned())
}

impl ListArguments {
    /// The filter. `None` without criteria.
    fn filter(&self, context: &Context) -> Option<Filter> {
        let time = |moment: Option<Moment>| moment.map(|moment| moment.at(context.now()));
        let either = |yes: bool, no: bool| (yes || no).then_some(yes);
        let times = [self.created_after, self.created_before, self.inactive_since].map(time);
        let [created_after, created_before, inactive_since] = times;
        let is_active = either(self.active, self.disabled);
        let is_verified = either(self.verified, self.unverified);
        let has_mfa = either(self.has_mfa, self.no_mfa);
        let has_flag = [is_active, is_verified, has_mfa].iter().any(Option::is_some);
        (self.search.is_some() || self.role.is_some() || has_flag || times.iter().any(Option::is_some)).then(|| {
            Filter {
                terms: self.search.as_deref().map(administration::search_terms).unwrap_or_default(),
                role: self.role.clone(),
                is_active,
                is_verified,
                has_mfa,
                created_after,
                created_before,
                inactive_since,
            }
        })
    }
}

/// Lists users: all of them by username, or those that a filter matches, newest first.
pub(super) async fn run(context: &Context, administrator: &Administrator, arguments: ListArguments) -> Result<()> {
    let filter = arguments.filter(context);
    let order = match filter {
        Some(_) => (ListOrder::CreatedAt, true),
        None => (ListOrder::Username, false),
    };
    let filter = filter.unwrap_or_default();
    let mut lines = Lines::new();
    if !arguments.json {
        lines.write(line(["USERNAME", "EMAIL", "ROLES", "ACTIVE", "CREATED", "LAST LOGIN"]))?;
    }
    let mut range = Range::first(PAGE);
    loop {
        let page = administration::page(context, administrator, &filter, order, range.clone()).await;
        let Page { rows, has_next, .. } = page.context("the users can't be listed")?;
        for user in &rows {
            let is_open = if arguments.json {
                lines.write(Value::from(user_object(context, user)))?
            } else {
                lines.write(as_line(context.settings(), user))?
            };
            if !is_open {
                return Ok(());
            }
        }
        if !has_next {
            return lines.flush().map(drop);
        }
        range.after = rows.last().map(|user| order.0.key(user));
    }
}

fn as_line(settings: &Settings, user: &Model) -> String {
    let last_login = user.last_login_at.map_or_else(|| NONE.to_owned(), instant);
    let email = user.email.as_deref().unwrap_or(NONE);
    let roles = list_roles(settings, &user.roles);
    line([&user.username, email, &roles, yes_or_no(user.is_active), &instant(user.created_at), &last_login])
}

/// Formats a line of the table. A value that is longer than its column shifts the columns after it.
fn line([username, email, roles, active, created, last_login]: [&str; 6]) -> String {
    format!("{username:<20}  {email:<32}  {roles:<16}  {active:<6}  {created:<20}  {last_login}")
}
