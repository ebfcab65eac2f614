//! Chance, in one place.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{Error, Result};

/// `N` random bytes from the operating system's generator.
///
/// # Errors
/// Internal, when the system has no randomness to give.
pub fn bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    // Not the generator of aws-lc, which gathers entropy of its own for 25 ms when it is first asked.
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    Ok(bytes)
}

/// A new id: a UUID of version 7 (RFC 9562 §5.7), whose first half is the time, so that indexes grow at one end.
///
/// # Errors
/// As [`bytes()`].
pub fn id(now: DateTime<Utc>) -> Result<Uuid> {
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or_default();
    Ok(uuid::Builder::from_unix_timestamp_millis(millis, &bytes()?).into_uuid())
}
