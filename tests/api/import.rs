//! Import of users from other systems, with their password hashes.

use chrono::{DateTime, TimeDelta, Utc};
use hallpass::{
    domain::users::{
        administration::{self, Administrator},
        import::{self, Batch, BatchResult, Column, Known, Line, Record, RecordError},
    },
    entity::{
        audit_event::{self, Action},
        identity,
        user::{self, Model},
    },
};
use sea_orm::{EntityTrait, QueryOrder};
use serde_json::{Value, json};

use crate::support::{
    TestServer, password_of,
    provider::{ada, sign_in, with_provider},
};

/// Hashes by passlib and argon2-cffi of the password of `ada`, each at the lowest cost.
const HASHES: [&str; 4] = [
    "$2b$04$eh3ITwW/WKnMOKeJZmCDl.fBY/jQPDrkzK5YztL5DLJFojEPaSi5m",
    "$pbkdf2-sha256$1000$JUQI4XyvFSLEGAMgpFRKSQ$sw8Ye8tNXNiQ4q2s9mK9X82IUbBY5Z6H00XOv4QR2AI",
    "$argon2id$v=19$m=64,t=1,p=1$tXhgvz0OqVok94Uo+pm2+A$Oge8XnKOXM6IWGKJ/Fg47smsQHkoo9tpUsIl6Im/ow4",
    "$bcrypt-sha256$v=2,t=2b,r=4$5x5LJ1Ttcl/nmMipFLH5au$Jlgu2J3yPbElLnlyVL48BZzgSUoCARG",
];
const HASH: &str = HASHES[0];

/// A record with the password of `ada`.
fn record(columns: &[(&str, &str)]) -> Record {
    let mut record = Record::default();
    record.set(Column::PasswordHash, HASH.to_owned());
    for (name, text) in columns {
        record.set(Column::named(name).unwrap(), (*text).to_owned());
    }
    record
}

/// Numbers the records from line 1.
fn lines(records: impl IntoIterator<Item = Record>) -> Vec<Line> {
    (1..).zip(records.into_iter().map(Ok)).collect()
}

fn named(usernames: &[&str]) -> Vec<Line> {
    lines(usernames.iter().map(|username| record(&[("username", username)])))
}

async fn import(server: &TestServer, lines: Vec<Line>) -> BatchResult {
    let batch = Batch::parse(&server.command_line(), lines).unwrap();
    import::import(&server.command_line(), &Administrator::at_command_line(), batch).await.unwrap()
}

async fn dry_run(server: &TestServer, before: &mut Known, lines: Vec<Line>) -> BatchResult {
    let batch = Batch::parse(&server.command_line(), lines).unwrap();
    import::dry_run(&server.command_line(), &Administrator::at_command_line(), before, batch).await.unwrap()
}

/// Number of imported users, number of existing users, and the refused lines with their reasons.
fn summary(result: &BatchResult) -> (u64, u64, Vec<(u64, String)>) {
    let refused = result
        .refused
        .iter()
        .flat_map(|(line, refusals)| refusals.iter().map(|refusal| (*line, refusal.to_string())).collect::<Vec<_>>());
    (result.imported, result.already_there, refused.collect())
}

async fn users(server: &TestServer) -> Vec<Model> {
    let all = user::Entity::find().order_by_asc(user::Column::UsernameKey);
    all.all(server.app.database.read()).await.unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[tokio::test]
async fn imported_users_log_in_with_their_old_passwords() {
    let server = TestServer::start().await;
    let people = HASHES.iter().enumerate().map(|(number, hash)| {
        record(&[("username", &format!("ada{number}")), ("hashed_password", hash), ("disabled", "False")])
    });
    assert_eq!(summary(&import(&server, lines(people)).await), (4, 0, vec![]));
    for (number, hash) in HASHES.iter().enumerate() {
        let stored = async || users(&server).await[number].password_hash.export().to_owned();
        assert_eq!(stored().await, *hash);
        let login = server.anonymous().login(&format!("ada{number}"), &password_of("ada")).await;
        login.data("/login/user");
        let rehashed = stored().await;
        assert!(rehashed.starts_with("$bcrypt-sha256$"), "{hash}");
        // A hash in the format of Hallpass is kept.
        assert_eq!(rehashed == *hash, number == 3, "{hash}");
    }
}

#[tokio::test]
async fn import_keeps_all_known_fields() {
    let server = TestServer::with(|settings| settings.registration.roles.push("editor".to_owned())).await;
    let id = "0198c0de-1234-7abc-8def-0123456789ab";
    let ada = record(&[
        ("id", id),
        ("username", "Ada"),
        ("email", "Ada@Example.org"),
        ("first_name", "Ada"),
        ("last_name", "King"),
        ("full_name", "somebody else"),
        ("is_active", "1"),
        ("roles", "user,editor"),
        ("created_at", "2025-08-01 12:00:00.5"),
        ("updated_at", "2025-08-02T12:00:00+03:00"),
        ("last_login", "2025-08-03 12:00:00+00"),
        ("email_verified_at", "2025-08-01 12:00:01"),
        ("pending_email", "Ada@New.example"),
    ]);
    let bo = record(&[
        ("id", "17"),
        ("username", "bo"),
        ("full_name", "Bo van der Berg"),
        ("disabled", "true"),
        ("email_verified", "true"),
    ]);
    let cy = record(&[
        ("username", "cy"),
        ("full_name", " Cy "),
        ("is_active", "false"),
        ("roles", ""),
        ("email", "cy@example.org"),
        ("email_verified", "t"),
    ]);
    assert_eq!(summary(&import(&server, lines([ada, bo, cy])).await), (3, 0, vec![]));
    let [ada, bo, cy] = users(&server).await.try_into().unwrap();
    let now = server.app.clock.now();

    assert_eq!((ada.id.to_string().as_str(), ada.username.as_str()), (id, "Ada"));
    assert_eq!((ada.email.as_deref(), ada.email_key.as_deref()), (Some("Ada@Example.org"), Some("ada@example.org")));
    assert_eq!((ada.first_name.as_deref(), ada.last_name.as_deref()), (Some("Ada"), Some("King")));
    assert_eq!((ada.is_active, ada.roles.0), (true, vec!["editor".to_owned(), "user".to_owned()]));
    assert_eq!(ada.created_at, at("2025-08-01T12:00:00.5Z"));
    assert_eq!(ada.updated_at, at("2025-08-02T09:00:00Z"));
    assert_eq!(ada.last_login_at, Some(at("2025-08-03T12:00:00Z")));

    assert_eq!((bo.first_name.as_deref(), bo.last_name.as_deref()), (Some("Bo van der"), Some("Berg")));
    assert_eq!((bo.is_active, bo.roles.0, bo.email), (false, vec!["user".to_owned()], None));
    assert_eq!((bo.created_at, bo.updated_at, bo.last_login_at), (now, now, None));
    assert_eq!((cy.first_name.as_deref(), cy.last_name, cy.is_active, cy.roles.0), (Some("Cy"), None, false, vec![]));

    assert_eq!(ada.email_verified_at, Some(at("2025-08-01T12:00:01Z")));
    assert_eq!(
        (ada.pending_email.as_deref(), ada.pending_email_key.as_deref()),
        (Some("Ada@New.example"), Some("ada@new.example"))
    );
    // A missing address is not verified.
    assert_eq!((bo.email_verified_at, cy.email_verified_at), (None, Some(now)));

    let events = audit_event::Entity::find().all(server.app.database.read()).await.unwrap();
    assert_eq!(events.len(), 3);
    for event in events {
        assert_eq!((event.action, event.actor_id, event.at), (Action::UserCreated, None, now));
        assert!([ada.id, bo.id, cy.id].map(Some).contains(&event.user_id));
    }
}

#[tokio::test]
async fn rejected_lines_are_explained_and_do_not_block_others() {
    let server = TestServer::with(|settings| settings.registration.require_email = true).await;
    let bad = record(&[
        ("id", "x"),
        ("username", "a da"),
        ("email", "ada@"),
        ("full_name", "A\u{7}da King"),
        ("hashed_password", "hunter2hunter2"),
        ("is_active", "maybe"),
        ("disabled", "2"),
        ("roles", "user,root"),
        ("created_at", "yesterday"),
        ("updated_at", "1754049600"),
        ("last_login", "2025-08-32 00:00:00"),
        ("email_verified", "perhaps"),
        ("email_verified_at", "today"),
        ("pending_email", "nowhere"),
    ]);
    let mut nothing = Record::default();
    nothing.set(Column::Username, String::new());
    let good = record(&[("username", "ada"), ("email", "ada@example.org")]);
    let all = || {
        let mut all = lines([bad.clone(), nothing.clone(), good.clone()]);
        all.push((4, Err(RecordError::new("line", "The line is broken."))));
        all
    };
    let expected = dry_run(&server, &mut Known::default(), all()).await;
    assert_eq!(users(&server).await, []);
    let result = import(&server, all()).await;
    assert_eq!(summary(&result), summary(&expected));
    let (imported, _, refused) = summary(&result);
    assert_eq!(imported, 1);
    let columns_of = |line: u64| {
        let errors = refused.iter().filter(move |(number, _)| *number == line);
        errors.map(|(_, error)| error.split(": ").next().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(
        columns_of(1),
        [
            "id",
            "username",
            "email",
            "email_verified",
            "email_verified_at",
            "pending_email",
            "full_name",
            "hashed_password",
            "is_active",
            "disabled",
            "roles",
            "created_at",
            "updated_at",
            "last_login"
        ]
    );
    assert_eq!(columns_of(2), ["username", "email", "hashed_password"]);
    assert_eq!(refused.last().unwrap(), &(4, "line: The line is broken.".to_owned()));
    for (_, error) in &refused {
        for value in ["hunter2", "maybe", "yesterday", "root", "ada@\""] {
            assert!(!error.contains(value), "{error}");
        }
    }
    assert_eq!(users(&server).await.len(), 1);
}

#[tokio::test]
async fn first_line_gets_a_duplicate_name() {
    let server = TestServer::start().await;
    server.user("Grace").await;
    let taken = "username: This username is taken. Choose another.";
    let address = "email: Another account has this e-mail address.";
    let person = |username, email, hash| record(&[("username", username), ("email", email), ("hashed_password", hash)]);
    let all = || {
        lines([
            person("ada", "ada@example.org", HASHES[0]),
            person("GRACE", "grace@example.org", HASHES[0]),
            // The same user again, then another user with that name, and another user with that address.
            person("ada", "ada@example.org", HASHES[0]),
            person("ADA", "", HASHES[1]),
            person("bo", "ADA@example.ORG", HASHES[0]),
            // The address is free, because the line that had it was refused.
            person("cy", "grace@example.org", HASHES[0]),
        ])
    };
    let expected = (2, 1, vec![(2, taken.to_owned()), (4, taken.to_owned()), (5, address.to_owned())]);
    assert_eq!(summary(&dry_run(&server, &mut Known::default(), all()).await), expected);
    assert_eq!(summary(&import(&server, all()).await), expected);
    let names: Vec<_> = users(&server).await.into_iter().map(|user| user.username).collect();
    assert_eq!(names, ["ada", "cy", "Grace"]);
    let events = audit_event::Entity::find().all(server.app.database.read()).await.unwrap();
    assert_eq!(events.iter().filter(|event| event.action == Action::UserCreated).count(), 2);
}

#[tokio::test]
async fn dry_run_remembers_earlier_batches() {
    let server = TestServer::start().await;
    let mut before = Known::default();
    assert_eq!(summary(&dry_run(&server, &mut before, named(&["ada", "bo"])).await).0, 2);
    let again = lines([record(&[("username", "Ada")]), record(&[("username", "bo"), ("hashed_password", HASHES[1])])]);
    let (imported, already_there, refused) = summary(&dry_run(&server, &mut before, again).await);
    assert_eq!((imported, already_there, refused.len()), (0, 1, 1));
    assert_eq!(users(&server).await, []);
}

#[tokio::test]
async fn repeated_import_resumes() {
    let server = TestServer::start().await;
    let id = "0198c0de-1234-7abc-8def-0123456789ab";
    let people = || {
        lines([
            record(&[("username", "ada")]),
            record(&[("username", "bo"), ("created_at", "2025-08-01 12:00:00")]),
            record(&[("username", "cy"), ("id", id)]),
            record(&[("username", "dee")]),
        ])
    };
    assert_eq!(summary(&import(&server, people().into_iter().take(3).collect()).await), (3, 0, vec![]));
    // A sign-in in between replaces the hash.
    server.clock.advance(TimeDelta::minutes(1));
    for username in ["bo", "cy"] {
        server.anonymous().login(username, &password_of("ada")).await.data("/login/user");
    }
    let before = users(&server).await;
    assert_eq!(summary(&import(&server, people()).await), (1, 3, vec![]));
    assert_eq!(users(&server).await[..3], before);
    assert_eq!(summary(&import(&server, people()).await), (0, 4, vec![]));

    // An id that is taken is refused.
    let other = lines([record(&[("username", "eve"), ("id", id)])]);
    let (_, _, refused) = summary(&import(&server, other).await);
    assert_eq!(refused, [(1, "id: Another account has this id.".to_owned())]);
}

#[tokio::test]
async fn concurrent_imports_create_each_user_once() {
    let server = TestServer::start().await;
    let other = TestServer::on(std::sync::Arc::clone(&server.database), |_| {}).await;
    let names: Vec<String> = (0..50).map(|number| format!("user{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (one, two) = tokio::join!(import(&server, named(&names)), import(&other, named(&names)));
    assert_eq!((one.imported + two.imported, one.already_there + two.already_there), (50, 50));
    assert_eq!(users(&server).await.len(), 50);
}

#[tokio::test]
async fn export_round_trips() {
    let server = TestServer::start().await;
    for username in ["ada", "bo", "cy", "dee", "eve"] {
        server.user(username).await;
        server.clock.advance(TimeDelta::seconds(1));
    }
    let administrator = Administrator::at_command_line();
    let mut exported: Vec<Model> = Vec::new();
    loop {
        let last = exported.last().map(|user| user.id);
        let page = administration::export(&server.command_line(), &administrator, last, 2).await.unwrap();
        assert!(page.len() <= 2);
        if page.is_empty() {
            break;
        }
        exported.extend(page);
    }
    assert_eq!(exported.len(), 5);
    let micros = |at: DateTime<Utc>| at.to_rfc3339();
    let people = exported.iter().map(|user| {
        record(&[
            ("id", &user.id.to_string()),
            ("username", &user.username),
            ("hashed_password", user.password_hash.export()),
            ("roles", &user.roles.to_string()),
            ("created_at", &micros(user.created_at)),
            ("updated_at", &micros(user.updated_at)),
            ("last_login", &micros(user.last_login_at.unwrap())),
        ])
    });
    let new = TestServer::start().await;
    assert_eq!(summary(&import(&new, lines(people)).await), (5, 0, vec![]));
    // An import does not count as a registration.
    let as_imported = |user: Model| Model { is_self_registered: false, ..user };
    let expected: Vec<Model> = users(&server).await.into_iter().map(as_imported).collect();
    assert_eq!(users(&new).await, expected);
}

#[tokio::test]
async fn full_batch_fits_into_one_statement() {
    let server = TestServer::start().await;
    let names: Vec<String> = (0..import::BATCH).map(|number| format!("user{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for (imported, already_there) in [(1000, 0), (0, 1000)] {
        assert_eq!(summary(&import(&server, named(&names)).await), (imported, already_there, vec![]));
    }
    let events = audit_event::Entity::find().all(server.app.database.read()).await.unwrap();
    assert_eq!(events.len(), 1000);
}

fn with_identities(username: &str, identities: &Value) -> Record {
    record(&[("username", username), ("identities", &identities.to_string())])
}

fn identity(subject: &str) -> Value {
    json!({ "provider": "acme", "issuer": "https://id.example.org", "subject": subject })
}

#[tokio::test]
async fn imported_identities_sign_in() {
    let (server, provider) = with_provider(|settings| settings.registration.is_enabled = false).await;
    let identities = json!([{
        "provider": "acme", "issuer": provider.issuer(), "subject": ada()["sub"], "email": "ada@old.example",
        "linked_at": "2025-08-01T12:00:00Z",
    }]);
    assert_eq!(summary(&import(&server, lines([with_identities("ada", &identities)])).await), (1, 0, vec![]));
    let [stored] = &identity::Entity::find().all(server.app.database.read()).await.unwrap()[..] else { panic!() };
    assert_eq!((stored.provider_id.as_str(), stored.email.as_deref()), ("acme", Some("ada@old.example")));
    assert_eq!((stored.linked_at, stored.last_used_at), (at("2025-08-01T12:00:00Z"), None));
    assert_eq!(sign_in(&server, &provider, ada()).await.data("/loginWithCode/user/username"), "ada");
}

#[tokio::test]
async fn identity_belongs_to_the_first_user() {
    let server = TestServer::start().await;
    let taken = |line| (line, "identities: Another account has one of these identities.".to_owned());
    let people = || {
        let both = json!([identity("b"), identity("a")]);
        lines([with_identities("ada", &json!([identity("a")])), with_identities("bo", &both)])
    };
    let result = dry_run(&server, &mut Known::default(), people()).await;
    assert_eq!(summary(&result), (1, 0, vec![taken(2)]));
    assert_eq!(summary(&import(&server, people()).await), (1, 0, vec![taken(2)]));
    // The first user was imported before, and the others of the batch are not affected.
    let others = lines([
        with_identities("ada", &json!([identity("a")])),
        with_identities("bo", &json!([identity("a")])),
        with_identities("cy", &json!([identity("c")])),
    ]);
    let result = dry_run(&server, &mut Known::default(), others.clone()).await;
    assert_eq!(summary(&result), (1, 1, vec![taken(2)]));
    assert_eq!(summary(&import(&server, others).await), (1, 1, vec![taken(2)]));
}

#[tokio::test]
async fn wrong_identities_are_refused() {
    let server = TestServer::start().await;
    let malformed = "Expected a JSON array of objects with provider, issuer and subject.";
    let value = "A value is empty, too long, or has characters that are not allowed.";
    let with = |name: &str, value: Value| {
        let mut identity = identity("a");
        identity[name] = value;
        json!([identity])
    };
    let many: Vec<Value> = (0..21).map(|number| identity(&number.to_string())).collect();
    let cases = [
        (json!({}), malformed),
        (json!(["a"]), malformed),
        (json!([{ "provider": "acme", "issuer": "https://id.example.org" }]), malformed),
        (with("subject", json!("")), value),
        (with("subject", json!("a".repeat(256))), value),
        (with("subject", json!("a\u{0}")), value),
        (with("issuer", json!("")), value),
        (with("issuer", json!("a".repeat(513))), value),
        (with("provider", json!("a".repeat(33))), value),
        (with("email", json!("a".repeat(321))), value),
        (with("linked_at", json!("soon")), "Expected a time such as 2026-01-31T12:00:00Z."),
        (json!([identity("a"), identity("a")]), "An identity is repeated."),
        (many.into(), "A user has at most 20 identities."),
    ];
    for (identities, expected) in cases {
        let result = import(&server, lines([with_identities("ada", &identities)])).await;
        assert_eq!(summary(&result), (0, 0, vec![(1, format!("identities: {expected}"))]), "{identities}");
    }
}

#[tokio::test]
async fn full_batch_of_users_with_identities_is_imported() {
    let server = TestServer::start().await;
    let users = (0..import::BATCH).map(|number| {
        let identities: Vec<Value> = (0..3).map(|other| identity(&format!("{number} {other}"))).collect();
        with_identities(&format!("user{number}"), &identities.into())
    });
    assert_eq!(summary(&import(&server, lines(users)).await), (1000, 0, vec![]));
    assert_eq!(identity::Entity::find().all(server.app.database.read()).await.unwrap().len(), 3000);
}

#[tokio::test]
async fn username_is_made_from_the_address() {
    let server = TestServer::with(|settings| settings.registration.reserved_usernames = vec!["info".to_owned()]).await;
    server.user("grace").await;
    let people = || {
        lines([
            record(&[("email", "Ada.L@example.org"), ("created_at", "2025-08-01 12:00:00")]),
            record(&[("email", "ada.l@example.com")]),
            record(&[("email", "grace@example.org")]),
            record(&[("email", "info@example.org")]),
            // A username that is the user's own address.
            record(&[("username", "bo@example.org"), ("email", "Bo@Example.org")]),
            record(&[("username", "cy@example.org")]),
        ])
    };
    let expected = dry_run(&server, &mut Known::default(), people()).await;
    assert_eq!(summary(&expected), (6, 0, vec![]));
    assert_eq!(summary(&import(&server, people()).await), (6, 0, vec![]));
    let names = async || -> Vec<_> { users(&server).await.into_iter().map(|user| user.username).collect() };
    let before = names().await;
    let without_suffix = before.iter().map(|name| match name.rsplit_once('-') {
        Some((base, suffix)) if suffix.len() == 8 => format!("{base}-…"),
        _ => name.clone(),
    });
    assert_eq!(without_suffix.collect::<Vec<_>>(), ["Ada-L", "ada-l-…", "Bo", "cy", "grace", "grace-…", "info-…"]);
    assert_eq!(users(&server).await[3].email.as_deref(), Some("cy@example.org"));

    // Also after a sign-in, which replaces the hash of a user whose creation time is known.
    server.anonymous().login("ada.l@example.org", &password_of("ada")).await.data("/login/user");
    assert_eq!(summary(&import(&server, people()).await), (0, 6, vec![]));
    assert_eq!(summary(&dry_run(&server, &mut Known::default(), people()).await), (0, 6, vec![]));
    assert_eq!(names().await, before);
}

#[tokio::test]
async fn username_cannot_be_the_address_of_another_user() {
    let server = TestServer::with(|settings| settings.registration.username_extra_characters = ".@+".to_owned()).await;
    let result = import(
        &server,
        lines([
            record(&[("username", "bo@example.org"), ("email", "eve@example.org")]),
            record(&[("username", "+bo.b@corp"), ("email", "bo@example.org")]),
            record(&[]),
        ]),
    )
    .await;
    let (imported, _, refused) = summary(&result);
    assert_eq!(imported, 1);
    assert_eq!(refused[0], (1, "username: The username is another e-mail address than that of the user.".to_owned()));
    assert_eq!((refused.len(), refused[1].0), (2, 3));
}

#[tokio::test]
async fn users_without_a_password_need_no_hash() {
    let server = TestServer::start().await;
    let mut ada = Record::default();
    ada.set(Column::Username, "ada".to_owned());
    ada.set(Column::HasPassword, "false".to_owned());
    assert_eq!(summary(&import(&server, lines([ada])).await), (1, 0, vec![]));
    let [ada] = users(&server).await.try_into().unwrap();
    assert!(!ada.has_password);
    assert_eq!(server.anonymous().login("ada", "").await.code(), "INVALID_CREDENTIALS");
}
