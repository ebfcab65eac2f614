//! Second factors at the command line.

use sea_orm::{ConnectionTrait, Database};
use serde_json::Value;

use super::{FAST, Folder, LOGIN, Server, assert_fails, block_on, stderr, users::stdout};

/// A folder with a database and the users `ada` and `bo`.
fn people(name: &str) -> Folder {
    let folder = Folder::new(name);
    assert!(folder.run(&["migrate"], &[]).status.success());
    for user in ["ada", "bo"] {
        stdout(&super::users::pipe(&folder, &["user", "add", user, "--role", "user"], super::users::PASSWORD));
    }
    folder
}

/// Stores an authenticator app, whose secret another key sealed, and two recovery codes of `ada`.
fn enroll(folder: &Folder) {
    let url = format!("sqlite://{}", folder.0.join("hallpass.db").display());
    block_on(async {
        let connection = Database::connect(url).await.unwrap();
        for sql in [
            "INSERT INTO totp_factors (user_id, sealed_secret, key_id, created_at, confirmed_at) \
             SELECT id, x'00', 'another key', created_at, created_at FROM users WHERE username = 'ada'",
            "INSERT INTO recovery_codes (user_id, code_hash, created_at) SELECT id, 'one', created_at FROM users \
             WHERE username = 'ada' UNION SELECT id, 'two', created_at FROM users WHERE username = 'ada'",
        ] {
            connection.execute_unprepared(sql).await.unwrap();
        }
        connection.close().await.unwrap();
    });
}

#[test]
fn reset_removes_the_second_factor_and_ends_all_sessions() {
    let folder = people("reset_mfa");
    let server = Server::start(&folder, &[FAST]);
    let token = server.graphql(LOGIN).split(r#""accessToken":""#).nth(1).unwrap().split('"').next().unwrap().to_owned();
    enroll(&folder);
    assert!(server.graphql(LOGIN).contains("MFA_REQUIRED"));
    let reset = folder.run(&["user", "reset-mfa", "ADA", "--reason", "lost the phone"], &[]);
    assert_eq!(stdout(&reset), "the second factor of ada was removed; sessions that were ended: 1\n");
    assert!(server.me(&token).contains("SESSION_REVOKED"));
    assert!(server.graphql(LOGIN).contains("accessToken"));
    let audit = stdout(&folder.run(&["audit", "--action", "MFA_RESET"], &[]));
    assert!(audit.contains("lost the phone") && audit.contains("(command line)"), "{audit}");
}

#[test]
fn reset_fails_for_users_without_a_second_factor() {
    let folder = people("reset_no_mfa");
    assert_fails(&folder.run(&["user", "reset-mfa", "bo"], &[]), 1, "bo has no second factor; nothing was changed");
    assert_fails(&folder.run(&["user", "reset-mfa", "cy"], &[]), 1, "there is no user with this username");
    assert_eq!(stdout(&folder.run(&["audit", "--action", "MFA_RESET", "--json"], &[])), "");
}

#[test]
fn show_prints_the_second_factor() {
    let folder = people("show_mfa");
    enroll(&folder);
    let shown = |user: &str| stdout(&folder.run(&["user", "show", user], &[]));
    assert!(shown("ada").contains("\nsecond factor  authenticator app since 20"), "{}", shown("ada"));
    assert!(shown("ada").contains("Z, unused recovery codes: 2\n"), "{}", shown("ada"));
    assert!(shown("bo").contains("\nsecond factor  -\n"), "{}", shown("bo"));
    let object = |user: &str| -> Value {
        serde_json::from_str(&stdout(&folder.run(&["user", "show", user, "--json"], &[]))).unwrap()
    };
    let fields = |user: &str| object(user)["mfaMethods"].to_string() + &object(user)["recoveryCodesLeft"].to_string();
    assert_eq!([fields("ada"), fields("bo")], [r#"["TOTP","RECOVERY_CODE"]2"#, "[]null"]);
}

#[test]
fn list_has_users_with_or_without_a_second_factor() {
    let folder = people("list_mfa");
    enroll(&folder);
    for (argument, expected) in [("--has-mfa", ["ada"]), ("--no-mfa", ["bo"])] {
        let list = stdout(&folder.run(&["user", "list", argument], &[]));
        let names = list.lines().skip(1).filter_map(|line| line.split_whitespace().next());
        assert_eq!(names.collect::<Vec<_>>(), expected, "{argument}");
    }
    assert_fails(&folder.run(&["user", "list", "--has-mfa", "--no-mfa"], &[]), 2, "cannot be used with");
}

#[test]
fn key_show_counts_secrets_that_another_key_sealed() {
    let folder = people("key_show_mfa");
    let note = || stderr(&folder.run(&["key", "show"], &[]));
    assert!(note().contains("sealed with another SECRET_KEY: 0\n"), "{}", note());
    enroll(&folder);
    assert!(note().contains("sealed with another SECRET_KEY: 1; start the server once with"), "{}", note());
}

#[test]
fn key_show_prints_the_keys_without_a_database() {
    let folder = Folder::new("key_show_no_db");
    let output = folder.run(&["key", "show"], &[("DATABASE_URL", "sqlite://none.db")]);
    assert!(stdout(&output).trim().ends_with("  HS256  signs"));
    let note = stderr(&output);
    assert!(note.contains("SECRET_KEY were not counted: ") && note.contains("does not exist"), "{note}");
    assert!(!folder.0.join("none.db").exists());
}
