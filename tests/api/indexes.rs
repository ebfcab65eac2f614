//! All queries of sign-in, authentication and the other frequent operations use an index.

use hallpass::{
    database::Database,
    entity::user,
    jobs::purge::{Table, purge},
};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::support::{TestServer, json, password_of};

#[tokio::test]
async fn frequent_queries_use_an_index() {
    let (server, statements) = TestServer::observed().await;
    let input = json!({ "username": "ada", "password": password_of("ada"), "email": "ada@example.org" });
    server.anonymous().register(input.clone()).await.data("/register/user");
    server.anonymous().register(input).await.problems();
    server.anonymous().login("ada@example.org", &password_of("ada")).await.data("/login/user");
    let answer = server.anonymous().login("ada", &password_of("ada")).await;
    server.anonymous().with_bearer(answer.data("/login/accessToken").as_str().unwrap()).me().await.data("/me");

    let (app, token) = server.app_user("bo").await;
    let refresh = app.refresh(&token).await;
    app.query("{ me { sessions { id } } }").await.data("/me/sessions/0/id");
    app.query("mutation { revokeOtherSessions { revokedSessions } }").await.data("/revokeOtherSessions");
    let unknown = "mutation { revokeSession(input: { sessionId: \"00000000-0000-7000-8000-000000000000\" }) { revokedSessionId } }";
    assert_eq!(app.query(unknown).await.code(), "NOT_FOUND");
    app.refresh(refresh.data("/refreshToken/refreshToken").as_str().unwrap()).await.data("/refreshToken");
    app.refresh(&token).await.code();
    app.logout(json!({})).await.data("/logout");
    purge(&server.app, Table::Sessions).await.unwrap();
    server.anonymous().login("ada", "not her password").await.code();
    server.clock.advance(chrono::TimeDelta::days(91));
    purge(&server.app, Table::Throttles).await.unwrap();

    let ada = server.user_at("grace", "grace@example.org").await;
    server.anonymous().send_verification_email("grace@example.org").await.data("/sendVerificationEmail");
    let token = server.token_to("grace@example.org").await;
    server.anonymous().verify_email(&token).await.data("/verifyEmail");
    ada.change_email(json!({ "newEmail": "grace@new.example" })).await.data("/changeEmail");
    let token = server.token_to("grace@new.example").await;
    server.anonymous().verify_email(&token).await.data("/verifyEmail");
    server.anonymous().request_password_reset("grace@new.example").await.data("/requestPasswordReset");
    let token = server.token_to("grace@new.example").await;
    server.anonymous().reset_password(&token, "a new password").await.data("/resetPassword");
    purge(&server.app, Table::Links).await.unwrap();

    let statements = std::mem::take(&mut *statements.lock().unwrap());
    let queries: Vec<&Statement> = statements.iter().filter(|statement| !statement.sql.starts_with("INSERT")).collect();
    // Guards against a test that observes too few statements.
    assert!(queries.len() >= 18, "{queries:#?}");
    for statement in queries {
        let plan = explain(&server.app.database, statement).await;
        assert!(plan.uses_index, "{}\n{}", statement.sql, plan.text);
    }
}

#[tokio::test]
async fn unverified_account_purge_uses_an_index() {
    let (server, statements) = TestServer::observed().await;
    server.user_at("ada", "ada@example.org").await;
    statements.lock().unwrap().clear();
    let abandoned = user::Unverified { since: server.app.clock.now(), without_email: false };
    let found = abandoned.find(server.app.database.read(), 200).await.unwrap();
    assert_eq!(found.len(), 1);
    let queries = std::mem::take(&mut *statements.lock().unwrap());
    for statement in queries {
        let plan = explain(&server.app.database, &statement).await;
        assert!(plan.uses_index, "{}\n{}", statement.sql, plan.text);
    }
}

#[tokio::test]
async fn search_by_role_uses_the_index() {
    let (server, statements) = TestServer::observed().await;
    server.user("ada").await;
    statements.lock().unwrap().clear();
    user::active_admins(server.app.database.read(), 10).await.unwrap();
    let queries = std::mem::take(&mut *statements.lock().unwrap());
    let [query] = &queries[..] else { panic!("{queries:#?}") };
    let plan = explain(&server.app.database, query).await;
    assert!(plan.uses_index && plan.text.contains("user_roles"), "{}\n{}", query.sql, plan.text);
}

#[tokio::test]
async fn full_table_scan_is_detected() {
    let server = TestServer::start().await;
    server.user("ada").await;
    let backend = server.app.database.read().get_database_backend();
    let statement = Statement::from_string(backend, "SELECT id FROM users WHERE first_name = 'Ada'");
    let plan = explain(&server.app.database, &statement).await;
    assert!(!plan.uses_index, "{}", plan.text);
}

struct Plan {
    text: String,
    uses_index: bool,
}

async fn explain(database: &Database, statement: &Statement) -> Plan {
    let transaction = database.write().await.unwrap();
    let backend = transaction.get_database_backend();
    let explain = match backend {
        DbBackend::Sqlite => "EXPLAIN QUERY PLAN",
        _ => "EXPLAIN",
    };
    if backend == DbBackend::Postgres {
        // Otherwise PostgreSQL scans a table with one row.
        transaction.execute_unprepared("SET LOCAL enable_seqscan = off").await.unwrap();
    }
    let statement = Statement {
        sql: format!("{explain} {}", statement.sql),
        values: statement.values.clone(),
        db_backend: backend,
    };
    let rows = transaction.query_all_raw(statement).await.unwrap();
    let lines: Vec<(String, bool)> = rows
        .iter()
        .map(|row| match backend {
            DbBackend::Sqlite => {
                let detail: String = row.try_get("", "detail").unwrap();
                // The lines that do not start with SCAN or SEARCH are about sorting.
                let uses_index = !detail.starts_with("SCAN");
                (detail, uses_index)
            }
            DbBackend::Postgres => {
                let line: String = row.try_get_by_index(0).unwrap();
                let uses_index = !line.contains("Seq Scan");
                (line, uses_index)
            }
            _ => {
                let table: Option<String> = row.try_get("", "table").unwrap();
                let access: Option<String> = row.try_get("", "type").unwrap();
                let extra: Option<String> = row.try_get("", "Extra").unwrap();
                // The optimizer has already looked up a unique key and found no row.
                let is_absent = extra.as_deref() == Some("Impossible WHERE noticed after reading const tables");
                // MySQL scans a table with a few rows although it has an index for the query.
                let keys: Option<String> = row.try_get("", "possible_keys").unwrap();
                let is_small = access.as_deref() == Some("ALL") && keys.is_some();
                // A second index may filter the rows that the first one finds: `ref|filter`.
                let found_by = access.as_deref().and_then(|access| access.split('|').next());
                let uses_index = is_absent
                    || is_small
                    || matches!(
                        found_by,
                        Some("const" | "eq_ref" | "ref" | "range" | "unique_subquery" | "index_subquery")
                    );
                (format!("{table:?} {access:?} {extra:?}"), uses_index)
            }
        })
        .collect();
    let text = lines.iter().map(|(line, _)| line.as_str()).collect::<Vec<_>>().join("\n");
    Plan { uses_index: !lines.is_empty() && lines.iter().all(|(_, uses_index)| *uses_index), text }
}
