//! `hallpass mail preview`, and templates that stop the server.

use std::fs;

use super::{Folder, stderr};

const TEMPLATES: (&str, &str) = ("MAIL_TEMPLATES", "mail");

fn with_template(name: &str, text: &str) -> Folder {
    let folder = Folder::new(name);
    fs::create_dir(folder.0.join("mail")).unwrap();
    fs::write(folder.0.join("mail/reset_password.en.txt"), text).unwrap();
    folder
}

#[test]
fn preview_prints_a_mail_with_sample_values() {
    let folder = with_template("preview", "subject: New password\nbutton: Go\n\nHello {{ username }}\n\n{{ link }}");
    let output = folder.run(&["mail", "preview", "reset_password", "--language", "en"], &[TEMPLATES]);
    let text = String::from_utf8(output.stdout).unwrap();
    let link = "http://localhost:8000/reset-password?token=sample";
    assert_eq!(text, format!("== reset_password.en\nSubject: New password\n\nHello ada\n\n{link}\n\n"));
    assert!(!folder.0.join("hallpass.db").exists());
}

#[test]
fn preview_writes_all_mails_in_both_formats() {
    let folder = Folder::new("preview_files");
    let output = folder.run(&["mail", "preview", "--output", "out"], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let mut files: Vec<_> = fs::read_dir(folder.0.join("out")).unwrap().map(|file| file.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files.len(), hallpass::mail::TEMPLATES.len() * 4);
    let html = fs::read_to_string(folder.0.join("out/sign_in.ru.html")).unwrap();
    assert!(html.contains("<html lang=\"ru\">") && html.contains("01234567"));
}

#[test]
fn mistake_in_a_template_stops_the_server_before_it_creates_a_database() {
    let folder =
        with_template("bad_template", "subject: New password\nbutton: Go\n\nHello {{ usernme }}\n\n{{ link }}");
    for arguments in [&["serve"][..], &["mail", "preview"]] {
        let output = folder.run(arguments, &[TEMPLATES, ("LISTEN", "127.0.0.1:0")]);
        let error = stderr(&output);
        let expected = "MAIL_TEMPLATES: reset_password.en.txt, line 4: unknown variable usernme; expected one of username, link, brand";
        assert!(output.status.code() == Some(2) && error.contains(expected), "{error}");
    }
    assert!(!folder.0.join("hallpass.db").exists());
}
