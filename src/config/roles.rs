//! `ROLES`, `DEFAULT_ROLES`, and which of the roles in a row they name.

use crate::config::{Settings, Vars};

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

/// Reads both settings. Each of `DEFAULT_ROLES` must be one of `ROLES`.
pub(super) fn read(vars: &mut Vars) -> (Vec<String>, Vec<String>) {
    const WANTED: &str = "names of a-z, 0-9, _ and -, separated by commas, such as admin,user";
    let parse = |text: &str| {
        let mut names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
        names.sort();
        names.dedup();
        (names.len() <= MAX_ROLES && names.iter().all(|name| is_role_name(name))).then_some(names)
    };
    let known = vars.get("ROLES", vec!["admin".to_owned(), "user".to_owned()], WANTED, parse);
    let defaults = vars.get("DEFAULT_ROLES", vec!["user".to_owned()], WANTED, parse);
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
