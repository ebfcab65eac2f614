//! The templates of `MAIL_TEMPLATES`: what is refused at start, and what is sent.

use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use hallpass::{config::Settings, jobs::deliver_mail, mail};

use crate::support::{SmtpServer, TestServer, token_in};

/// A folder with templates, which is deleted afterwards.
struct Folder(PathBuf);

impl Folder {
    fn with(files: &[(&str, &[u8])]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("hallpass_templates_{}_{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        for (name, content) in files {
            fs::write(path.join(name), content).unwrap();
        }
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The mistakes of a folder with this file, without the name of the setting.
fn mistakes(file: &str, content: &[u8]) -> Vec<String> {
    let folder = Folder::with(&[(file, content)]);
    let variables = [("MAIL_TEMPLATES".to_owned(), folder.0.display().to_string())];
    let settings = Settings::from_vars(variables).unwrap();
    let mistakes = mail::check_templates(&settings).err().map(|error| error.0).unwrap_or_default();
    mistakes.into_iter().map(|mistake| mistake.strip_prefix("MAIL_TEMPLATES: ").unwrap().to_owned()).collect()
}

fn assert_mistake(file: &str, content: &str, expected: &str) {
    let found = mistakes(file, content.as_bytes());
    assert!(found.len() == 1 && found[0].starts_with(expected), "{content:?}: expected {expected}, got {found:?}");
}

const VERIFY: &str =
    "subject: Welcome, {{ username }}\nbutton: Here\n\nHi <b>{{ username }}</b> of {{ brand }}!\n\n{{ link }}\n";

#[tokio::test]
async fn replaced_template_is_sent_and_its_markup_is_text() {
    let folder = Folder::with(&[("verify_email.en.txt", VERIFY.as_bytes()), (".verify_email.en.txt.swp", b"{{")]);
    let smtp = SmtpServer::start().await;
    let server = TestServer::with(|settings| {
        settings.mail.smtp = vec![smtp.settings()];
        settings.mail.templates = Some(folder.0.clone());
        settings.brand.name = Some("Ada & Sons".to_owned());
    })
    .await;
    server.user_at("ada", "ada@example.org").await;
    assert_eq!(deliver_mail::tick(&server.app).await.unwrap(), 1);
    let mail = smtp.received().remove(0);
    assert_eq!(mail.header("Subject").unwrap(), "Welcome, ada");
    let parts = mail.parts();
    assert!(parts[0].1.starts_with("Hi <b>ada</b> of Ada & Sons!\r\n\r\nhttp"), "{}", parts[0].1);
    assert!(parts[1].1.contains("<p>Hi &lt;b&gt;ada&lt;&#x2f;b&gt; of Ada &amp; Sons!</p>"), "{}", parts[1].1);
    server.anonymous().verify_email(&token_in(&parts[0].1)).await.data("/verifyEmail");
}

#[test]
fn built_in_and_correct_templates_are_accepted() {
    assert_eq!(mistakes("verify_email.ru.txt", VERIFY.as_bytes()), Vec::<String>::new());
    assert_eq!(mistakes("verify_email.ru.txt", VERIFY.replace('\n', "\r\n").as_bytes()), Vec::<String>::new());
    let layout = include_bytes!("../../src/mail/templates/layout.html");
    assert_eq!(mistakes("layout.html", layout), Vec::<String>::new());
    for code_or_link in ["{{ code }}", "{{ link }}"] {
        let text = format!("subject: Sign in\nbutton: Sign in\n\nHello\n\n{code_or_link}");
        assert_eq!(mistakes("sign_in.en.txt", text.as_bytes()), Vec::<String>::new());
    }
}

#[test]
fn unknown_files_are_refused() {
    for file in ["verify_email.txt", "verify_email.de.txt", "verify-email.en.txt", "layout.txt", "README.md"] {
        assert_mistake(
            file,
            VERIFY,
            &format!("{file}: unknown template; expected layout.html, or one of verify_email, "),
        );
    }
}

#[test]
fn syntax_errors_and_unknown_names_have_a_line() {
    for (text, expected) in [
        ("subject: A\n\nHello {{ username", "password_changed.en.txt, line 3: syntax error"),
        ("subject: A\n\n{% if %}", "password_changed.en.txt, line 3: syntax error"),
        (
            "subject: A\n\nHello\n{{ name }}",
            "password_changed.en.txt, line 4: unknown variable name; expected one of username, brand",
        ),
        (
            "subject: A\n\nHello\n{% if brand %}{{ nme }}{% endif %}",
            "password_changed.en.txt, line 4: unknown variable nme",
        ),
        ("subject: A\n\nHello\n\n{{ link }}", "password_changed.en.txt, line 5: unknown variable link"),
        ("subject: A\n\nHello {{ username|shout }}", "password_changed.en.txt, line 3: unknown filter"),
    ] {
        assert_mistake("password_changed.en.txt", text, expected);
    }
    assert_eq!(
        mistakes("password_changed.en.txt", b"subject: A\n\n\xff"),
        ["password_changed.en.txt: line 3: expected text in UTF-8"]
    );
}

#[test]
fn head_has_one_subject_of_one_line() {
    for (text, expected) in [
        ("Hello\n\nAda", ", line 1: expected `subject: …`"),
        ("subject: A\nB\n\nHello", ", line 2: expected `subject: …`"),
        ("subject:\n\nHello", ", line 1: expected one line `subject: …`"),
        ("subject: A\nsubject: B\n\nHello", ", line 1: expected one line `subject: …`"),
        ("subject: A\rB\n\nHello", ": expected a subject of at most 200 characters without control"),
        ("subject: A\n\n", ", line 1: expected `subject: …`, an empty line"),
        ("subject: A", ", line 1: expected `subject: …`, an empty line"),
    ] {
        assert_mistake("password_changed.en.txt", text, &format!("password_changed.en.txt{expected}"));
    }
}

#[test]
fn link_or_code_must_be_a_paragraph_and_not_in_the_subject() {
    for (file, text, expected) in [
        ("verify_email.en.txt", "subject: A\nbutton: B\n\nHello", ": expected {{ link }} as a paragraph of its own"),
        (
            "verify_email.en.txt",
            "subject: A\nbutton: B\n\nOpen {{ link }}",
            ": expected {{ link }} as a paragraph of its own",
        ),
        ("verify_email.en.txt", "subject: A\n\n{{ link }}", ", line 2: expected a line `button: …`"),
        (
            "verify_email.en.txt",
            "subject: {{ link }}\nbutton: B\n\n{{ link }}",
            ": expected no link and no code in the subject",
        ),
        ("sign_in.en.txt", "subject: A\nbutton: B\n\nHello", ": expected {{ link }} or {{ code }} as a paragraph"),
        ("sign_in.en.txt", "subject: {{ code }}\n\n{{ code }}", ": expected no link and no code in the subject"),
    ] {
        assert_mistake(file, text, &format!("{file}{expected}"));
    }
}

#[test]
fn layout_shows_everything_and_escapes_it() {
    let all = "{% for paragraph in paragraphs %}{{ paragraph }} {% endfor %}";
    assert_eq!(mistakes("layout.html", all.as_bytes()), Vec::<String>::new());
    for (text, expected) in [
        ("<p>{{ subject }}</p>", "layout.html: expected {{ link }}"),
        ("{{ link }} {{ code }}", "layout.html: expected all paragraphs"),
        ("{{ paragraphs }} {{ username }}", "layout.html, line 1: unknown variable username"),
        ("\n{%- autoescape false %}{{ subject }}{% endautoescape %}", "layout.html, line 2: expected no autoescape"),
        ("{% for paragraph in paragraphs %}{{ paragraph|safe }} {% endfor %}", "layout.html, line 1: unknown filter"),
    ] {
        assert_mistake("layout.html", text, expected);
    }
}

#[test]
fn missing_folder_and_large_file_are_refused() {
    let variables = [("MAIL_TEMPLATES".to_owned(), "no/such/folder".to_owned())];
    let error = mail::check_templates(&Settings::from_vars(variables).unwrap()).unwrap_err();
    assert!(error.0[0].starts_with("MAIL_TEMPLATES: cannot read the folder \"no/such/folder\": "), "{error}");
    assert_mistake(
        "verify_email.en.txt",
        &format!("{VERIFY}{}", "x".repeat(65536)),
        "verify_email.en.txt: expected at most 64 kB",
    );
}
