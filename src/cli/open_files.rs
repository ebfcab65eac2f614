//! The limit of open files and connections.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors for everything except client and database connections: SQLite files, logs, mails.
const RESERVED: u64 = 64;

/// The limit to raise to: more than the server ever needs. A higher soft limit is kept.
const TARGET: u64 = 8192;

/// Raises the soft limit of open files as far as the hard limit allows. Returns how many descriptors are left for clients.
pub(super) fn for_clients(database_connections: u32) -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    let target = limit.maximum.map_or(TARGET, |maximum| maximum.min(TARGET));
    if limit.current.is_some_and(|current| current < target) {
        let raised = Rlimit { current: Some(target), maximum: limit.maximum };
        match setrlimit(Resource::Nofile, raised) {
            Ok(()) => limit = raised,
            Err(error) => tracing::warn!(%error, "the limit of open files could not be raised"),
        }
    }
    let left = limit.current.unwrap_or(TARGET).saturating_sub(RESERVED + u64::from(database_connections));
    usize::try_from(left).unwrap_or(usize::MAX)
}
