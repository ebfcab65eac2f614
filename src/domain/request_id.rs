//! The id of a request, in its response and in the log.

use std::fmt;

use uuid::Uuid;

/// A UUID in lower case. It is written with or without hyphens, as it was received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestId {
    id: Uuid,
    is_simple: bool,
}

impl RequestId {
    /// Parses the id that a proxy has set: a UUID in lower case, with hyphens or, as nginx writes it, without.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let id = Uuid::try_parse(text).ok().filter(|id| !id.is_nil())?;
        [false, true].map(|is_simple| Self { id, is_simple }).into_iter().find(|id| id.to_string() == text)
    }
}

impl From<Uuid> for RequestId {
    fn from(id: Uuid) -> Self {
        Self { id, is_simple: false }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_simple { self.id.simple().fmt(f) } else { self.id.hyphenated().fmt(f) }
    }
}
