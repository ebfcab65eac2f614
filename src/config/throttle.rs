//! Limits of attempts: `LIMIT_<WHAT>_PER_<PERIOD>`. The period is fixed, and part of the setting's name.

use crate::config::{setting::Setting, vars::Vars};

/// The highest limit. The row of a counter holds the time of each attempt that counts, eight bytes long, and is read and
/// written as a whole: 40 kB at most. A `BLOB` of MySQL takes 64 KiB.
const MAX_LIMIT: usize = 5000;

/// Whether attempts are limited, and how.
#[derive(Clone, Debug)]
pub struct ThrottleSettings {
    /// Whether attempts are counted and limited.
    pub is_enabled: bool,
    /// How many attempts are accepted.
    pub limits: ThrottleLimits,
}

/// How many attempts are accepted in a period, if [`ThrottleSettings::is_enabled`]. A network is an IPv4 address or the /64 of
/// an IPv6 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThrottleLimits {
    /// Failed logins by one name from one network, in 15 minutes.
    pub failed_logins_by_name_and_network: usize,
    /// Failed logins by one name from all networks where its owner has not signed in, in an hour.
    pub failed_logins_by_name: usize,
    /// Failed logins from one network, in an hour.
    pub failed_logins_by_network: usize,
    /// Failed sign-ins with providers from one network, in an hour.
    pub failed_provider_logins_by_network: usize,
    /// Wrong current passwords of a signed-in user, in 15 minutes.
    pub wrong_current_passwords: usize,
    /// Wrong codes of an account's second factor, in 15 minutes.
    pub wrong_second_factors: usize,
    /// Registrations and changes of username from one network, in an hour.
    pub registrations: usize,
    /// Changes of an account's username, in 24 hours.
    pub username_changes: usize,
    /// Usernames that an account asks for, taken ones included, in an hour.
    pub username_requests: usize,
    /// Changes of an account's password by its owner, in 24 hours.
    pub password_changes: usize,
    /// Mails that are requested from one network, in an hour.
    pub mail_requests_by_network: usize,
    /// Mails that an account requests, in 24 hours.
    pub mail_requests_by_account: usize,
    /// Mails of one kind that are sent to one address, in an hour.
    pub mails_to_address: usize,
    /// Invitations by one administrator, in an hour.
    pub invitations: usize,
}

impl ThrottleSettings {
    /// Declares and reads the settings of this section.
    pub(super) fn read(vars: &mut Vars) -> Self {
        vars.section("throttle", "Limits of attempts");
        Self {
            is_enabled: Setting::new(
                "THROTTLE",
                "Whether attempts are counted and limited. Set it to `false` for load tests only.",
            )
            .flag()
            .read_or(vars, true),
            limits: ThrottleLimits::read(vars),
        }
    }
}

impl ThrottleLimits {
    /// Declares and reads the limits.
    fn read(vars: &mut Vars) -> Self {
        let mut limit =
            |name, default, counted| Setting::new(name, counted).number(1..=MAX_LIMIT).read_or(vars, default);
        Self {
            failed_logins_by_name_and_network: limit(
                "LIMIT_FAILED_LOGINS_BY_NAME_AND_NETWORK_PER_15_MINUTES",
                10,
                "Wrong passwords for one name from one network.",
            ),
            failed_logins_by_name: limit(
                "LIMIT_FAILED_LOGINS_BY_NAME_PER_HOUR",
                50,
                "Wrong passwords for one name from all networks where its owner has not signed in for 90 days. The wait is \
                 one hour; it doubles, up to 24 hours, each time the limit is reached again within a day of the last wait.",
            ),
            failed_logins_by_network: limit(
                "LIMIT_FAILED_LOGINS_BY_NETWORK_PER_HOUR",
                100,
                "Wrong passwords from one network, for any names.",
            ),
            failed_provider_logins_by_network: limit(
                "LIMIT_FAILED_PROVIDER_LOGINS_BY_NETWORK_PER_HOUR",
                100,
                "Returns from a provider, from one network, that the provider does not confirm.",
            ),
            wrong_current_passwords: limit(
                "LIMIT_WRONG_CURRENT_PASSWORDS_PER_15_MINUTES",
                10,
                "Wrong passwords that a signed-in user gives as their own.",
            ),
            wrong_second_factors: limit(
                "LIMIT_WRONG_SECOND_FACTORS_PER_15_MINUTES",
                5,
                "Wrong codes of an account's second factor. The wait is 15 minutes; it doubles, up to 24 hours, each time the \
                 limit is reached again within a day of the last wait.",
            ),
            registrations: limit(
                "LIMIT_REGISTRATIONS_PER_HOUR",
                30,
                "Registrations and changes of username from one network, including refused ones whose username or address \
                 is taken.",
            ),
            username_changes: limit(
                "LIMIT_USERNAME_CHANGES_PER_DAY",
                5,
                "Changes of an account's username, including changes of letter case only.",
            ),
            username_requests: limit(
                "LIMIT_USERNAME_REQUESTS_PER_HOUR",
                30,
                "Usernames that an account requests, including taken ones.",
            ),
            password_changes: limit(
                "LIMIT_PASSWORD_CHANGES_PER_DAY",
                10,
                "Changes of an account's password by its owner.",
            ),
            mail_requests_by_network: limit(
                "LIMIT_MAIL_REQUESTS_BY_NETWORK_PER_HOUR",
                60,
                "Mails that one network requests, including registrations with an e-mail address.",
            ),
            mail_requests_by_account: limit(
                "LIMIT_MAIL_REQUESTS_BY_ACCOUNT_PER_DAY",
                10,
                "Mails that one account requests, including its registration.",
            ),
            mails_to_address: limit(
                "LIMIT_MAILS_TO_ADDRESS_PER_HOUR",
                3,
                "Mails of one kind that are sent to one address. More are dropped silently.",
            ),
            invitations: limit(
                "LIMIT_INVITATIONS_PER_HOUR",
                50,
                "Invitations that one administrator sends, including refused ones whose address has an account.",
            ),
        }
    }
}
