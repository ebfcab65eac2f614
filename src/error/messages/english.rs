//! In English.

use std::borrow::Cow;

use crate::error::{ErrorCode, UnauthenticatedReason, messages::wait::Wait};

pub(super) const LINK_USED: &str =
    "The password was already changed with this link. Sign in with the new password, or ask for a new link.";

/// The words for a code, with the bound that was broken or the seconds to wait.
pub(super) fn words(code: ErrorCode, number: u32) -> Cow<'static, str> {
    let s = plural(number);
    match code {
        ErrorCode::InvalidInput => "Some fields are not filled in correctly. Correct them and try again.",
        ErrorCode::Required => "This field is required.",
        ErrorCode::TooLong | ErrorCode::PasswordTooLong => return format!("Use at most {number} character{s}.").into(),
        ErrorCode::InvalidEmail => "This is not an e-mail address; it should look like ada@example.org.",
        ErrorCode::InvalidUsername => {
            "Use only letters (A-Z), digits, underscores and hyphens, and do not start with a hyphen."
        }
        ErrorCode::UsernameTaken => "This username is taken. Choose another.",
        ErrorCode::EmailTaken => "There is an account with this e-mail address. Sign in instead.",
        ErrorCode::PasswordTooShort => return format!("Use at least {number} character{s}.").into(),
        ErrorCode::PasswordTooCommon => {
            "Others would guess this password first. Use one that is neither common nor your own name."
        }
        ErrorCode::InvalidCredentials => "The username or password is wrong.",
        ErrorCode::WrongPassword => "This is not your password.",
        ErrorCode::EmailNotVerified => {
            "The e-mail address of this account is not verified yet. Use the link in the mail, or ask for another."
        }
        ErrorCode::EmailAlreadyVerified => "The e-mail address of this account is verified. Sign in to change it.",
        ErrorCode::MailDisabled => "This server sends no mail. Ask an administrator instead.",
        ErrorCode::LinkInvalid => "This link is not valid, or was used already. Ask for a new one.",
        ErrorCode::LinkExpired => "This link has expired. Ask for a new one.",
        ErrorCode::AccountDisabled => "This account is disabled. Ask an administrator to enable it.",
        ErrorCode::RegistrationDisabled => "New accounts can't be registered here. Ask an administrator for one.",
        ErrorCode::SessionNotFound => "There is no session to refresh. Sign in.",
        ErrorCode::SessionExpired => "This session has expired. Sign in again.",
        ErrorCode::SessionRevoked => "This session has ended. Sign in again.",
        ErrorCode::NotFound => "There is no such thing, or it is not yours.",
        ErrorCode::RoleUnknown => "There is no such role. Choose among those of this server.",
        ErrorCode::LastAdmin => "This is the last active administrator. Make somebody else one first.",
        ErrorCode::Unauthenticated => "Authentication required. Sign in.",
        ErrorCode::BadUserInput => "This holds a character that can't be stored. Remove it.",
        ErrorCode::BadRequest => "This is not a GraphQL request.",
        // Clients compare it.
        ErrorCode::PersistedQueryNotSupported => "PersistedQueryNotSupported",
        ErrorCode::GraphqlParseFailed => "The GraphQL document has a syntax error at the location given.",
        ErrorCode::GraphqlValidationFailed => "The GraphQL document does not fit the schema at the location given.",
        ErrorCode::InternalServerError => {
            "Something went wrong on the server. Try again later. If it happens again, tell an administrator."
        }
        ErrorCode::RateLimited => {
            return format!("There were too many attempts. Try again in {}.", duration(number)).into();
        }
        ErrorCode::ServiceUnavailable => {
            return format!("The server can't answer this right now. Try again in {}.", duration(number)).into();
        }
    }
    .into()
}

pub(super) const fn reason(reason: UnauthenticatedReason) -> &'static str {
    match reason {
        UnauthenticatedReason::TokenMissing => "Authentication required. Sign in.",
        UnauthenticatedReason::TokenExpired => "The access token has expired. Refresh it, or sign in again.",
        UnauthenticatedReason::TokenInvalid => "The access token is not valid. Sign in again.",
        UnauthenticatedReason::SessionRevoked => "This session has ended. Sign in again.",
    }
}

/// A time to wait: "1 hour and 30 minutes".
fn duration(seconds: u32) -> String {
    let parts = Wait::from_seconds(seconds).parts(["hour", "minute", "second"]);
    let parts: Vec<String> = parts.map(|(number, unit)| format!("{number} {unit}{}", plural(number))).collect();
    parts.join(" and ")
}

const fn plural(number: u32) -> &'static str {
    if number == 1 { "" } else { "s" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_told_in_words() {
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
            assert!(
                words(ErrorCode::RateLimited, seconds).ends_with(&format!(" Try again in {expected}.")),
                "{seconds}"
            );
        }
    }
}
