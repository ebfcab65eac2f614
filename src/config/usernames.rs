//! `RESERVED_USERNAMES`: what nobody may call themselves.

use crate::config::Vars;

/// Names that look as if they spoke for the server, and mailboxes that RFC 2142 has for it.
const DEFAULT: &[&str] = &[
    "abuse",
    "admin",
    "administrator",
    "hallpass",
    "help",
    "helpdesk",
    "hostmaster",
    "info",
    "mailer-daemon",
    "moderator",
    "no-reply",
    "noreply",
    "official",
    "operator",
    "postmaster",
    "root",
    "security",
    "staff",
    "superuser",
    "support",
    "sysadmin",
    "system",
    "webmaster",
];

/// Reads the setting. The names are in lower case, as usernames are compared; `none` is no names.
pub(super) fn read(vars: &mut Vars) -> Vec<String> {
    const WANTED: &str = "none, or usernames of A-Z, a-z, 0-9, _ and -, separated by commas, such as admin,support";
    let default = DEFAULT.iter().map(ToString::to_string).collect();
    vars.get("RESERVED_USERNAMES", default, WANTED, |text| {
        if text == "none" {
            return Some(Vec::new());
        }
        let names: Vec<String> = text.split(',').map(|name| name.trim().to_ascii_lowercase()).collect();
        let is_name = |name: &String| {
            (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
        };
        names.iter().all(is_name).then_some(names)
    })
}
