//! `hallpass user import` and `export`.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    process::{Output, Stdio},
    time::Instant,
};

use super::{FAST, Folder, LOGIN, PATIENCE, Server, assert_fails, error_text, stderr};

/// Hashes of `correct horse` by bcrypt, passlib and argon2-cffi, each at a low cost.
const HASHES: [&str; 3] = [
    "$2b$04$DxDNUd7wpVTwsZfGb5CqwuZhVbFtlVWFDS7xb25wIVeKhcK3WIXMG",
    "$pbkdf2-sha256$1000$1BqDMGZszTmH8F7rHaMUgg$G6lP4nSslh7S8z7IWqODa0ZUW63602o1asittfbdeik",
    "$argon2id$v=19$m=64,t=1,p=1$DPx3YKLgdCboKD1Zt+3Dnw$Lq9DrscUU4PN3jfy0ThQTFzQ3o3eWSvNW6U/5nrm+Y0",
];

/// Two accounts at providers, oldest first, as an export writes them.
const IDENTITIES: &str = concat!(
    r#"[{"provider":"google","issuer":"https://accounts.google.com","subject":"1234","email":"bo@example.org","#,
    r#""linked_at":"2025-08-01T12:00:00.000000Z","last_used_at":"2025-09-01T12:00:00.000000Z"},"#,
    r#"{"provider":"acme","issuer":"https://id.example.org","subject":"bo, \"the\" first","#,
    r#""linked_at":"2025-08-02T12:00:00.000000Z"}]"#
);

fn migrated(name: &str) -> Folder {
    let folder = Folder::new(name);
    assert!(folder.run(&["migrate"], &[]).status.success());
    folder
}

fn stdout(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn listed_users(folder: &Folder) -> String {
    stdout(&folder.run(&["user", "list", "--json"], &[]))
}

/// Runs a command with this standard input.
fn pipe(folder: &Folder, arguments: &[&str], input: &[u8]) -> Output {
    let mut command = folder.hallpass(arguments, &[]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

/// One user from each supported system.
#[test]
fn imported_users_log_in_with_their_old_passwords() {
    let folder = migrated("old_passwords");
    let [bcrypt, pbkdf2, argon2] = HASHES;
    fs::write(
        folder.0.join("a.jsonl"),
        format!(
            "{{\"username\": \"johndoe\", \"full_name\": \"John Doe\", \"email\": \"johndoe@example.com\", \
             \"hashed_password\": \"{pbkdf2}\", \"disabled\": false}}\n"
        ),
    )
    .unwrap();
    fs::write(
        folder.0.join("b.csv"),
        format!(
            "id,email,username,hashed_password,is_active,first_name,last_name,created_at,updated_at,last_login\r\n\
             1,ada@example.org,ada,{bcrypt},True,Ada,\"King, Countess\",2025-08-01 12:00:00.123456+00,,\r\n"
        ),
    )
    .unwrap();
    fs::write(folder.0.join("c.jsonl"), format!("{{\"id\":7,\"username\":\"bo\",\"hashed_password\":\"{argon2}\"}}"))
        .unwrap();
    for file in ["a.jsonl", "b.csv", "c.jsonl"] {
        let output = folder.run(&["user", "import", file], &[]);
        assert_eq!(stdout(&output), "1 imported, 0 already there, 0 refused\n", "{file}");
        assert_eq!(error_text(&output), "", "{file}");
    }
    let server = Server::start(&folder, &[FAST]);
    for (username, me) in [
        ("johndoe", r#""firstName":"John","lastName":"Doe""#),
        ("ada", r#""firstName":"Ada","lastName":"King, Countess""#),
        ("bo", r#""firstName":null,"lastName":null"#),
    ] {
        let answer = server.graphql(
            &LOGIN
                .replace("\\\"ada\\\"", &format!("\\\"{username}\\\""))
                .replace("accessToken", "user { firstName lastName }"),
        );
        assert!(answer.contains(me), "{username}: {answer}");
    }
    // The login has replaced each hash.
    let exported = stdout(&folder.run(&["user", "export", "--with-hashes"], &[]));
    assert_eq!(exported.matches(r#""hashed_password":"$bcrypt-sha256$v=2,t=2b,r=10$"#).count(), 3, "{exported}");
}

#[test]
fn dry_run_reports_rejections_and_writes_nothing() {
    let folder = migrated("dry_run");
    let hash = HASHES[0];
    let people = format!(
        "{{\"username\": \"ada\", \"hashed_password\": \"{hash}\", \"phone\": \"555\"}}\n\
         \n\
         {{\"username\": \"a da\", \"hashed_password\": \"hunter2hunter2\", \"is_active\": \"maybe\"}}\n\
         no json, but hunter2\n\
         [\"hunter2\"]\n\
         {{\"username\": \"ADA\", \"hashed_password\": \"{}\"}}\n\
         {{\"username\": \"bo\", \"hashed_password\": \"{hash}\", \"roles\": [\"admin\"]}}\n",
        HASHES[1]
    );
    fs::write(folder.0.join("people.jsonl"), &people).unwrap();
    let dry = folder.run(&["user", "import", "--dry-run", "people.jsonl"], &[]);
    assert_eq!(
        String::from_utf8(dry.stdout.clone()).unwrap(),
        "2 would be imported, 0 already there, 4 would be refused\n"
    );
    assert_fails(
        &dry,
        1,
        "line 3: username: Use only letters (A-Z), digits, underscores and hyphens, and do not start with a hyphen.\nline 3: hashed_password: Unsupported hash",
    );
    assert_eq!(listed_users(&folder), "");
    let real = folder.run(&["user", "import", "people.jsonl"], &[]);
    assert_eq!(String::from_utf8(real.stdout.clone()).unwrap(), "2 imported, 0 already there, 4 refused\n");
    assert_fails(&real, 1, "some users were not imported");
    let lines = |output: &Output| {
        error_text(output)
            .lines()
            .filter(|line| !line.starts_with("hallpass"))
            .map(ToOwned::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(lines(&dry), lines(&real));
    assert_eq!(
        lines(&real)[3..],
        [
            "line 4: line: The line is not a JSON object.",
            "line 5: line: The line is not a JSON object.",
            "line 6: username: This username is taken. Choose another.",
            "ignored columns: phone",
        ]
    );
    for output in [&dry, &real] {
        assert!(!stderr(output).contains("hunter2") && !stderr(output).contains("maybe"), "{}", stderr(output));
        assert!(HASHES.iter().all(|hash| !stderr(output).contains(hash)), "{}", stderr(output));
    }
    assert_eq!(listed_users(&folder).lines().count(), 2);
}

#[test]
fn malformed_csv_rows_are_rejected_individually() {
    let folder = migrated("broken_csv");
    let hash = HASHES[0];
    let mut people = format!("username,hashed_password,roles\nada,{hash},user\nbo,{hash}\n").into_bytes();
    people.extend(b"\xff\xfe,x,\n");
    people.extend(format!("\"cy\",\"{hash}\",\"admin,user\"\ndee,{hash},\n").bytes());
    let output = pipe(&folder, &["user", "import", "-", "--format", "csv"], &people);
    assert_fails(
        &output,
        1,
        "line 3: line: The line does not have as many values as the header.\nline 4: line: The line is not UTF-8.\n",
    );
    assert_eq!(String::from_utf8(output.stdout.clone()).unwrap(), "3 imported, 0 already there, 2 refused\n");
    let roles: Vec<String> = listed_users(&folder)
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["roles"].to_string())
        .collect();
    assert_eq!(roles, [r#"["user"]"#, r#"["admin","user"]"#, "[]"]);

    let output = pipe(&folder, &["user", "import", "-", "--format", "csv"], b"name,password\nada,x\n");
    assert_fails(&output, 1, "nothing was imported: there is no column `username`");
}

#[test]
fn killed_import_resumes() {
    let folder = migrated("killed_import");
    let line = |number| format!("{{\"username\":\"user{number}\",\"hashed_password\":\"{}\"}}\n", HASHES[0]);
    let lines = (0..2500).map(line).collect::<Vec<_>>().concat();
    let mut command = folder.hallpass(&["user", "import"], &[]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    // The process waits for more input after these.
    let mut input = child.stdin.take().unwrap();
    input.write_all(lines.as_bytes()).unwrap();
    input.flush().unwrap();
    let end = Instant::now() + PATIENCE;
    while listed_users(&folder).is_empty() {
        assert!(Instant::now() < end, "no user was imported in time");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    drop(input);
    let imported = listed_users(&folder).lines().count();
    assert!((1000..2500).contains(&imported), "{imported}");

    fs::write(folder.0.join("people.jsonl"), &lines).unwrap();
    let again = stdout(&folder.run(&["user", "import", "people.jsonl"], &[]));
    assert_eq!(again, format!("{} imported, {imported} already there, 0 refused\n", 2500 - imported));
    assert_eq!(listed_users(&folder).lines().count(), 2500);
}

#[test]
fn export_and_import_preserve_all_responses() {
    let folder = migrated("export");
    let people = format!(
        "{{\"username\":\"Ada\",\"email\":\"ada@пример.рф\",\"first_name\":\"Áda, \\\"the\\\" first's\",\"last_name\":\"=1+1\",\
         \"hashed_password\":\"{0}\",\"roles\":[\"user\",\"admin\"],\"created_at\":\"2025-01-01T00:00:00.000001\",\
         \"updated_at\":\"2025-01-02 00:00:00\",\"last_login\":\"2025-01-03 00:00:00.999999+02\",\
         \"email_verified_at\":\"2025-01-04T00:00:00Z\",\"pending_email\":\"ada@new.example\"}}\n\
         {{\"username\":\"bo\",\"hashed_password\":\"{0}\",\"roles\":[],\"disabled\":true,\"has_password\":false,\
         \"identities\":{IDENTITIES}}}\n",
        HASHES[0]
    );
    let imported = pipe(&folder, &["user", "import"], people.as_bytes());
    assert_eq!(stdout(&imported), "2 imported, 0 already there, 0 refused\n");
    let server = Server::start(&folder, &[FAST]);
    assert!(server.graphql(LOGIN).contains("accessToken"));
    let before = listed_users(&folder);

    for file in ["people.jsonl", "people.csv"] {
        let arguments = ["user", "export", "--with-hashes", "--output", file];
        assert_eq!(stdout(&folder.run(&arguments, &[])), "");
        let path = folder.0.join(file);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_fails(&folder.run(&arguments, &[]), 1, &format!("{file} cannot be created: "));
        let elsewhere = migrated(&format!("export_{file}"));
        let exported = fs::read(&path).unwrap();
        assert!(String::from_utf8_lossy(&exported).contains("$bcrypt-sha256$"));
        let format = if file.contains("csv") { "csv" } else { "jsonl" };
        let output = pipe(&elsewhere, &["user", "import", "--format", format], &exported);
        assert_eq!(
            (stdout(&output).as_str(), error_text(&output).as_str()),
            ("2 imported, 0 already there, 0 refused\n", "")
        );
        assert_eq!(listed_users(&elsewhere), before, "{file}");
        let again = stdout(&elsewhere.run(&["user", "export", "--with-hashes", "--format", format], &[]));
        assert_eq!(again.as_bytes(), exported, "{file}");
        assert!(Server::start(&elsewhere, &[FAST]).graphql(LOGIN).contains("accessToken"), "{file}");
    }
    assert!(
        fs::read_dir(&folder.0).unwrap().all(|file| !file.unwrap().file_name().to_string_lossy().contains("draft"))
    );
    let without = stdout(&folder.run(&["user", "export"], &[]));
    let with = fs::read_to_string(folder.0.join("people.jsonl")).unwrap();
    assert_eq!(without.lines().count(), 2);
    assert!(!without.contains('$') && !without.contains("hash"), "{without}");
    assert_eq!(with.split(",\"hashed_password\"").next(), without.lines().next().unwrap().strip_suffix('}'));
}

#[test]
fn show_prints_identities() {
    let folder = migrated("identities");
    let bo = format!(r#"{{"username":"bo","hashed_password":"{}","identities":{IDENTITIES}}}"#, HASHES[0]);
    stdout(&pipe(&folder, &["user", "import"], bo.as_bytes()));
    let shown = stdout(&folder.run(&["user", "show", "bo"], &[]));
    let expected = "\nidentities     2\n  google, bo@example.org: linked 2025-08-01T12:00:00Z, last used 2025-09-01T12:00:00Z\n  \
                    acme, -: linked 2025-08-02T12:00:00Z, last used -\nsessions       0\n";
    assert!(shown.contains(expected), "{shown}");
    let object = stdout(&folder.run(&["user", "show", "bo", "--json"], &[]));
    let object: serde_json::Value = serde_json::from_str(&object).unwrap();
    let expected = serde_json::json!({
        "id": object["identities"][0]["id"], "provider": { "id": "google" }, "email": "bo@example.org",
        "linkedAt": "2025-08-01T12:00:00.000Z", "lastUsedAt": "2025-09-01T12:00:00.000Z",
    });
    assert_eq!(object["identities"][0], expected);
    assert_eq!(object["identities"][1]["lastUsedAt"], serde_json::Value::Null);
    // They can be unlinked.
    let unlinked = stdout(&folder.run(&["user", "unlink-identities", "bo"], &[]));
    assert_eq!(unlinked, "providers of bo that were unlinked: 2; sessions that were ended: 0\n");
    let again = folder.run(&["user", "unlink-identities", "bo"], &[]);
    assert_fails(&again, 1, "bo has no linked provider; nothing was changed");
}

#[test]
fn unreadable_input_is_reported() {
    let folder = migrated("unreadable");
    let fails = |arguments: &[&str], expected: &str| {
        let arguments: Vec<&str> = ["user", "import"].into_iter().chain(arguments.iter().copied()).collect();
        assert_fails(&folder.run(&arguments, &[]), 1, expected);
    };
    fails(&["nobody.jsonl"], "nobody.jsonl can't be read: ");
    fails(&["."], ". can't be read: ");
    fails(&["--from", "sqlalchemy", "sqlite:///./nobody.db"], "the database to import from can't be read: ");
    fails(&["--from", "sqlalchemy", "sqlite:///./hallpass.db", "--table", "nobody"], "it has no table \"nobody\"");
    fails(&["--from", "sqlalchemy", "sqlite:///./hallpass.db", "--table", "sessions"], "there is no column `username`");
    fails(&["--from", "sqlalchemy", "mysql://root:hunter2@127.0.0.1/x"], "only SQLite and PostgreSQL can be read");
    fails(&["--from", "sqlalchemy", "hunter2"], "--from: expected a URL such as ");
    fails(&["--from", "django", "nobody.json"], "nobody.json can't be read: ");
    fails(&["--from", "auth0", "hallpass.db", "--passwords", "nobody.json"], "nobody.json can't be read: ");
    fails(&["--from", "firebase", "hallpass.db", "--hash-config", "hallpass.db"], "hallpass.db");
    assert!(!folder.0.join("nobody.db").exists());
    for wrong in [
        ["--from", "joomla", "users.json"].as_slice(),
        &["--from", "django", "users.json", "--table", "x"],
        &["--from", "django", "users.json", "--passwords", "x"],
        &["--from", "auth0", "users.json", "--hash-config", "x"],
        &["--from", "sqlalchemy", "sqlite:///./x.db", "--format", "csv"],
        &["--from", "sqlalchemy"],
        &["people.csv", "--from", "sqlalchemy", "sqlite:///./x.db"],
        &["people.csv", "--table", "users"],
        &["people.csv", "--format", "xml"],
    ] {
        let arguments: Vec<&str> = ["user", "import"].into_iter().chain(wrong.iter().copied()).collect();
        assert_eq!(folder.run(&arguments, &[]).status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn csv_may_have_semicolons_and_names_in_any_case() {
    let folder = migrated("semicolons");
    let hash = HASHES[0];
    for (number, (header, separator)) in [
        ("\u{feff}UserName;Hashed_Password;First Name;Roles", ';'),
        ("USERNAME\tHASHED_PASSWORD\tFIRST_NAME\tROLES", '\t'),
        ("\"Username\",\"hashed_password\",\"First;Name;;;\",\"roles\"", ','),
    ]
    .into_iter()
    .enumerate()
    {
        let line = format!("ada{number};{hash};Ada, the first;user").replace(';', &separator.to_string());
        let line = line.replace("Ada, the", "\"Ada, the\"").replace("\"Ada, the\" first", "\"Ada, the first\"");
        let output =
            pipe(&folder, &["user", "import", "--format", "csv"], format!("{header}\r\n{line}\r\n").as_bytes());
        assert_eq!(stdout(&output), "1 imported, 0 already there, 0 refused\n", "{header}");
    }
    let names: Vec<String> = listed_users(&folder)
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["firstName"].to_string())
        .collect();
    assert_eq!(names, [r#""Ada, the first""#, r#""Ada, the first""#, "null"]);
}

/// The most memory that a process has used, in KiB.
fn peak_memory(id: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok())
}

/// Imports lines with a long one in the middle, and returns the output and the memory.
fn import_with_long_line(folder: &Folder, format: &str, [before, after]: [&[u8]; 2]) -> (Output, u64) {
    let megabytes =
        std::env::var_os("IMPORT_LINE_MEGABYTES").map_or(64, |text| text.into_string().unwrap().parse().unwrap());
    let mut command = folder.hallpass(&["user", "import", "--format", format], &[]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(before).unwrap();
    let megabyte = vec![b'x'; 1024 * 1024];
    for _ in 0..megabytes {
        input.write_all(&megabyte).unwrap();
    }
    input.write_all(after).unwrap();
    input.flush().unwrap();
    let memory = peak_memory(child.id()).unwrap();
    drop(input);
    (child.wait_with_output().unwrap(), memory)
}

#[test]
fn long_line_is_refused_with_bounded_memory() {
    let folder = migrated("long_line");
    let hash = HASHES[0];
    let json = |name| format!("{{\"username\":\"{name}\",\"hashed_password\":\"{hash}\"}}\n").into_bytes();
    let csv = |name| format!("{name},{hash}\n").into_bytes();
    let header = [b"username,hashed_password\n".to_vec(), csv("cy")].concat();
    for (format, before, after, number) in [
        ("jsonl", json("ada"), [b"\n".to_vec(), json("bo")].concat(), 2),
        ("csv", header, [b"\n".to_vec(), csv("dee")].concat(), 3),
    ] {
        let (output, memory) = import_with_long_line(&folder, format, [&before, &after]);
        assert_eq!(String::from_utf8_lossy(&output.stdout), "2 imported, 0 already there, 1 refused\n", "{format}");
        assert_fails(&output, 1, &format!("line {number}: line: The line is longer than 1 MiB.\n"));
        // In CI, the line has 64 MiB, which is more than this.
        assert!(memory < 60 * 1024, "{format}: {memory} KiB");
    }
}

#[test]
fn deep_json_and_wrong_encodings_are_refused_line_by_line() {
    let folder = migrated("hostile");
    let line = |name: &str| format!("{{\"username\":\"{name}\",\"hashed_password\":\"{}\"}}\n", HASHES[0]);
    let mut people = line("ada").into_bytes();
    people.extend(format!("{{\"a\":{}\n", "[".repeat(500_000)).bytes());
    people.extend(format!("{{\"a\":{}{}}}\n", "[".repeat(400_000), "]".repeat(400_000)).bytes());
    people.extend(b"{\"username\":\"\xe9\"}\n");
    people.extend(line("x").encode_utf16().flat_map(u16::to_le_bytes));
    people.extend(b"\n");
    people.extend(line("bo").bytes());
    let output = pipe(&folder, &["user", "import"], &people);
    let malformed = "The line is not a JSON object.";
    let encoding = "The line is not UTF-8.";
    let expected = format!(
        "line 2: line: {malformed}\nline 3: line: {malformed}\nline 4: line: {encoding}\nline 5: line: {encoding}\nline 6: line: {encoding}\n"
    );
    assert_fails(&output, 1, &expected);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "2 imported, 0 already there, 5 refused\n");

    let utf16: Vec<u8> = "\u{feff}username,hashed_password\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let output = pipe(&folder, &["user", "import", "--format", "csv"], &utf16);
    assert_fails(&output, 1, "nothing was imported: the first line must be in UTF-8 and name the columns");
}
