//! `.env`, and what is wrong with it.

use std::fs;

use super::{Folder, Server, assert_fails, stderr};

/// The only mistake that the binary reports for this `.env`.
fn mistake(name: &str, env_file: impl AsRef<[u8]>) -> String {
    let folder = Folder::new(name);
    fs::write(folder.0.join(".env"), env_file).unwrap();
    let output = folder.run(&["key", "show"], &[]);
    assert_fails(&output, 2, "Invalid configuration:\n");
    let text = stderr(&output);
    assert_eq!(text.lines().count(), 2, "{text}");
    text.lines().nth(1).unwrap().trim().to_owned()
}

#[test]
fn a_dollar_in_the_env_file_is_literal() {
    let folder = Folder::new("env_dollar");
    fs::write(folder.0.join(".env"), "JWT_AUDIENCE=a$LISTEN\nJWT_ALGORITHM=${NO}\"$LISTEN\"'$LISTEN'\n").unwrap();
    let output = folder.run(&["key", "show"], &[("LISTEN", "127.0.0.1:0")]);
    assert_fails(&output, 2, "JWT_ALGORITHM: expected HS256, EdDSA, ES256 or RS256, got \"${NO}$LISTEN$LISTEN\"");
}

#[test]
fn a_byte_order_mark_in_the_env_file_is_skipped() {
    assert!(
        mistake("env_bom", "\u{feff}LISTEN=here\n")
            .starts_with("LISTEN: expected an IP address and port, such as 127.0.0.1:8000 or [::]:8000, got \"here\"")
    );
}

#[test]
fn what_is_no_env_file_is_named() {
    let folder = Folder::new("env_folder");
    fs::create_dir(folder.0.join(".env")).unwrap();
    assert_fails(&folder.run(&["key", "show"], &[]), 2, ".env: expected a file, got a folder");
    let utf_16: Vec<u8> = "\u{feff}LISTEN=here\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let expected = ".env: expected text in UTF-8, got UTF-16 or binary data; save the file as UTF-8";
    assert_eq!(mistake("env_utf_16", utf_16), expected);
}

#[test]
fn a_misspelled_setting_in_the_env_file_is_refused() {
    let text = mistake("env_typo", "DATABSE_URL=sqlite://hunter2.db\nPOSTGRES_PASSWORD=another\n");
    assert_eq!(text, ".env: DATABSE_URL: unknown, did you mean DATABASE_URL?");
}

#[test]
fn a_misspelled_setting_in_the_environment_is_logged() {
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
fn a_setting_that_is_not_text_is_refused() {
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
        // Some settings need another one.
        let told = stderr(&folder.run(&["key", "show"], &[]));
        assert!(!told.contains(".env"), "{line}: {told}");
    }
    fs::write(folder.0.join(".env"), lines.join("\n")).unwrap();
    Server::start(&folder, &[]);
}
