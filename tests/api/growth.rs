//! With many users, no frequent query reads a whole table.

use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use hallpass::{
    domain::users::{
        administration::Administrator,
        import::{self, Batch, Column, Record},
    },
    jobs::purge::{Table, purge},
};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::support::{Plan, TestServer, json, password_of};

const USERS: usize = 10_000;
/// The tables that grow with the users.
const TABLES: [&str; 6] = ["users", "user_roles", "user_words", "totp_factors", "sessions", "audit_log"];

/// A server with many imported users, each with a session. Its statements are recorded.
async fn with_many_users() -> (TestServer, Arc<Mutex<Vec<Statement>>>) {
    let (server, statements) = TestServer::observed().await;
    let numbers: Vec<usize> = (0..USERS).collect();
    for batch in numbers.chunks(import::BATCH) {
        let lines = batch.iter().map(|number| {
            let mut record = Record::default();
            record.set(Column::Username, format!("user{number}"));
            record.set(Column::named("email").unwrap(), format!("user{number}@example.org"));
            let hash = "$2b$04$eh3ITwW/WKnMOKeJZmCDl.fBY/jQPDrkzK5YztL5DLJFojEPaSi5m";
            record.set(Column::PasswordHash, hash.to_owned());
            (0, Ok(record))
        });
        let batch = Batch::parse(&server.command_line(), lines.collect()).unwrap();
        import::import(&server.command_line(), &Administrator::at_command_line(), batch).await.unwrap();
    }
    let transaction = server.app.write().await.unwrap();
    let backend = transaction.get_database_backend();
    let sessions = format!(
        "INSERT INTO sessions (id, user_id, created_at, last_used_at, expires_at, generation, delivery) \
         SELECT id, id, created_at, created_at, {}, 0, 'BODY' FROM users",
        if backend == DbBackend::Postgres { "$1" } else { "?" }
    );
    let expires_at = server.app.clock.now() + TimeDelta::days(7);
    let sessions = Statement::from_sql_and_values(backend, sessions, [expires_at.into()]);
    transaction.execute_raw(sessions).await.unwrap();
    // Nine of ten users have a second factor.
    let factors = "INSERT INTO totp_factors (user_id, sealed_secret, key_id, created_at, confirmed_at) \
        SELECT id, '', 'key', created_at, created_at FROM users WHERE username_key NOT LIKE '%0'";
    transaction.execute_unprepared(factors).await.unwrap();
    transaction.commit().await.unwrap();
    // The servers do so in the background. Hallpass never analyzes an SQLite file.
    let analyze = match backend {
        DbBackend::MySql => Some(format!("ANALYZE TABLE {}", TABLES.join(", "))),
        DbBackend::Postgres => Some("ANALYZE".to_owned()),
        _ => None,
    };
    if let Some(analyze) = analyze {
        let transaction = server.app.write().await.unwrap();
        transaction.execute_unprepared(&analyze).await.unwrap();
        transaction.commit().await.unwrap();
    }
    statements.lock().unwrap().clear();
    (server, statements)
}

/// Unlike [`crate::indexes`], the planner knows the sizes of the tables and is free to scan them.
#[tokio::test]
async fn frequent_queries_scan_no_table_with_ten_thousand_users() {
    let (server, statements) = with_many_users().await;
    let password = password_of("ada");
    server.anonymous().login("user4000", &password).await.data("/login/user");
    let answer = server.anonymous().login("user5000@example.org", &password).await;
    let user = server.anonymous().with_bearer(answer.data("/login/accessToken").as_str().unwrap());
    user.me().await.data("/me");
    user.query("{ me { sessions { id } } }").await.data("/me/sessions/0/id");
    let (_, token) = server.app_user("bo").await;
    server.anonymous().refresh(&token).await.data("/refreshToken/refreshToken");
    user.query("mutation { revokeOtherSessions { revokedSessions } }").await.data("/revokeOtherSessions");
    user.logout(json!({})).await.data("/logout");
    purge(&server.app, Table::Sessions).await.unwrap();

    let statements = std::mem::take(&mut *statements.lock().unwrap());
    let queries: Vec<&Statement> = statements.iter().filter(|statement| !statement.sql.starts_with("INSERT")).collect();
    assert!(queries.len() >= 10, "{queries:#?}");
    for statement in queries {
        let plan = Plan::chosen(&server.app.database, statement).await;
        let scanned = TABLES.into_iter().find(|table| plan.scans(table));
        assert_eq!(scanned, None, "{}\n{}", statement.sql, plan.text);
    }
}

/// The first pages, for administrators, by each filter and in each order.
#[tokio::test]
async fn lists_of_users_sort_no_table_with_ten_thousand_users() {
    let (server, statements) = with_many_users().await;
    let boss = server.administrator("boss").await;
    let now = server.app.clock.now().to_rfc3339();
    let filters = [
        json!({}),
        json!({ "search": "user1" }),
        json!({ "search": "example.org" }),
        json!({ "role": "user" }),
        json!({ "role": "admin" }),
        json!({ "isActive": true }),
        json!({ "isActive": false }),
        json!({ "emailVerified": true }),
        json!({ "emailVerified": false }),
        json!({ "hasMfa": true }),
        json!({ "hasMfa": false }),
        json!({ "createdAfter": now }),
        json!({ "createdBefore": now }),
        json!({ "inactiveSince": now }),
        json!({ "role": "user", "isActive": true, "emailVerified": false, "createdBefore": now }),
    ];
    let query = "query($filter: UserFilter, $orderBy: UserOrder) { users(filter: $filter, orderBy: $orderBy) { nodes { id } } }";
    for filter in filters {
        for field in ["CREATED_AT", "USERNAME", "LAST_LOGIN_AT"] {
            for direction in ["ASC", "DESC"] {
                statements.lock().unwrap().clear();
                let order = json!({ "field": field, "direction": direction });
                boss.graphql(query, json!({ "filter": filter, "orderBy": order })).await.data("/users");
                let statements = std::mem::take(&mut *statements.lock().unwrap());
                // The second count stops at more rows than this table has, so the planner may read all of it.
                let is_second_count = |statement: &&Statement| {
                    statement.sql.contains("COUNT(") && format!("{:?}", statement.values).contains("20001")
                };
                for statement in statements.iter().filter(|statement| !is_second_count(statement)) {
                    let plan = Plan::chosen(&server.app.database, statement).await;
                    let sorted = TABLES.into_iter().find(|table| plan.sorts(table));
                    assert_eq!(sorted, None, "{filter} {order} {}\n{}", statement.sql, plan.text);
                }
            }
        }
    }
}

#[tokio::test]
async fn scan_of_a_large_table_is_detected() {
    let server = TestServer::start().await;
    server.user("ada").await;
    let backend = server.app.database.read().get_database_backend();
    let statement = Statement::from_string(backend, "SELECT id FROM users WHERE first_name = 'Ada'");
    let plan = Plan::chosen(&server.app.database, &statement).await;
    assert!(plan.scans("users") && !plan.scans("sessions"), "{}", plan.text);
    assert!(plan.sorts("users"), "{}", plan.text);
}
