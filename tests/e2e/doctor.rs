//! `hallpass doctor`.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    process::Output,
    sync::{Arc, Mutex},
    thread,
};

use super::{FAST, Folder, assert_fails, block_on, free_port, support::database::TestDatabase};

const SECRET: (&str, &str) = ("SECRET_KEY", "5f3c9a7e1b2d4f60718293a4b5c6d7e8");

fn lines(output: &Output) -> Vec<String> {
    String::from_utf8(output.stdout.clone()).unwrap().lines().map(ToOwned::to_owned).collect()
}

/// Whether there is a line with this level and subject that contains a text.
fn says(output: &Output, level: &str, subject: &str, text: &str) -> bool {
    let start = format!("{level:<7}  {subject:<9}  ");
    lines(output).iter().any(|line| line.starts_with(&start) && line.contains(text))
}

#[track_caller]
fn assert_says(output: &Output, level: &str, subject: &str, text: &str) {
    assert!(says(output, level, subject, text), "{level} {subject} {text}: {output:#?}");
}

/// A mail server that answers a verb with a reply, and everything else with success. Returns its port and what it has received.
fn mail_server(verb: &'static str, reply: &'static str) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let received: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&received);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.write_all(b"220 mail\r\n");
            let mut is_content = false;
            for line in BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok) {
                seen.lock().unwrap().push(line.clone());
                let command = line.split(' ').next().unwrap_or_default();
                let answer = match command {
                    "." if is_content => "250 taken",
                    _ if is_content => continue,
                    _ if command == verb => reply,
                    "EHLO" => "250-mail\r\n250 AUTH PLAIN",
                    "AUTH" => "235 signed in",
                    "DATA" => "354 go on",
                    _ => "250 ok",
                };
                is_content = command == "DATA";
                let _ = stream.write_all(format!("{answer}\r\n").as_bytes());
            }
        }
    });
    (port, received)
}

#[test]
fn doctor_creates_nothing_and_says_what_the_first_start_creates() {
    let folder = Folder::new("doctor_empty");
    let output = folder.run(&["doctor"], &[]);
    assert_eq!(output.status.code(), Some(0), "{output:#?}");
    assert_says(&output, "ok", "database", "does not exist; the first start creates it");
    assert_says(&output, "ok", "keys", "the first start generates one in");
    assert_says(&output, "ok", "mail", "/dev/mail");
    assert!(lines(&output).iter().all(|line| line.starts_with("ok ")), "{output:#?}");
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 0);
}

#[test]
fn doctor_reports_each_mistake_in_the_settings() {
    let folder = Folder::new("doctor_settings");
    let output = folder.run(&["doctor"], &[("LISTEN", "nonsense"), ("BCRYPT_COST", "99")]);
    assert_fails(&output, 1, "2 checks failed");
    assert_says(&output, "failed", "settings", "LISTEN: expected");
    assert_says(&output, "failed", "settings", "BCRYPT_COST: expected");
}

#[test]
fn doctor_warns_of_files_that_others_can_read() {
    let folder = Folder::new("doctor_files");
    assert_eq!(folder.run(&["migrate"], &[]).status.code(), Some(0));
    fs::write(folder.0.join(".env"), "").unwrap();
    for (mode, level) in [(0o644, "warning"), (0o600, "ok")] {
        for name in [".env", "hallpass.db"] {
            fs::set_permissions(folder.0.join(name), fs::Permissions::from_mode(mode)).unwrap();
        }
        let output = folder.run(&["doctor"], &[]);
        assert_eq!(output.status.code(), Some(0), "{output:#?}");
        assert_eq!(says(&output, "warning", "files", "run `chmod 600 .env`"), level == "warning", "{output:#?}");
        assert_eq!(says(&output, "warning", "files", "hallpass.db"), level == "warning", "{output:#?}");
        assert_eq!(says(&output, "ok", "files", ""), level == "ok", "{output:#?}");
        assert_says(&output, "ok", "database", "it has all migrations, and accepts writes");
    }
}

#[test]
fn doctor_asks_the_database_for_version_privileges_and_clock() {
    let folder = Folder::new("doctor_database");
    block_on(async {
        let database = TestDatabase::create_bare().await;
        let url = database.url_text();
        let environment = [("DATABASE_URL", url.as_str()), SECRET, FAST];
        let output = folder.run(&["doctor"], &environment);
        assert_eq!(output.status.code(), Some(0), "{output:#?}");
        if !url.starts_with("sqlite") {
            assert_says(&output, "ok", "database", "it lacks");
        }
        assert_eq!(folder.run(&["migrate"], &environment).status.code(), Some(0));
        let output = folder.run(&["doctor"], &environment);
        let product =
            ["SQLite 3", "PostgreSQL", "MariaDB"].into_iter().find(|name| says(&output, "ok", "database", name));
        assert!(product.is_some(), "{output:#?}");
        assert_says(&output, "ok", "database", "it has all migrations, and accepts writes");
        for text in ["privileges", "clock"] {
            assert!(!lines(&output).iter().any(|line| line.contains(text)), "{output:#?}");
        }
    });
}

#[test]
fn doctor_reports_a_database_that_does_not_respond_without_its_password() {
    let folder = Folder::new("doctor_unreachable");
    let url = format!("postgres://ada:hunter2@127.0.0.1:{}/app", free_port());
    let output = folder.run(&["doctor"], &[("DATABASE_URL", &url), SECRET]);
    assert_fails(&output, 1, "1 check failed");
    assert_says(&output, "failed", "database", "look at DATABASE_URL");
    assert!(!format!("{:?}{:?}", output.stdout, output.stderr).contains("hunter2"));
    assert!(lines(&output).iter().all(|line| !line.contains("hunter2")));
}

#[test]
fn doctor_signs_in_to_each_mail_server_and_sends_nothing() {
    let folder = Folder::new("doctor_mail");
    let (good, received) = mail_server("", "");
    let (bad, _) = mail_server("AUTH", "535 5.7.8 wrong password");
    let closed = free_port();
    let urls =
        format!("smtp://ada:hunter2@127.0.0.1:{good},smtp://ada:hunter2@127.0.0.1:{bad},smtp://127.0.0.1:{closed}");
    let environment = [("SMTP_URL", urls.as_str()), ("MAIL_FROM", "hallpass@example.org")];
    let output = folder.run(&["doctor"], &environment);
    assert_fails(&output, 1, "2 checks failed");
    assert_says(&output, "ok", "mail", &format!("127.0.0.1:{good} (not encrypted) can be used"));
    assert_says(
        &output,
        "failed",
        "mail",
        &format!("127.0.0.1:{bad} (not encrypted): signing in: the mail server answered 535"),
    );
    assert_says(&output, "failed", "mail", &format!("127.0.0.1:{closed} (not encrypted): connecting"));
    assert!(lines(&output).iter().all(|line| !line.contains("hunter2")), "{output:#?}");
    assert!(received.lock().unwrap().iter().all(|line| !line.starts_with("MAIL")));
}

#[test]
fn doctor_sends_a_mail_if_it_is_asked_to() {
    let folder = Folder::new("doctor_send");
    let (port, received) = mail_server("", "");
    let url = format!("smtp://127.0.0.1:{port}");
    let environment = [("SMTP_URL", url.as_str()), ("MAIL_FROM", "hallpass@example.org")];
    let output = folder.run(&["doctor", "--send-to", "ada@example.org"], &environment);
    assert_eq!(output.status.code(), Some(0), "{output:#?}");
    assert_says(&output, "ok", "mail", "a mail was sent to ada@example.org");
    let is_received = |start: &str| received.lock().unwrap().iter().any(|line| line.starts_with(start));
    assert!(is_received("RCPT TO:<ada@example.org>") && is_received("Subject: Test of Hallpass"));

    let without_server = folder.run(&["doctor", "--send-to", "ada@example.org"], &[]);
    assert_fails(&without_server, 1, "1 check failed");
    let (refusing, _) = mail_server("RCPT", "550 5.1.1 no such mailbox");
    let url = format!("smtp://127.0.0.1:{refusing}");
    let output = folder.run(&["doctor", "--send-to", "ada@example.org"], &[("SMTP_URL", &url), environment[1]]);
    assert_fails(&output, 1, "1 check failed");
    assert_says(&output, "failed", "mail", "answered 550");
}

#[test]
fn doctor_warns_of_proxies_and_apps_on_other_sites() {
    let folder = Folder::new("doctor_addresses");
    let environment = [
        ("PUBLIC_URL", "https://accounts.example.org"),
        SECRET,
        ("ALLOWED_ORIGINS", "https://app.example.org,https://example.com"),
    ];
    let output = folder.run(&["doctor"], &environment);
    assert_eq!(output.status.code(), Some(0), "{output:#?}");
    assert_says(&output, "warning", "addresses", "PROXY_HEADER and TRUSTED_PROXIES are not set");
    assert_says(&output, "warning", "origins", "https://example.com and https://accounts.example.org");
    assert!(!says(&output, "warning", "origins", "https://app.example.org and"));
    assert_says(&output, "warning", "mail", "set SMTP_URL");
}
