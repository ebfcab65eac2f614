//! Usernames for users of systems that have none.

use aws_lc_rs::digest::{SHA256, digest};

use crate::{
    config::Settings,
    domain::identity::{Email, USERNAME_LENGTH, Username},
    error::{ErrorCode, Field, InputError},
};

/// The username if nothing of the address can be one.
const DEFAULT: &str = "user";

/// How many hexadecimal digits of the digest follow the username, one after the other attempt.
const SUFFIX_LENGTHS: [usize; 2] = [8, 16];
/// The longest suffix, with its hyphen.
const MAX_SUFFIX_LENGTH: usize = 17;

/// A username that is made from an address: its local part, and if that is taken or reserved, a suffix which depends on the address
/// only. So a repeated import makes the same username.
#[derive(Clone, Debug)]
pub(super) struct MadeUsername {
    base: String,
    digest: String,
    suffixes: std::slice::Iter<'static, usize>,
    extra: String,
}

impl MadeUsername {
    /// Makes the first username, which may be taken.
    pub(super) fn first(email: &Email, settings: &Settings) -> Result<(Self, Username), InputError> {
        let registration = &settings.registration;
        let extra = registration.username_extra_characters.clone();
        let local_part = email.text.split('@').next().unwrap_or_default();
        let base = Username::make(local_part, &extra, USERNAME_LENGTH.end() - MAX_SUFFIX_LENGTH);
        let base = base.unwrap_or_else(|| DEFAULT.to_owned());
        let digest = hex::encode(digest(&SHA256, email.key.as_bytes()));
        let mut made = Self { base, digest, suffixes: SUFFIX_LENGTHS.iter(), extra };
        let username = Username::parse(&made.base, &made.extra)?;
        if registration.reserved_usernames.contains(&username.key) {
            let next = made.next().ok_or(InputError::new(ErrorCode::UsernameTaken, Field::Username))?;
            return Ok((made, next));
        }
        Ok((made, username))
    }

    /// Makes another username, because the last one is taken.
    pub(super) fn next(&mut self) -> Option<Username> {
        let suffix = self.digest.get(..*self.suffixes.next()?)?;
        Username::parse(&format!("{}-{suffix}", self.base), &self.extra).ok()
    }
}
