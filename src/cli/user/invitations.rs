//! `hallpass user invite`, `invitations` and `revoke-invitation`.

use anyhow::{Context as _, Result, anyhow};
use clap::Args;
use serde_json::{Value, json};

use super::{
    PAGE,
    describe::{NONE, describe_roles, list_roles},
};
use crate::{
    Error,
    cli::{
        error_for_operator,
        output::{Lines, instant, milliseconds, print_line},
    },
    config::Settings,
    domain::{
        Context,
        page::{Page, Range},
        users::administration::{self, Administrator, InvitationAndInviter},
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

pub(super) async fn invite(context: &Context, administrator: &Administrator, arguments: InviteArguments) -> Result<()> {
    let InviteArguments { email, roles } = arguments;
    let roles = (!roles.is_empty()).then_some(roles);
    let invitation = administration::invite(context, administrator, &email, roles).await;
    let invitation = invitation.map_err(|error| error_for_operator(context.settings(), error))?;
    let roles = describe_roles(&invitation.roles);
    let expiry = instant(invitation.expires_at);
    print_line(format_args!("{} is invited until {expiry}, with {roles}", invitation.email))
}

/// Revokes the open invitation with this id or address.
pub(super) async fn revoke(context: &Context, administrator: &Administrator, id_or_email: &str) -> Result<()> {
    let failed = |error: Error| match error {
        Error::NotFound => anyhow!("there is no open invitation with this id or e-mail address"),
        error => error_for_operator(context.settings(), error),
    };
    let found = administration::find_invitation_of(context, administrator, id_or_email).await;
    let invitation = found.map_err(failed)?;
    administration::revoke_invitation(context, administrator, invitation.id).await.map_err(failed)?;
    print_line(format_args!("the invitation of {} is revoked", invitation.email))
}

/// Lists the open invitations, newest first.
pub(super) async fn list(context: &Context, administrator: &Administrator, as_json: bool) -> Result<()> {
    let mut lines = Lines::new();
    if !as_json {
        lines.write(line(["EMAIL", "ROLES", "INVITED BY", "CREATED", "EXPIRES", "ID"]))?;
    }
    let mut range = Range::first(PAGE);
    loop {
        let page = administration::invitations(context, administrator, range.clone()).await;
        let Page { rows, has_next, .. } = page.context("the invitations can't be listed")?;
        for row in &rows {
            let settings = context.settings();
            let is_open =
                if as_json { lines.write(as_object(settings, row)) } else { lines.write(as_line(settings, row)) };
            if !is_open? {
                return Ok(());
            }
        }
        if !has_next {
            return lines.flush().map(drop);
        }
        range.after = rows.last().map(|(invitation, _)| invitation.sort_key());
    }
}

fn as_line(settings: &Settings, (invitation, inviter): &InvitationAndInviter) -> String {
    let inviter = inviter.as_ref().map_or(NONE, |user| &user.username);
    let [created, expires] = [invitation.created_at, invitation.expires_at].map(instant);
    let roles = list_roles(settings, &invitation.roles);
    line([&invitation.email, &roles, inviter, &created, &expires, &invitation.id.to_string()])
}

/// Formats a line of the table. A value that is longer than its column shifts the columns after it.
fn line([email, roles, inviter, created, expires, id]: [&str; 6]) -> String {
    format!("{email:<32}  {roles:<16}  {inviter:<20}  {created:<20}  {expires:<20}  {id}")
}

/// An invitation as a JSON object with the fields of the API.
fn as_object(settings: &Settings, (invitation, inviter): &InvitationAndInviter) -> Value {
    json!({
        "id": invitation.id,
        "email": invitation.email,
        "roles": settings.known_roles(&invitation.roles.0),
        "unknownRoles": settings.unknown_roles(&invitation.roles.0),
        "invitedBy": inviter.as_ref().map(|user| json!({ "id": user.id, "username": user.username })),
        "createdAt": milliseconds(invitation.created_at),
        "expiresAt": milliseconds(invitation.expires_at),
    })
}
