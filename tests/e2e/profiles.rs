//! `hallpass user import --from` with exports of other systems. `clients/profiles.mjs` imports those of their own libraries.

use std::{fs, process::Output};

use super::{FAST, Folder, LOGIN, Server, assert_fails, error_text};

/// The hash of `correct horse`.
const HASH: &str = "$2b$04$DxDNUd7wpVTwsZfGb5CqwuZhVbFtlVWFDS7xb25wIVeKhcK3WIXMG";

fn migrated(name: &str) -> Folder {
    let folder = Folder::new(name);
    assert!(folder.run(&["migrate"], &[]).status.success());
    folder
}

/// Imports a file of a system.
fn import(folder: &Folder, system: &str, name: &str, text: impl AsRef<[u8]>) -> Output {
    fs::write(folder.0.join(name), text).unwrap();
    folder.run(&["user", "import", "--from", system, name], &[])
}

fn summary(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn users(folder: &Folder) -> Vec<serde_json::Value> {
    let output = folder.run(&["user", "list", "--json"], &[]);
    summary(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn array_of_users_may_be_the_file_or_a_member() {
    let folder = migrated("profile_shapes");
    let user = |name: &str| format!("{{\"email\": \"{name}@example.org\", \"encrypted_password\": \"{HASH}\"}}");
    let lines = format!("{}\n{}\n", user("a1"), user("a2"));
    assert_eq!(summary(&import(&folder, "supabase", "a.jsonl", lines)), "2 imported, 0 already there, 0 refused\n");
    let array = format!("\u{feff} [\n{},{}\n]\n", user("b1"), user("b2"));
    assert_eq!(summary(&import(&folder, "supabase", "b.json", array)), "2 imported, 0 already there, 0 refused\n");
    let csv = format!("Email;Encrypted_Password\nc1@example.org;{HASH}\n");
    assert_eq!(summary(&import(&folder, "supabase", "c.csv", csv)), "1 imported, 0 already there, 0 refused\n");
    let user = |name: &str| format!("{{\"email\": \"{name}@example.org\", \"password\": \"{HASH}\"}}");
    let response =
        format!("{{\"data\":{{\"_users\":{{\"pagination\":{{\"x\":[1,\"]\"]}},\"users\":[{}]}}}}}}", user("d1"));
    assert_eq!(summary(&import(&folder, "authorizer", "d.json", response)), "1 imported, 0 already there, 0 refused\n");
    assert_eq!(users(&folder).len(), 6);
    assert!(users(&folder).iter().all(|user| user["emailVerified"] != true));
}

#[test]
fn hostile_arrays_are_refused_user_by_user() {
    let folder = migrated("profile_hostile");
    let user = |name: &str| format!("{{\"email\": \"{name}@example.org\", \"password\": \"{HASH}\"}}");
    let mut text = format!("{{\"realm\": \"x\", \"users\": [{},", user("a")).into_bytes();
    text.extend(format!("{{\"a\":{}{}}},", "[".repeat(300_000), "]".repeat(300_000)).bytes());
    text.extend(format!("{{\"a\":\"{}\"}},", "x".repeat(3 * 1024 * 1024)).bytes());
    text.extend(b"{\"email\":\"\xff\"}, 17, null, \"a\\\"]}\", [[]],");
    text.extend(user("b").bytes());
    text.extend(b"]}");
    let output = import(&folder, "authorizer", "users.json", &text);
    assert_eq!(summary(&output), "2 imported, 0 already there, 7 refused\n");
    let malformed = "user: The element is not a JSON object in UTF-8.";
    assert_fails(
        &output,
        1,
        &format!("user 2: {malformed}\nuser 3: user: The element is longer than 1 MiB.\nuser 4: {malformed}\n"),
    );
    for (text, expected) in [
        ("[{}", "the file ends in the middle of the JSON"),
        ("[{}:1]", "the JSON is malformed"),
        ("[}", "the JSON is malformed"),
        ("{\"users\": {}}", "the file is not a JSON array"),
        ("{\"users\" []}", "the file is not a JSON array"),
        ("", "the file is not a JSON array"),
        ("x", "the file is not a JSON array"),
        ("{\"a\": [", "the file ends in the middle of the JSON"),
    ] {
        assert_fails(&import(&folder, "keycloak", "users.json", text), 1, expected);
    }
}

#[test]
fn what_does_not_come_along_is_counted() {
    let folder = migrated("profile_notes");
    let text = format!(
        "[{{\"model\":\"auth.group\",\"pk\":1,\"fields\":{{\"name\":\"x\"}}}},\
         {{\"model\":\"auth.user\",\"pk\":1,\"fields\":{{\"username\":\"ada\",\"password\":\"{HASH}\",\"is_superuser\":true,\"groups\":[1]}}}},\
         {{\"model\":\"auth.user\",\"pk\":2,\"fields\":{{\"username\":\"bo\",\"password\":\"!x\",\"groups\":[]}}}}]"
    );
    let output = import(&folder, "django", "users.json", text);
    assert_eq!(summary(&output), "2 imported, 0 already there, 0 refused\n");
    let expected = "does not come along: rows of the model \"auth.group\": 1\n\
                    does not come along: superusers, who need a role here: 1\n\
                    does not come along: users with groups: 1\n\
                    does not come along: users without a password, who get a link to set one when they try to sign in: 1\n";
    assert_eq!(error_text(&output), expected);
    let roles: Vec<String> = users(&folder).iter().map(|user| user["roles"].to_string()).collect();
    assert_eq!(roles, [r#"["user"]"#, r#"["user"]"#]);
    assert!(Server::start(&folder, &[FAST]).graphql(LOGIN).contains("accessToken"));
}

#[test]
fn hashes_of_firebase_need_the_parameters_of_the_project() {
    let folder = migrated("profile_firebase");
    let text = r#"{"users": [{"localId": "1", "email": "ada@example.org", "passwordHash": "AAAA", "salt": "AAAA"}]}"#;
    let output = import(&folder, "firebase", "users.json", text);
    assert_fails(
        &output,
        1,
        "user 1: passwordHash: Name a file with the hash parameters of the project: --hash-config FILE.\n",
    );
    fs::write(folder.0.join("hash.txt"), "rounds: 8").unwrap();
    let output = folder.run(&["user", "import", "--from", "firebase", "users.json", "--hash-config", "hash.txt"], &[]);
    assert_fails(&output, 1, "hash.txt: expected base64_signer_key, base64_salt_separator, rounds and mem_cost");
    let key = "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==";
    fs::write(
        folder.0.join("hash.txt"),
        format!(
            "{{\"base64_signer_key\": \"{key}\", \"base64_salt_separator\": \"Bw==\", \"rounds\": 8, \"mem_cost\": 14}}"
        ),
    )
    .unwrap();
    let output = folder.run(&["user", "import", "--from", "firebase", "users.json", "--hash-config", "hash.txt"], &[]);
    assert_fails(&output, 1, "user 1: passwordHash: Expected a hash and a salt of this project in Base64.\n");
}
