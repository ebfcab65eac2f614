use axum::http::Method;
use chrono::TimeDelta;
use hallpass::{
    Error,
    config::DatabaseUrl,
    database::Database,
    entity::{session, user},
};
use sea_orm::{ActiveModelTrait, ConnectionTrait, DbBackend, EntityTrait, IntoActiveModel, Statement};

use crate::support::{TestDatabase, TestServer, json};

#[tokio::test]
async fn read_is_retried_after_a_lost_connection() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let all = [ada.me(), ada.me(), ada.me(), ada.me()];
    futures_util::future::join_all(all).await.iter().for_each(|answer| drop(answer.data("/me/id")));
    server.database.end_connections().await;
    // One after the other: every idle connection is dead.
    for _ in 0..4 {
        ada.me().await.data("/me/id");
    }
}

/// Authentication reads columns by position, SeaORM by name.
#[tokio::test]
async fn authentication_maps_columns_correctly() {
    let server = TestServer::start().await;
    let input = json!({ "username": "Ada", "password": "correct horse", "email": "Ada@example.org", "firstName": "Augusta",
        "lastName": "Lovelace", "tokenDelivery": "BODY" });
    let register = "mutation($input: RegisterInput!) { register(input: $input) { refreshToken } }";
    let body = json!({ "query": register, "variables": { "input": input } }).to_string();
    let actor = server.anonymous();
    let request = actor
        .request(Method::POST, "/graphql")
        .header("content-type", "application/json")
        .header("user-agent", "curl/8")
        .extension(hallpass::http::Peer("192.0.2.7:4711".parse().unwrap()));
    let token = actor.send(request.body(body.into()).unwrap()).await.data("/register/refreshToken");
    // Sets all columns, to different values.
    server.clock.advance(TimeDelta::minutes(1));
    actor.refresh(token.as_str().unwrap()).await.data("/refreshToken");
    let db = server.app.database.read();
    let [mut user] = user::Entity::find().all(db).await.unwrap().try_into().unwrap();
    let [mut session] = session::Entity::find().all(db).await.unwrap().try_into().unwrap();
    user.updated_at += TimeDelta::minutes(2);
    user.last_login_at = Some(user.created_at + TimeDelta::minutes(3));
    session.last_used_at += TimeDelta::minutes(4);
    session.revoked_at = Some(session.created_at + TimeDelta::minutes(5));
    session.repeated_at = Some(session.created_at + TimeDelta::minutes(6));
    session.confirmed_generation = 7;
    session.epoch = 8;
    session.predecessor = Some(9);
    session.burnt = "10-11@1790000000".parse().unwrap();
    user.session_epoch = 12;
    user.clone().into_active_model().reset_all().update(db).await.unwrap();
    session.clone().into_active_model().reset_all().update(db).await.unwrap();
    assert_eq!(session::find_with_user(db, session.id).await.unwrap(), Some((session, user)));
}

/// Administrators can identify the connections in PostgreSQL.
#[tokio::test]
async fn postgres_connections_have_an_application_name() {
    let server = TestServer::start().await;
    let backend = server.app.database.read().get_database_backend();
    if backend != DbBackend::Postgres {
        return;
    }
    let name = || Statement::from_string(backend, "SELECT current_setting('application_name')");
    let transaction = server.app.write().await.unwrap();
    for row in [server.app.database.read().query_one_raw(name()).await, transaction.query_one_raw(name()).await] {
        assert_eq!(row.unwrap().unwrap().try_get_by_index::<String>(0).unwrap(), "hallpass");
    }
}

#[tokio::test]
async fn readers_wait_for_a_free_connection() {
    let server = TestServer::start().await;
    server.user("ada").await;
    let db = server.app.database.read();
    let reads = (0..64).map(|_| async { user::Entity::find().all(db).await.unwrap().len() });
    assert_eq!(futures_util::future::join_all(reads).await, vec![1; 64]);
}

#[tokio::test]
async fn database_errors_omit_source_locations() {
    let server = TestServer::start().await;
    let db = server.app.database.read();
    let query = Statement::from_string(db.get_database_backend(), "SELECT nothing");
    let error = Error::from(db.query_one_raw(query).await.unwrap_err());
    let cause = error.cause().unwrap();
    assert!(cause.contains("nothing") && !cause.contains("at line"), "{cause}");
}

#[tokio::test]
async fn postgres_database_must_use_utf8() {
    let database = TestDatabase::create_latin1().await;
    let connected = Database::connect(database.url(), None).await;
    match database.url() {
        DatabaseUrl::Postgres(_) => {
            assert!(connected.unwrap_err().to_string().contains("its encoding is LATIN1"));
        }
        _ => connected.unwrap().close().await,
    }
}
