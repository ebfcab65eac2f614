//! Counts what does not come along.

use std::collections::BTreeMap;

/// Maximum number of different notes, in case a file has many roles, and of their characters.
const MAX_NOTES: usize = 50;
const MAX_LENGTH: usize = 200;

/// How often each thing occurred.
#[derive(Default)]
pub(super) struct Notes(BTreeMap<String, u64>);

impl Notes {
    /// Counts one occurrence. `what` is a plural, without control characters.
    pub(super) fn count(&mut self, what: &str) {
        let what: String = what.chars().take(MAX_LENGTH).collect();
        if self.0.len() < MAX_NOTES || self.0.contains_key(&what) {
            *self.0.entry(what).or_default() += 1;
        }
    }

    /// Counts one occurrence if there is one.
    pub(super) fn count_if(&mut self, is_there: bool, what: &str) {
        if is_there {
            self.count(what);
        }
    }

    /// One line for each thing.
    pub(super) fn lines(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(what, count)| format!("{what}: {count}"))
    }
}
