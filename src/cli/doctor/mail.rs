//! The mail servers: whether they can be reached, encrypt, and accept the password.

use crate::{
    cli::doctor::{Level, Report},
    clock::Clock,
    config::Settings,
    mail,
};

pub(super) async fn check(report: &mut Report, settings: &Settings, send_to: Option<String>) {
    if let Err(error) = mail::check_templates(settings) {
        for mistake in error.0 {
            report.add(Level::Failed, "mail", mistake);
        }
    }
    if settings.mail.smtp.is_empty() && settings.mail.dev {
        report.add(Level::Ok, "mail", "mails are shown at /dev/mail and not sent, because SMTP_URL is not set");
    } else if settings.mail.smtp.is_empty() {
        let text = "no mails are sent, so users cannot verify addresses or reset passwords; set SMTP_URL";
        report.add(Level::Warning, "mail", text);
    }
    for (server, result) in mail::check_servers(settings).await {
        match result {
            Ok(()) => report.add(Level::Ok, "mail", format!("{server} can be used")),
            Err(cause) => report.add(Level::Failed, "mail", format!("{server}: {cause}; look at SMTP_URL")),
        }
    }
    let Some(address) = send_to else { return };
    if settings.mail.smtp.is_empty() {
        return report.add(Level::Failed, "mail", format!("no mail was sent to {address}: set SMTP_URL"));
    }
    match mail::send_test(settings, &address, Clock::System.now()).await {
        Ok(()) => report.add(Level::Ok, "mail", format!("a mail was sent to {address}; look whether it arrives")),
        Err(cause) => report.add(Level::Failed, "mail", format!("no mail was sent to {address}: {cause}")),
    }
}
