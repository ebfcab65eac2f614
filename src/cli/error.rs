//! Errors of commands, as messages for the operator.

use std::fmt::{self, Display, Formatter};

use anyhow::anyhow;

use crate::{Error, config::Settings, error::ErrorCode, language::Language};

/// Arguments that contradict each other, or an argument that is missing. The exit code is that of invalid settings.
#[derive(Debug)]
pub(super) struct UsageError(pub(super) &'static str);

impl std::error::Error for UsageError {}

impl Display for UsageError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Formats an error and its causes as one line. Includes the cause of an [`Error`], which clients do not see.
pub(super) fn describe(error: &anyhow::Error) -> String {
    let texts = error.chain().map(|error| match error.downcast_ref().and_then(Error::cause) {
        Some(cause) => cause.to_owned(),
        None => error.to_string(),
    });
    texts.collect::<Vec<_>>().join(": ")
}

/// Returns the message to print for an error of the domain.
pub(super) fn error_for_operator(settings: &Settings, error: Error) -> anyhow::Error {
    const UNCHANGED: &str = "nothing was changed";
    match error {
        Error::NotFound => anyhow!("there is no user with this username or e-mail address"),
        Error::Input(problems) => {
            let lines = problems.as_slice().iter().map(|problem| {
                let known = (problem.code == ErrorCode::RoleUnknown).then(|| settings.registration.roles.join(", "));
                let known = known.map(|known| format!(" ROLES has {known}.")).unwrap_or_default();
                format!("\n  {}: {}{known}", problem.field.camel_case(), problem.message(Language::English))
            });
            anyhow!("{UNCHANGED}:{}", lines.collect::<String>())
        }
        error => anyhow::Error::new(error).context(UNCHANGED),
    }
}
