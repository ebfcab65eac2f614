//! The roles that exist, those of new users, and those that require a second factor.

use crate::config::{
    Settings,
    setting::{Setting, join},
    vars::Vars,
};

/// Bytes of a role's name.
const NAME_LENGTH: std::ops::RangeInclusive<usize> = 1..=50;
/// Roles that a server may have.
const MAX_ROLES: usize = 16;

impl Settings {
    /// The roles that are in `ROLES`: the only ones that tokens and answers show.
    #[must_use]
    pub fn known_roles(&self, roles: &[String]) -> Vec<String> {
        roles.iter().filter(|role| self.registration.roles.contains(role)).cloned().collect()
    }

    /// The roles that are not in `ROLES`, as after a role was removed there.
    #[must_use]
    pub fn unknown_roles(&self, roles: &[String]) -> Vec<String> {
        roles.iter().filter(|role| !self.registration.roles.contains(role)).cloned().collect()
    }
}

/// Whether this may be the name of a role.
#[must_use]
pub fn is_role_name(name: &str) -> bool {
    NAME_LENGTH.contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b))
}

const VALUES: &str = "names of a-z, 0-9, _ and -, separated by commas, such as `admin,user`";

/// Reads `ROLES` and `DEFAULT_ROLES`, each of which must be one of `ROLES`.
pub(super) fn read(vars: &mut Vars) -> (Vec<String>, Vec<String>) {
    let known = Setting::new(
        "ROLES",
        "The roles that exist. A role that is removed here stays in the accounts that have it, but has no effect: it is in \
         no token and no response. A warning at start says how many accounts have it. Without `admin`, nobody is an \
         administrator.",
    )
    .parsed(VALUES, parse, |roles| join(roles))
    .read_or(vars, vec!["admin".to_owned(), "user".to_owned()]);
    let defaults = Setting::new("DEFAULT_ROLES", "The roles of a newly registered user; each must be in `ROLES`.")
        .parsed(VALUES, parse, |roles| join(roles))
        .read_or(vars, vec!["user".to_owned()]);
    if let Some(unknown) = defaults.iter().find(|role| !known.contains(role)) {
        vars.mistake(if vars.is_set("DEFAULT_ROLES") {
            format!("DEFAULT_ROLES: expected only ROLES, got \"{unknown}\"; add it to ROLES")
        } else {
            let roles = known.join(", ");
            format!(
                "DEFAULT_ROLES: expected one or more of ROLES ({roles}), got its default \"{unknown}\"; set DEFAULT_ROLES, \
                 or add {unknown} to ROLES"
            )
        });
    }
    (known, defaults)
}

/// Reads `MFA_REQUIRED_ROLES`, each of which must be one of `ROLES`.
pub(super) fn read_mfa_required(vars: &mut Vars, known: &[String]) -> Vec<String> {
    let required = Setting::new(
        "MFA_REQUIRED_ROLES",
        "Users who have one of these roles need a second factor; each must be in `ROLES`. Until they have set one up, they can \
         only do that, read their own id and username, refresh and sign out; everything else is refused with \
         `MFA_ENROLLMENT_REQUIRED`, and their access tokens have no roles.",
    )
    .example("admin")
    .parsed(VALUES, parse, |roles| join(roles))
    .read_optional(vars)
    .unwrap_or_default();
    if let Some(unknown) = required.iter().find(|role| !known.contains(role)) {
        vars.mistake(format!("MFA_REQUIRED_ROLES: expected only ROLES, got \"{unknown}\"; add it to ROLES"));
    }
    required
}

/// Parses a list of roles, sorted and without duplicates.
fn parse(text: &str) -> Option<Vec<String>> {
    let mut names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
    names.sort();
    names.dedup();
    (names.len() <= MAX_ROLES && names.iter().all(|name| is_role_name(name))).then_some(names)
}
