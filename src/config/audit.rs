//! How long the audit log is kept.

use chrono::TimeDelta;

use crate::config::{setting::Setting, vars::Vars};

/// How long the audit log is kept.
#[derive(Clone, Debug)]
pub struct AuditSettings {
    /// How long events are kept.
    pub retention: TimeDelta,
    /// How long the addresses and user agents of clients are kept.
    pub client_retention: TimeDelta,
}

impl AuditSettings {
    /// Declares and reads the settings of this section.
    pub(super) fn read(vars: &mut Vars) -> Self {
        vars.section("audit", "Audit log");
        let retention_days =
            Setting::new("AUDIT_RETENTION_DAYS", "After how many days events are deleted.").number(1..=36500);
        let client_days = Setting::new(
            "AUDIT_IP_DAYS",
            "After how many days the IP address and the user agent of the client are removed from an event.",
        )
        .number(1..=36500);
        Self {
            retention: TimeDelta::days(retention_days.read_or(vars, 400)),
            client_retention: TimeDelta::days(client_days.read_or(vars, 90)),
        }
    }
}
