//! Numbers in English.

use crate::error::messages::wait::Wait;

/// The message of [`Error::LinkUsed`](crate::Error::LinkUsed).
pub(super) const LINK_USED: &str =
    "The password was already changed with this link. Sign in with the new password, or request a new link.";

/// The message of [`Error::ReauthenticationRequired`](crate::Error::ReauthenticationRequired) if the second factor is needed.
pub(super) const SECOND_FACTOR_TOO_OLD: &str =
    "Your sign-in is too old for this. Confirm it with your second factor and try again.";

/// A number of characters: "8 characters".
pub(super) fn characters(number: u32) -> String {
    format!("{number} character{}", plural(number))
}

/// A time to wait: "1 hour and 30 minutes".
pub(super) fn duration(seconds: u32) -> String {
    let parts = Wait::from_seconds(seconds).parts(["hour", "minute", "second"]);
    let parts: Vec<String> = parts.map(|(number, unit)| format!("{number} {unit}{}", plural(number))).collect();
    parts.join(" and ")
}

/// The plural ending of a noun after a number.
const fn plural(number: u32) -> &'static str {
    if number == 1 { "" } else { "s" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_one_or_two_units() {
        for (seconds, expected) in [
            (1, "1 second"),
            (45, "45 seconds"),
            (60, "1 minute"),
            (3448, "58 minutes"),
            (3600, "1 hour"),
            (5400, "1 hour and 30 minutes"),
            (7260, "2 hours and 1 minute"),
            (86_400, "24 hours"),
        ] {
            assert_eq!(duration(seconds), expected, "{seconds}");
        }
    }
}
