//! `.env` files and their errors.

use std::fs;

use hallpass::config::declarations;

use super::{Folder, Server, assert_fails, stderr};

/// The only error that the binary reports for this `.env`.
fn env_error(name: &str, env_file: impl AsRef<[u8]>) -> String {
    let folder = Folder::new(name);
    fs::write(folder.0.join(".env"), env_file).unwrap();
    let output = folder.run(&["key", "show"], &[]);
    assert_fails(&output, 2, "Invalid configuration:\n");
    let text = stderr(&output);
    assert_eq!(text.lines().count(), 2, "{text}");
    text.lines().nth(1).unwrap().trim().to_owned()
}

#[test]
fn dollar_sign_in_the_env_file_is_literal() {
    let folder = Folder::new("env_dollar");
    fs::write(folder.0.join(".env"), "JWT_AUDIENCE=a$LISTEN\nJWT_ALGORITHM=${NO}\"$LISTEN\"'$LISTEN'\n").unwrap();
    let output = folder.run(&["key", "show"], &[("LISTEN", "127.0.0.1:0")]);
    assert_fails(&output, 2, "JWT_ALGORITHM: expected HS256, EdDSA, ES256 or RS256, got \"${NO}$LISTEN$LISTEN\"");
}

#[test]
fn byte_order_mark_in_the_env_file_is_skipped() {
    assert!(
        env_error("env_bom", "\u{feff}LISTEN=here\n")
            .starts_with("LISTEN: expected an IP address and port, such as 127.0.0.1:8000 or [::]:8000, got \"here\"")
    );
}

#[test]
fn invalid_env_file_is_named() {
    let folder = Folder::new("env_folder");
    fs::create_dir(folder.0.join(".env")).unwrap();
    assert_fails(&folder.run(&["key", "show"], &[]), 2, ".env: expected a file, got a folder");
    let utf_16: Vec<u8> = "\u{feff}LISTEN=here\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let expected = ".env: expected text in UTF-8, got UTF-16 or binary data; save the file as UTF-8";
    assert_eq!(env_error("env_utf_16", utf_16), expected);
}

#[test]
fn misspelled_setting_in_the_env_file_is_rejected() {
    let text = env_error("env_typo", "DATABSE_URL=sqlite://hunter2.db\nPOSTGRES_PASSWORD=another\n");
    assert_eq!(text, ".env: DATABSE_URL: unknown, did you mean DATABASE_URL?");
}

#[test]
fn misspelled_setting_in_the_environment_is_logged() {
    let folder = Folder::new("environment_typo");
    let environment =
        [("DATABASE_URLS", "sqlite://hunter2.db"), ("LISTEN_FDS", "1"), ("DATABSE_URL", "another program's")];
    let output = folder.run(&["key", "show"], &environment);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("DATABASE_URLS: unknown, did you mean DATABASE_URL?"), "{text}");
    assert_eq!((text.matches("unknown").count(), text.contains("hunter2")), (1, false), "{text}");
}

#[test]
fn non_utf8_setting_is_rejected() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let folder = Folder::new("environment_bytes");
    let mut command = folder.hallpass(&["key", "show"], &[]);
    let output = command.env("SECRET_KEY", OsStr::from_bytes(b"hunter2\xff")).env("OTHER", OsStr::from_bytes(b"\xff"));
    assert_fails(&output.output().unwrap(), 2, "SECRET_KEY: expected text in UTF-8");
}

#[test]
fn every_line_of_the_example_can_be_uncommented() {
    let example = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/.env.example")).unwrap();
    let is_setting = |line: &&str| {
        let name = line.strip_prefix("# ").and_then(|line| line.split_once('=')).map(|(name, _)| name);
        name.is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'))
    };
    let lines: Vec<&str> = example.lines().filter(is_setting).map(|line| &line[2..]).collect();
    assert!(lines.len() > 30, "{lines:?}");
    let folder = Folder::new("env_example");
    for line in &lines {
        fs::write(folder.0.join(".env"), line).unwrap();
        // Some settings depend on another one.
        let message = stderr(&folder.run(&["key", "show"], &[]));
        assert!(!message.contains(".env"), "{line}: {message}");
    }
    fs::write(folder.0.join(".env"), lines.join("\n")).unwrap();
    Server::start(&folder, &[]);
}

/// A value that occurs in no other text.
const HUNTER: &str = "hunter2.Zq8rT5wX1mN4vB7kC0pL3sD6";

/// The secrets, each with a value that contains `HUNTER` wherever a secret can be.
const SECRETS: [(&str, &str); 6] = [
    ("DATABASE_URL", "postgres://HUNTER:HUNTER@db.example.org/accounts?password=HUNTER&user=HUNTER"),
    ("SECRET_KEY", "HUNTER"),
    ("SECRET_KEY_PREVIOUS", "HUNTER"),
    ("SMTP_URL", "smtps://HUNTER:HUNTER@mail.example.org"),
    ("OAUTH_CLIENTS", "api:HUNTER"),
    ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20HUNTER"),
];

/// The columns that `hallpass config` prints for a setting: its source and its value.
fn printed<'a>(output: &'a str, name: &str) -> (&'a str, &'a str) {
    let mut columns = output.lines().filter_map(|line| line.split_once(' ')).filter(|(setting, _)| *setting == name);
    let (_, rest) = columns.next().unwrap_or_else(|| panic!("no {name} in {output}"));
    let (source, value) = rest.trim_start().split_once(' ').unwrap();
    (source, value.trim_start())
}

fn config(folder: &Folder, environment: &[(&str, &str)]) -> String {
    let output = folder.run(&["config"], environment);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn config_hides_secrets_from_the_environment_and_from_files() {
    let folder = Folder::new("config_secrets");
    let sender = ("MAIL_FROM", "accounts@example.org");
    let secrets = declarations().iter().filter(|declaration| declaration.is_secret).map(|declaration| declaration.name);
    assert_eq!(secrets.collect::<Vec<_>>(), SECRETS.map(|(name, _)| name));
    let values = SECRETS.map(|(name, value)| (name, value.replace("HUNTER", HUNTER)));
    let environment: Vec<_> = values.iter().map(|(name, value)| (*name, value.as_str())).chain([sender]).collect();
    let files = values.each_ref().map(|(name, value)| {
        fs::write(folder.0.join(name), value).unwrap();
        (format!("{name}_FILE"), *name)
    });
    let by_file: Vec<_> = files.iter().map(|(variable, path)| (variable.as_str(), *path)).chain([sender]).collect();
    for environment in [environment, by_file] {
        let text = config(&folder, &environment);
        assert!(!text.contains("hunter2"), "{text}");
        for ((name, _), (source, _)) in SECRETS.iter().zip(&environment) {
            let expected = if source.ends_with("_FILE") { source } else { "environment" };
            let (source, value) = printed(&text, name);
            assert_eq!(source, expected);
            match *name {
                "DATABASE_URL" => assert_eq!(value, "PostgreSQL accounts at db.example.org:5432"),
                "SMTP_URL" => assert_eq!(value, "mail.example.org:465 (TLS)"),
                _ => assert_eq!(value, "(secret)"),
            }
        }
    }
}

#[test]
fn config_shows_the_source_of_each_value() {
    let folder = Folder::new("config_sources");
    fs::write(folder.0.join(".env"), "LISTEN=127.0.0.1:9000\nLOG_FORMAT=json\nROLES=\"admin,\nuser\"\n").unwrap();
    let text = config(&folder, &[("LOG_FORMAT", "text"), ("BCRYPT_COST", "10")]);
    assert_eq!(printed(&text, "LISTEN"), (".env", "127.0.0.1:9000"));
    assert_eq!(printed(&text, "PUBLIC_URL"), ("default", "http://localhost:9000"));
    assert_eq!(printed(&text, "LOG_FORMAT"), ("environment", "text"));
    assert_eq!(printed(&text, "BCRYPT_COST"), ("environment", "10"));
    assert_eq!(printed(&text, "SECRET_KEY"), ("default", "in the file hallpass.key"));
    assert_eq!(printed(&text, "ROLES"), (".env", r"admin,\nuser"));
    assert_eq!(text.lines().count(), declarations().len());
}

#[test]
fn config_aligns_its_columns_and_creates_nothing() {
    let folder = Folder::new("config_columns");
    let text = config(&folder, &[("LOG_FORMAT", "json")]);
    let width = declarations().iter().map(|declaration| declaration.name.len()).max().unwrap() + 2;
    for line in text.lines() {
        let (name, rest) = line.split_at(width);
        assert!(name.ends_with("  ") && rest.starts_with(|c: char| c.is_ascii_lowercase()), "{line}");
        assert_eq!(&rest["environment".len()..][..2], "  ", "{line}");
    }
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 0);
}

#[test]
fn config_reports_errors_like_other_commands() {
    let folder = Folder::new("config_mistakes");
    let environment = [("LISTEN", "here"), ("SECRET_KEY", "hunter2")];
    let output = folder.run(&["config"], &environment);
    assert_fails(&output, 2, "Invalid configuration:\n  LISTEN: expected ");
    assert_eq!(stderr(&output), stderr(&folder.run(&["key", "show"], &environment)));
    assert!(output.stdout.is_empty() && !stderr(&output).contains("hunter2"));
}
