//! `hallpass user list` with criteria.

use std::{collections::BTreeSet, fs};

use super::{Folder, stderr, users::stdout};

const HASH: &str = "$2b$04$DxDNUd7wpVTwsZfGb5CqwuZhVbFtlVWFDS7xb25wIVeKhcK3WIXMG";

/// A folder with a database of users whose accounts have a past.
fn people(name: &str) -> Folder {
    let folder = Folder::new(name);
    assert!(folder.run(&["migrate"], &[]).status.success());
    let lines = [
        ("ada", "Ada Lovelace", "ada@example.org", "true", "true", "admin", "2020-01-01", "2024-05-05"),
        ("bo", "Bo Diddley", "bo@example.org", "false", "true", "user", "2021-01-01", "2025-05-05"),
        ("carl", "Carl Ada", "carl@example.com", "true", "false", "user", "2022-01-01", ""),
    ];
    let lines = lines.map(|(username, name, email, verified, active, roles, created, login)| {
        let time = |date: &str| if date.is_empty() { String::new() } else { format!("{date}T00:00:00Z") };
        let (created, login) = (time(created), time(login));
        format!("{username},{HASH},{name},{email},{verified},{active},{roles},{created},{login}\n")
    });
    let columns = "username,hashed_password,full_name,email,email_verified,is_active,roles,created_at,last_login\n";
    fs::write(folder.0.join("people.csv"), columns.to_owned() + &lines.concat()).unwrap();
    assert_eq!(stdout(&folder.run(&["user", "import", "people.csv"], &[])), "3 imported, 0 already there, 0 refused\n");
    folder
}

/// Imports so many users.
pub(super) fn import_users(folder: &Folder, count: usize) {
    let lines: Vec<String> = (0..count).map(|number| format!("user{number},{HASH}")).collect();
    fs::write(folder.0.join("people.csv"), format!("username,hashed_password\n{}\n", lines.join("\n"))).unwrap();
    let imported = format!("{count} imported, 0 already there, 0 refused\n");
    assert_eq!(stdout(&folder.run(&["user", "import", "people.csv"], &[])), imported);
}

/// The usernames that a command lists.
fn usernames(folder: &Folder, arguments: &[&str]) -> Vec<String> {
    let output = stdout(&folder.run(&[&["user", "list"], arguments].concat(), &[]));
    output.lines().skip(1).filter_map(|line| line.split_whitespace().next().map(ToOwned::to_owned)).collect()
}

#[test]
fn list_has_the_users_that_meet_a_criterion() {
    let folder = people("list_filter");
    for (arguments, expected) in [
        (&["--search", "ADA"][..], &["carl", "ada"][..]),
        (&["--search", "example.org lov"], &["ada"]),
        (&["--role", "user"], &["carl", "bo"]),
        (&["--role", "editor"], &[]),
        (&["--active"], &["bo", "ada"]),
        (&["--disabled"], &["carl"]),
        (&["--verified"], &["carl", "ada"]),
        (&["--unverified"], &["bo"]),
        (&["--created-after", "2021-01-01"], &["carl", "bo"]),
        (&["--created-before", "2021-01-01"], &["ada"]),
        (&["--inactive-since", "2025-01-01T00:00:00Z"], &["carl", "ada"]),
        (&["--inactive-since", "1d"], &["carl", "bo", "ada"]),
        (&["--created-after", "1d"], &[]),
    ] {
        assert_eq!(usernames(&folder, arguments), expected, "{arguments:?}");
    }
}

#[test]
fn list_has_the_users_that_meet_all_criteria() {
    let folder = people("list_all_criteria");
    assert_eq!(usernames(&folder, &["--verified", "--role", "user", "--search", "example"]), ["carl"]);
    assert_eq!(usernames(&folder, &["--verified", "--role", "user", "--active"]), [""; 0]);
}

#[test]
fn list_is_sorted_by_username_without_criteria_and_newest_first_with_criteria() {
    let folder = people("list_order");
    assert_eq!(usernames(&folder, &[]), ["ada", "bo", "carl"]);
    assert_eq!(usernames(&folder, &["--created-before", "2026-01-01"]), ["carl", "bo", "ada"]);
}

#[test]
fn list_prints_all_pages() {
    let folder = Folder::new("list_pages");
    assert!(folder.run(&["migrate"], &[]).status.success());
    // A page has 500 users.
    import_users(&folder, 1001);
    for arguments in [&[][..], &["--active"]] {
        let listed = usernames(&folder, arguments);
        assert_eq!(listed.len(), 1001, "{arguments:?}");
        assert_eq!(listed.iter().collect::<BTreeSet<_>>().len(), 1001, "{arguments:?}");
    }
}

#[test]
fn contradictory_or_unreadable_criteria_are_usage_errors() {
    let folder = Folder::new("list_usage");
    for arguments in [
        &["--active", "--disabled"][..],
        &["--verified", "--unverified"],
        &["--inactive-since", "yesterday"],
        &["--created-after", "30"],
    ] {
        let output = folder.run(&[&["user", "list"], arguments].concat(), &[]);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn long_search_is_a_usage_error() {
    let folder = people("list_search");
    let refused = folder.run(&["user", "list", "--search", &"a ".repeat(101)], &[]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("expected at most 200 characters"), "{}", stderr(&refused));
}
