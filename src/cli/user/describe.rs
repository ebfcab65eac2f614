//! Users and roles in the output of commands.

use serde_json::{Map, Value, json};

use crate::{
    cli::output::milliseconds,
    config::Settings,
    domain::Context,
    entity::user::{Model, Roles},
};

/// The text for a value that is missing.
pub(super) const NONE: &str = "-";

pub(super) fn describe_roles(roles: &Roles) -> String {
    match roles.0.as_slice() {
        [] => "no roles".to_owned(),
        [role] => format!("the role {role}"),
        roles => format!("the roles {}", roles.join(", ")),
    }
}

pub(super) fn describe_address(user: &Model) -> String {
    let verified = if user.email_verified_at.is_some() { "is verified" } else { "is not verified yet" };
    format!("{} has the address {}, which {verified}", user.username, user.email.as_deref().unwrap_or(NONE))
}

/// The roles, separated by commas. Marks those that are not in `ROLES`.
pub(super) fn list_roles(settings: &Settings, roles: &Roles) -> String {
    let unknown = settings.unknown_roles(&roles.0).into_iter().map(|role| format!("{role} (not in ROLES)"));
    let roles: Vec<String> = settings.known_roles(&roles.0).into_iter().chain(unknown).collect();
    if roles.is_empty() { NONE.to_owned() } else { roles.join(",") }
}

pub(super) fn yes_or_no(is_true: bool) -> &'static str {
    if is_true { "yes" } else { "no" }
}

/// A user as a JSON object with the fields of the API.
pub(super) fn user_object(context: &Context, user: &Model) -> Map<String, Value> {
    let settings = context.settings();
    let fields = [
        ("id", json!(user.id)),
        ("username", json!(user.username)),
        ("email", json!(user.email)),
        ("emailVerified", json!(user.email_verified_at.is_some())),
        ("pendingEmail", json!(user.pending_email_at(context.now()))),
        ("firstName", json!(user.first_name)),
        ("lastName", json!(user.last_name)),
        ("isActive", json!(user.is_active)),
        ("roles", json!(settings.known_roles(&user.roles.0))),
        ("unknownRoles", json!(settings.unknown_roles(&user.roles.0))),
        ("createdAt", json!(milliseconds(user.created_at))),
        ("updatedAt", json!(milliseconds(user.updated_at))),
        ("lastLoginAt", json!(user.last_login_at.map(milliseconds))),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
