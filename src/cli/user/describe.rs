//! Phrases in the output of commands.

use crate::entity::user::{Model, Roles};

pub(super) fn describe_roles(roles: &Roles) -> String {
    match roles.0.as_slice() {
        [] => "no roles".to_owned(),
        [role] => format!("the role {role}"),
        roles => format!("the roles {}", roles.join(", ")),
    }
}

pub(super) fn describe_address(user: &Model) -> String {
    let verified = if user.email_verified_at.is_some() { "is verified" } else { "is not verified yet" };
    format!("{} has the address {}, which {verified}", user.username, user.email.as_deref().unwrap_or("-"))
}
