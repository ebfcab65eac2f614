//! Mail templates in each language. HTML and plain text are rendered from the same source, so that both have the same
//! content.
//!
//! A template starts with the lines `subject:` and `button:`. The paragraphs follow after an empty line. A paragraph
//! that consists of the link becomes the button.

use minijinja::{AutoEscape, Environment, context};

use crate::{
    config::ExposeSecret,
    language::Language,
    mail::{Notification, OutgoingMail},
};

/// The rendered text of a mail. It does not implement `Debug`, because it may contain a link.
#[derive(Clone)]
pub struct Text {
    /// The subject.
    pub subject: String,
    /// The plain text body.
    pub plain: String,
    /// The HTML body.
    pub html: String,
}

#[derive(Debug)]
pub(super) struct Templates(Environment<'static>);

const LAYOUT: &str = "layout.html";

macro_rules! sources {
    ($($name:literal)*) => { [$(($name, include_str!(concat!("templates/", $name)))),*] };
}

const SOURCES: [(&str, &str); 9] = sources!(
    "layout.html"
    "verify_email.en.txt" "verify_email.ru.txt"
    "reset_password.en.txt" "reset_password.ru.txt"
    "password_changed.en.txt" "password_changed.ru.txt"
    "email_changed.en.txt" "email_changed.ru.txt"
);

impl Templates {
    pub(super) fn new() -> Result<Self, minijinja::Error> {
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|name| if name == LAYOUT { AutoEscape::Html } else { AutoEscape::None });
        environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
        for (name, source) in SOURCES {
            environment.add_template(name, source)?;
        }
        Ok(Self(environment))
    }

    pub(super) fn render(&self, mail: &OutgoingMail) -> Result<Text, minijinja::Error> {
        let (name, link) = match &mail.notification {
            Notification::VerifyEmail { link } => ("verify_email", link.expose_secret()),
            Notification::ResetPassword { link } => ("reset_password", link.expose_secret()),
            Notification::PasswordChanged => ("password_changed", ""),
            Notification::EmailChanged => ("email_changed", ""),
        };
        let template = self.0.get_template(&format!("{name}.{}.txt", mail.language.tag()))?;
        let rendered = template.render(context! { username => &mail.username, link })?;
        let (head, plain) = rendered.split_once("\n\n").unwrap_or(("", &rendered));
        let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim();
        let subject = field("subject:");
        let paragraphs: Vec<String> =
            plain.trim().split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect();
        let html = self.0.get_template(LAYOUT)?.render(context! {
            language => mail.language.tag(), subject, paragraphs, link, button => field("button:"),
            instead => match mail.language {
                Language::English => "If the button does not work, copy this address into your browser:",
                Language::Russian => "Если кнопка не работает, скопируйте этот адрес в браузер:",
            },
        })?;
        Ok(Text { subject: subject.to_owned(), plain: format!("{}\n", plain.trim()), html })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(username: &str, language: Language, notification: Notification) -> Text {
        let mail = OutgoingMail {
            id: uuid::Uuid::nil(),
            to: "ada@example.org".to_owned(),
            language,
            username: username.to_owned(),
            notification,
        };
        Templates::new().unwrap().render(&mail).unwrap()
    }

    #[test]
    fn every_mail_has_a_subject_and_the_same_content_in_both_formats() {
        for language in Language::ALL {
            let link = || "https://example.org/page?token=abc".into();
            for notification in [
                Notification::VerifyEmail { link: link() },
                Notification::ResetPassword { link: link() },
                Notification::PasswordChanged,
                Notification::EmailChanged,
            ] {
                let has_link =
                    matches!(notification, Notification::VerifyEmail { .. } | Notification::ResetPassword { .. });
                let text = text("ada", language, notification);
                assert!(!text.subject.is_empty() && !text.subject.contains('\n'));
                assert!(
                    text.plain.contains("ada") && !text.plain.contains("subject:") && !text.plain.contains("button:")
                );
                assert_eq!(text.plain.matches("https://example.org/page?token=abc\n").count(), usize::from(has_link));
                assert_eq!(text.html.matches("href=\"https:").count(), usize::from(has_link));
                assert!(text.html.contains(&format!("<html lang=\"{}\"", language.tag())));
                assert!(!text.html.contains("<img") && !text.html.contains("<script") && !text.html.contains("src="));
                let is_russian = text.plain.contains("Здравствуйте");
                assert_eq!(is_russian, language == Language::Russian);
            }
        }
    }

    /// Usernames contain no markup today. The test guards against a change of that rule.
    #[test]
    fn username_is_escaped_in_html() {
        let text = text("<b onclick=\"x\">&", Language::English, Notification::PasswordChanged);
        assert!(text.html.contains("&lt;b onclick=&quot;x&quot;&gt;&amp;") && !text.html.contains("<b "));
        assert!(text.plain.contains("<b onclick=\"x\">&"));
    }
}
