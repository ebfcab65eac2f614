//! The kinds of mails. To add one, add a variant of [`Purpose`], a row here, and its templates.

use chrono::TimeDelta;

use crate::entity::{link, mail::Purpose};

/// Everything about a kind of mail except its text.
pub(crate) struct Kind {
    /// The name of its templates in `src/mail/templates`.
    pub(crate) template: &'static str,
    /// `None` for a notice of a change, and for mails whose links are in other tables: invitations and sign-ins.
    pub(crate) link: Option<LinkKind>,
}

/// The link in a mail.
pub(crate) struct LinkKind {
    /// What its token may be used for.
    pub(crate) purpose: link::Purpose,
    /// The page that it opens.
    pub(crate) page: &'static str,
    /// How long it is valid.
    pub(crate) lifetime: TimeDelta,
}

impl Kind {
    /// The row of a kind.
    pub(crate) const fn of(purpose: Purpose) -> Self {
        match purpose {
            Purpose::VerifyEmail => Self::with_link("verify_email", VERIFY_EMAIL),
            Purpose::ResetPassword => Self::with_link("reset_password", RESET_PASSWORD),
            // Unlike the owner, who is waiting for the mail, the recipient may read it later.
            Purpose::ChoosePassword => {
                Self::with_link("choose_password", LinkKind { lifetime: TimeDelta::hours(24), ..RESET_PASSWORD })
            }
            Purpose::PasswordChanged => Self::notice("password_changed"),
            Purpose::EmailChanged => Self::notice("email_changed"),
            Purpose::RolesChanged => Self::notice("roles_changed"),
            Purpose::AccountDisabled => Self::notice("account_disabled"),
            Purpose::AccountDeleted => Self::notice("account_deleted"),
            Purpose::SignIn => Self { template: "sign_in", link: None },
            Purpose::PasswordRemoved => Self::notice("password_removed"),
            Purpose::Invitation => Self { template: "invitation", link: None },
            Purpose::MfaEnabled => Self::notice("mfa_enabled"),
            Purpose::MfaDisabled => Self::notice("mfa_disabled"),
            Purpose::MfaReset => Self::notice("mfa_reset"),
            Purpose::RecoveryCodeUsed => Self::notice("recovery_code_used"),
            Purpose::PasskeyAdded => Self::notice("passkey_added"),
            Purpose::PasskeyRemoved => Self::notice("passkey_removed"),
            Purpose::IdentityLinked => Self::notice("identity_linked"),
            Purpose::IdentityUnlinked => Self::notice("identity_unlinked"),
        }
    }

    const fn with_link(template: &'static str, link: LinkKind) -> Self {
        Self { template, link: Some(link) }
    }

    const fn notice(template: &'static str) -> Self {
        Self { template, link: None }
    }
}

/// How long an invitation is valid.
pub(crate) const INVITATION_LIFETIME: TimeDelta = TimeDelta::days(7);
/// The page that the link in an invitation opens.
pub(crate) const INVITATION_PAGE: &str = "accept-invitation";

/// How long the link and the code of a sign-in are valid (OWASP ASVS 5.0 §6.5.5).
pub(crate) const SIGN_IN_LIFETIME: TimeDelta = TimeDelta::minutes(10);
/// The page that the link of a sign-in opens.
pub(crate) const SIGN_IN_PAGE: &str = "sign-in";

const VERIFY_EMAIL: LinkKind =
    LinkKind { purpose: link::Purpose::VerifyEmail, page: "verify-email", lifetime: TimeDelta::hours(24) };
const RESET_PASSWORD: LinkKind =
    LinkKind { purpose: link::Purpose::ResetPassword, page: "reset-password", lifetime: TimeDelta::hours(1) };

#[cfg(test)]
mod tests {
    use sea_orm::Iterable;

    use super::*;
    use crate::mail::TEMPLATES;

    #[test]
    fn every_kind_of_mail_has_templates() {
        for purpose in Purpose::iter() {
            assert!(TEMPLATES.contains(&Kind::of(purpose).template), "{purpose:?}");
        }
    }
}
