//! The kinds of mails. To add one, add a variant of [`Purpose`], a row here, and its templates.

use crate::entity::{link, mail::Purpose};

/// Everything about a kind of mail except its text.
pub(crate) struct Kind {
    /// The name of its templates in `src/mail/templates`.
    pub(crate) template: &'static str,
    /// The purpose of its link, and the page that the link opens. `None` for a notice of a change.
    pub(crate) link: Option<(link::Purpose, &'static str)>,
}

impl Kind {
    /// The row of a kind.
    pub(crate) const fn of(purpose: Purpose) -> Self {
        match purpose {
            Purpose::VerifyEmail => {
                Self { template: "verify_email", link: Some((link::Purpose::VerifyEmail, "verify-email")) }
            }
            Purpose::ResetPassword => {
                Self { template: "reset_password", link: Some((link::Purpose::ResetPassword, "reset-password")) }
            }
            Purpose::PasswordChanged => Self { template: "password_changed", link: None },
            Purpose::EmailChanged => Self { template: "email_changed", link: None },
        }
    }
}

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
