//! Usernames for accounts that are created with a provider.

use crate::{
    Result,
    domain::identity::{USERNAME_LENGTH, Username},
    entity::provider_login,
    error::InputError,
    security::random,
};

/// The username if the provider gives nothing that can be one.
const DEFAULT: &str = "user";

/// The length of a suffix: a hyphen and eight hexadecimal digits.
const SUFFIX_LENGTH: usize = 9;

/// Makes a username from what a provider states: the username there, the local part of the address, or the name. With
/// `is_taken`, a random suffix makes it unique. `extra` is `USERNAME_EXTRA_CHARACTERS`.
pub(super) fn make(login: &provider_login::Model, extra: &str, is_taken: bool) -> Result<Username> {
    let local_part = login.email.as_deref().and_then(|email| email.split('@').next());
    let sources =
        [login.username.as_deref().and_then(|name| name.split('@').next()), local_part, login.full_name.as_deref()];
    let base = sources
        .into_iter()
        .flatten()
        .find_map(|text| Username::make(text, extra, USERNAME_LENGTH.end() - SUFFIX_LENGTH))
        .unwrap_or_else(|| DEFAULT.to_owned());
    let text = if is_taken { format!("{base}-{}", hex::encode(random::bytes::<4>()?)) } else { base };
    Username::parse(&text, extra).map_err(InputError::into)
}
