//! Who may register, and what an account must have.

use chrono::TimeDelta;

use crate::config::{
    MailSettings, roles,
    setting::{Setting, join},
    vars::Vars,
};

/// The default of `RESERVED_USERNAMES`: names that seem to speak for the server, and the mailboxes of RFC 2142.
const RESERVED_USERNAMES: &str = "abuse,admin,administrator,hallpass,help,helpdesk,hostmaster,info,mailer-daemon,moderator,\
                                  no-reply,noreply,official,operator,postmaster,root,security,staff,superuser,support,\
                                  sysadmin,system,webmaster";

/// The rules for accounts.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent setting")]
pub struct RegistrationSettings {
    /// Whether anyone may register.
    pub is_enabled: bool,
    /// Characters that usernames may have in addition to letters, digits, `_` and `-`: some of `.@+`.
    pub username_extra_characters: String,
    /// Usernames that users cannot choose, as they are compared: in lower case.
    pub reserved_usernames: Vec<String>,
    /// Whether an account must have an e-mail address.
    pub require_email: bool,
    /// Whether users must verify their address before they can sign in.
    pub require_verified_email: bool,
    /// How long an account that registered itself may stay unverified before it is deleted; `None` keeps it.
    pub unverified_account_lifetime: Option<TimeDelta>,
    /// The roles that exist, sorted.
    pub roles: Vec<String>,
    /// The roles of a newly registered user, sorted.
    pub default_roles: Vec<String>,
    /// Whether a sign-in with a provider that has verified the address takes over an account that never verified it.
    pub provider_takeover: bool,
    /// The roles whose holders need a second factor, sorted.
    pub mfa_required_roles: Vec<String>,
}

impl RegistrationSettings {
    /// Declares and reads the settings of this section. [`Self::check`] needs those for mails, too.
    pub(super) fn read(vars: &mut Vars) -> Self {
        vars.section("registration", "Registration");
        let is_enabled =
            Setting::new("REGISTRATION_ENABLED", "Whether anyone may register.").flag().read_or(vars, true);
        let reserved_usernames = Setting::new(
            "RESERVED_USERNAMES",
            "Usernames that users cannot choose; the error is `USERNAME_TAKEN`. The command line may assign them. `none` \
             reserves none.",
        )
        .parsed(
            "`none`, or usernames of A-Z, a-z, 0-9, _, -, ., @ and +, separated by commas, such as `admin,support`",
            usernames,
            |names| join(names),
        )
        .read_or(vars, RESERVED_USERNAMES.split(',').map(str::to_owned).collect());
        let username_extra_characters = Setting::new(
            "USERNAME_EXTRA_CHARACTERS",
            "Characters that usernames may have in addition to letters (A-Z), digits, `_` and `-`, for users of other systems: some \
             of `.`, `@` and `+`. A username never has a dot after an `@`, so it is no e-mail address. Existing usernames stay \
             when the setting changes.",
        )
        .parsed("`none`, or some of `.`, `@` and `+`, such as `.@+`", extra_characters, |characters| {
            if characters.is_empty() { "none".to_owned() } else { characters.to_owned() }
        })
        .read_or(vars, String::new());
        let require_email = Setting::new("REQUIRE_EMAIL", "Whether an account must have an e-mail address.")
            .flag()
            .read_or(vars, false);
        let require_verified_email = Setting::new(
            "REQUIRE_VERIFIED_EMAIL",
            "Whether users must verify their address before they can sign in. Needs `REQUIRE_EMAIL` and a way to send \
             mails. See [E-mail](email.md#require-verified-addresses).",
        )
        .flag()
        .read_or(vars, false);
        let unverified_account_days = Setting::new(
            "UNVERIFIED_ACCOUNT_DAYS",
            "After how many days an account that registered itself and never verified its address is deleted; 0 keeps it. \
             Needs a way to send mails.",
        )
        .number(0..=3650)
        .read_or(vars, 0);
        let provider_takeover = Setting::new(
            "PROVIDER_TAKEOVER",
            "What happens if a user signs in with a provider that has verified the address, and an account has this address but \
             never verified it. `false` refuses with `IDENTITY_UNLINKED`. `true` gives the account to this user: its password, \
             second factors, identities and sessions are removed, because another person may have registered it.",
        )
        .flag()
        .read_or(vars, false);
        let (roles, default_roles) = roles::read(vars);
        let mfa_required_roles = roles::read_mfa_required(vars, &roles);
        Self {
            is_enabled,
            username_extra_characters,
            reserved_usernames,
            require_email,
            require_verified_email,
            unverified_account_lifetime: (unverified_account_days > 0)
                .then(|| TimeDelta::days(unverified_account_days)),
            provider_takeover,
            roles,
            default_roles,
            mfa_required_roles,
        }
    }

    /// Refuses settings that need mails, if no mails are sent.
    pub(super) fn check(&self, vars: &mut Vars, mail: &MailSettings) {
        if self.require_verified_email && !(self.require_email && mail.is_enabled()) {
            vars.mistake(
                "REQUIRE_VERIFIED_EMAIL: expected false without REQUIRE_EMAIL=true, and without SMTP_URL or DEV_MAIL",
            );
        }
        if let Some(lifetime) = self.unverified_account_lifetime
            && !mail.is_enabled()
        {
            let days = lifetime.num_days();
            vars.mistake(format!("UNVERIFIED_ACCOUNT_DAYS: expected 0 without SMTP_URL and DEV_MAIL, got \"{days}\""));
        }
    }
}

/// Parses a set of characters.
fn extra_characters(text: &str) -> Option<String> {
    if text == "none" {
        return Some(String::new());
    }
    let is_known = !text.is_empty() && text.chars().all(|character| ".@+".contains(character));
    is_known.then(|| ".@+".chars().filter(|character| text.contains(*character)).collect())
}

/// Parses a list of usernames, in lower case.
fn usernames(text: &str) -> Option<Vec<String>> {
    if text == "none" {
        return Some(Vec::new());
    }
    let names: Vec<String> = text.split(',').map(|name| name.trim().to_ascii_lowercase()).collect();
    let is_name = |name: &String| {
        (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.@+".contains(&b))
    };
    names.iter().all(is_name).then_some(names)
}
