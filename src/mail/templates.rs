//! Mail templates in each language. HTML and plain text are rendered from the same source, so that both have the same
//! content.
//!
//! A template starts with the lines `subject:` and `button:`. The paragraphs follow after an empty line. A paragraph
//! that consists of the link becomes the button, and one that consists of the code is shown large. `MAIL_TEMPLATES` replaces
//! templates.

mod custom;

use std::path::Path;

use custom::Replacement;
use minijinja::{AutoEscape, Environment, context};
use uuid::Uuid;

use crate::{
    config::{BrandSettings, Color, ExposeSecret, Settings, SettingsError},
    language::Language,
    mail::OutgoingMail,
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
pub(super) struct Templates {
    environment: Environment<'static>,
    brand: BrandSettings,
}

const LAYOUT: &str = "layout.html";

/// The last paragraph of the built-in templates.
const SIGN_OFF: &str = "{% if brand %}\n\n{{ brand }}{% endif %}";

/// The color of buttons without `BRAND_COLOR`.
const COLOR: Color = Color::new(0x31, 0x57, 0xd5);

macro_rules! templates {
    ($($name:literal)*) => {
        /// The names of the templates. Each exists in all languages.
        pub const TEMPLATES: &[&str] = &[$($name),*];

        const SOURCES: &[(&str, &str)] = &[
            (LAYOUT, include_str!("templates/layout.html")),
            $(
                (concat!($name, ".en.txt"), include_str!(concat!("templates/", $name, ".en.txt"))),
                (concat!($name, ".ru.txt"), include_str!(concat!("templates/", $name, ".ru.txt"))),
            )*
        ];
    };
}

templates!(
    "verify_email" "reset_password" "choose_password" "password_changed" "email_changed" "roles_changed"
    "account_disabled" "account_deleted" "invitation" "mfa_enabled" "mfa_disabled" "mfa_reset"
    "recovery_code_used" "passkey_added" "passkey_removed" "identity_linked" "identity_unlinked" "sign_in"
    "password_removed"
);

impl Templates {
    /// Loads the built-in templates, and those in a folder that replace them.
    pub(super) fn new(brand: &BrandSettings, folder: Option<&Path>) -> Result<Self, SettingsError> {
        let mistakes = |mistakes: Vec<String>| {
            SettingsError(mistakes.into_iter().map(|mistake| format!("MAIL_TEMPLATES: {mistake}")).collect())
        };
        let replacements = folder.map_or_else(|| Ok(Vec::new()), custom::read).map_err(mistakes)?;
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|name| if name == LAYOUT { AutoEscape::Html } else { AutoEscape::None });
        // No template can leave out the escaping.
        environment.remove_filter("safe");
        environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
        for (name, source) in SOURCES {
            let sign_off = if *name == LAYOUT { "" } else { SIGN_OFF };
            let source = format!("{}{sign_off}", source.trim_end());
            environment
                .add_template_owned(*name, source)
                .map_err(|error| mistakes(vec![custom::describe(name, &error)]))?;
        }
        let added = replacements.iter().filter_map(|Replacement { file, source }| {
            let added = environment.add_template_owned(file.clone(), source.clone());
            added.err().map(|error| custom::describe(file, &error))
        });
        let invalid: Vec<_> = added.collect();
        let templates = Self { environment, brand: brand.clone() };
        let found = if invalid.is_empty() { custom::check(&templates, &replacements) } else { invalid };
        if found.is_empty() { Ok(templates) } else { Err(mistakes(found)) }
    }

    pub(super) fn render(&self, mail: &OutgoingMail) -> Result<Text, minijinja::Error> {
        self.render_parts(mail).map(|rendered| rendered.text)
    }

    fn render_parts(&self, mail: &OutgoingMail) -> Result<Rendered, minijinja::Error> {
        let link = mail.link.as_ref().map_or("", |link| link.expose_secret());
        let code = mail.code.as_ref().map_or("", |code| code.expose_secret());
        let brand = self.brand.name.as_deref().unwrap_or_default();
        let color = self.brand.color.unwrap_or(COLOR);
        let template = self.environment.get_template(&format!("{}.{}.txt", mail.template, mail.language.tag()))?;
        let rendered = template.render(context! { username => &mail.username, link, code, brand })?;
        let (head, plain) = rendered.split_once("\n\n").unwrap_or(("", &rendered));
        let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim();
        let subject = field("subject:");
        let paragraphs: Vec<String> =
            plain.trim().split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect();
        let html = self.environment.get_template(LAYOUT)?.render(context! {
            language => mail.language.tag(), subject, paragraphs => &paragraphs, link, code, button => field("button:"), brand,
            logo => &self.brand.logo_url, color => color.to_string(), text_color => color.text_on_it().to_string(),
            instead => match mail.language {
                Language::English => "If the button does not work, copy this address into your browser:",
                Language::Russian => "Если кнопка не работает, скопируйте этот адрес в браузер:",
            },
        })?;
        let text = Text { subject: subject.to_owned(), plain: format!("{}\n", plain.trim()), html };
        Ok(Rendered { head: head.to_owned(), button: field("button:").to_owned(), paragraphs, text })
    }
}

/// A rendered mail, and the parts of its template.
struct Rendered {
    head: String,
    button: String,
    paragraphs: Vec<String>,
    text: Text,
}

const SAMPLE_CODE: &str = "01234567";

/// A mail with sample values, each of which ends with `suffix`.
fn sample(template: &'static str, language: Language, app_url: &str, suffix: &str) -> OutgoingMail {
    let has = |name: &str| custom::variables(template).contains(&name);
    let page = match template {
        "verify_email" => "verify-email",
        "invitation" => "accept-invitation",
        "sign_in" => "sign-in",
        _ => "reset-password",
    };
    OutgoingMail {
        id: Uuid::nil(),
        to: "ada@example.org".to_owned(),
        language,
        username: has("username").then(|| format!("ada{suffix}")),
        template,
        link: has("link").then(|| format!("{app_url}/{page}?token=sample{suffix}").into()),
        code: has("code").then(|| format!("{SAMPLE_CODE}{suffix}").into()),
    }
}

/// A mail with sample values, for the author of templates.
pub struct Preview {
    /// The name of the template.
    pub template: &'static str,
    /// The language of the text.
    pub language: Language,
    /// The rendered text.
    pub text: Text,
}

/// Renders all mails with sample values, those of a language after each other.
///
/// # Errors
/// All mistakes in the templates of `MAIL_TEMPLATES`.
pub fn previews(settings: &Settings) -> Result<Vec<Preview>, SettingsError> {
    let templates = Templates::new(&settings.brand, settings.mail.templates.as_deref())?;
    let mails = Language::ALL.into_iter().flat_map(|language| TEMPLATES.iter().map(move |name| (*name, language)));
    let previews = mails.map(|(template, language)| {
        let text = templates.render(&sample(template, language, &settings.mail.app_url, ""));
        let text = text
            .map_err(|error| SettingsError(vec![format!("MAIL_TEMPLATES: {}", custom::describe(template, &error))]))?;
        Ok(Preview { template, language, text })
    });
    previews.collect()
}

/// Checks the templates of `MAIL_TEMPLATES`.
///
/// # Errors
/// All mistakes, each with its file and line.
pub fn check(settings: &Settings) -> Result<(), SettingsError> {
    Templates::new(&settings.brand, settings.mail.templates.as_deref()).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(username: &str, language: Language, template: &'static str) -> Text {
        branded(username, language, template, &BrandSettings::default())
    }

    fn branded(username: &str, language: Language, template: &'static str, brand: &BrandSettings) -> Text {
        let mail = OutgoingMail {
            id: Uuid::nil(),
            to: "ada@example.org".to_owned(),
            language,
            username: Some(username.to_owned()),
            template,
            link: Some("https://example.org/page?token=abc".into()),
            code: Some("01234567".into()),
        };
        Templates::new(brand, None).unwrap().render(&mail).unwrap()
    }

    #[test]
    fn every_mail_has_a_subject_and_the_same_content_in_both_formats() {
        for language in Language::ALL {
            for template in TEMPLATES {
                let with_link = ["verify_email", "reset_password", "choose_password", "invitation", "sign_in"];
                let has_link = with_link.contains(template);
                let has_code = *template == "sign_in";
                let text = text("ada", language, template);
                assert!(!text.subject.is_empty() && !text.subject.contains('\n'));
                assert!(
                    text.plain.contains("ada") != ["account_deleted", "invitation"].contains(template)
                        && !text.plain.contains("subject:")
                        && !text.plain.contains("button:")
                );
                assert_eq!(text.plain.matches("https://example.org/page?token=abc\n").count(), usize::from(has_link));
                assert_eq!(text.html.matches("href=\"https:").count(), usize::from(has_link));
                assert_eq!(text.plain.matches("\n01234567\n").count(), usize::from(has_code));
                assert_eq!(text.html.matches("<p class=\"code\">01234567</p>").count(), usize::from(has_code));
                assert!(text.html.contains(&format!("<html lang=\"{}\"", language.tag())));
                assert!(!text.html.contains("<img") && !text.html.contains("<script") && !text.html.contains("src="));
                let is_russian = text.plain.contains("Здравствуйте");
                assert_eq!(is_russian, language == Language::Russian);
            }
        }
    }

    #[test]
    fn mails_show_the_brand_in_both_formats() {
        let mut brand = BrandSettings {
            name: Some("Ada & Sons".to_owned()),
            color: Some(Color::new(0xff, 0xcc, 0)),
            logo_url: None,
        };
        let mail = branded("ada", Language::Russian, "verify_email", &brand);
        assert!(mail.plain.ends_with("\n\nAda & Sons\n"), "{}", mail.plain);
        assert!(mail.html.contains("<p class=\"brand\">Ada &amp; Sons</p>") && !mail.html.contains("<img"));
        assert!(mail.html.contains("background: #ffcc00; color: #000000 !important"), "{}", mail.html);
        brand.logo_url = Some("https://example.org/logo.png".to_owned());
        let mail = branded("ada", Language::English, "password_changed", &brand);
        let image = mail.html.split("<img ").nth(1).unwrap().split('>').next().unwrap().replace("&#x2f;", "/");
        assert!(image.starts_with("src=\"https://example.org/logo.png\" alt=\"Ada &amp; Sons\""), "{image}");
    }

    /// Usernames cannot contain markup today. The test guards against a change of that rule.
    #[test]
    fn username_is_escaped_in_html() {
        let text = text("<b onclick=\"x\">&", Language::English, "password_changed");
        assert!(text.html.contains("&lt;b onclick=&quot;x&quot;&gt;&amp;") && !text.html.contains("<b "));
        assert!(text.plain.contains("<b onclick=\"x\">&"));
    }
}
