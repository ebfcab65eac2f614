//! Cryptographically secure random bytes and identifiers.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{Error, Result};

/// Returns `N` random bytes from the operating system.
///
/// # Errors
/// Internal if the operating system provides no random bytes.
pub fn bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    // Not aws-lc's generator, which gathers its own entropy for 25 ms on first use.
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    Ok(bytes)
}

/// Creates a UUIDv7 (RFC 9562 §5.7). It begins with the time, so new rows are appended at the end of an index.
///
/// # Errors
/// As [`bytes()`].
pub fn id(now: DateTime<Utc>) -> Result<Uuid> {
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or_default();
    Ok(uuid::Builder::from_unix_timestamp_millis(millis, &bytes()?).into_uuid())
}
