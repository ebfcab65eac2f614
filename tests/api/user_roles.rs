//! `user_roles` always has the same roles as `users.roles`.

use hallpass::{
    domain::users::{
        administration::{self, Administrator, Change},
        import::{self, Batch, Column, Record},
    },
    entity::user::{self, Roles},
};
use sea_orm::EntityTrait;

use crate::support::{TestServer, password_of, random_id, roles_of_users, user_roles};

/// A server with a role `editor`, and Ada, who has the role `user`.
async fn with_ada() -> (TestServer, user::Model) {
    let server = TestServer::with(|settings| settings.registration.roles.push("editor".to_owned())).await;
    server.user("ada").await;
    let ada = user::Entity::find().one(server.app.database.read()).await.unwrap().unwrap();
    (server, ada)
}

async fn set_roles(server: &TestServer, user: &user::Model, roles: &[&str]) {
    let roles = roles.iter().map(ToString::to_string).collect();
    let change = Change { roles: Some(roles), ..Change::default() };
    administration::update(&server.command_line(), &Administrator::at_command_line(), user.id, change).await.unwrap();
}

#[tokio::test]
async fn registered_user_has_the_default_roles_in_user_roles() {
    let (server, ada) = with_ada().await;
    assert_eq!(user_roles(&server).await, [(ada.id, "user".to_owned())]);
}

#[tokio::test]
async fn changed_roles_replace_the_rows_in_user_roles() {
    let (server, ada) = with_ada().await;
    set_roles(&server, &ada, &["admin", "editor"]).await;
    assert_eq!(user_roles(&server).await, ["admin", "editor"].map(|role| (ada.id, role.to_owned())));
    assert_eq!(user_roles(&server).await, roles_of_users(&server).await);
}

#[tokio::test]
async fn user_without_roles_has_no_rows_in_user_roles() {
    let (server, ada) = with_ada().await;
    set_roles(&server, &ada, &[]).await;
    assert_eq!(user_roles(&server).await, []);
}

#[tokio::test]
async fn role_change_of_one_user_keeps_the_roles_of_others() {
    let (server, ada) = with_ada().await;
    server.user("bo").await;
    set_roles(&server, &ada, &["editor"]).await;
    assert_eq!(user_roles(&server).await, roles_of_users(&server).await);
}

#[tokio::test]
async fn imported_users_have_their_roles_in_user_roles() {
    let (server, _) = with_ada().await;
    // On PostgreSQL, many rows are inserted differently from a few.
    for (batch, count) in [("few", 2), ("many", 50)] {
        let lines = (1..=count).map(|line| {
            let mut record = Record::default();
            record.set(Column::Username, format!("{batch}-{line}"));
            let hash = "$2b$04$eh3ITwW/WKnMOKeJZmCDl.fBY/jQPDrkzK5YztL5DLJFojEPaSi5m";
            record.set(Column::PasswordHash, hash.to_owned());
            record.set(Column::Roles, "admin,editor".to_owned());
            (line, Ok(record))
        });
        let lines = Batch::parse(&server.command_line(), lines.collect()).unwrap();
        import::import(&server.command_line(), &Administrator::at_command_line(), lines).await.unwrap();
    }
    assert_eq!(user_roles(&server).await.len(), 1 + 2 * 52);
    assert_eq!(user_roles(&server).await, roles_of_users(&server).await);
}

#[tokio::test]
async fn more_roles_than_a_statement_binds_are_written() {
    let (server, ada) = with_ada().await;
    let roles: Vec<String> = (0..250).map(|number| format!("r{number:02x}")).collect();
    let users = (0..80).map(|_| {
        let id = random_id();
        user::Model { id, username_key: id.to_string(), roles: Roles(roles.clone()), ..ada.clone() }
    });
    let transaction = server.app.write().await.unwrap();
    user::insert_all(&transaction, users).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(user_roles(&server).await.len(), 1 + 80 * 250);
}

#[tokio::test]
async fn deleted_user_has_no_rows_in_user_roles() {
    let (server, ada) = with_ada().await;
    administration::delete(&server.command_line(), &Administrator::at_command_line(), ada.id, None).await.unwrap();
    assert_eq!(user_roles(&server).await, []);
}

#[tokio::test]
async fn roles_of_a_transaction_that_is_rolled_back_are_not_in_user_roles() {
    let (server, ada) = with_ada().await;
    let transaction = server.app.write().await.unwrap();
    let mut row = user::lock(&transaction, ada.id).await.unwrap().unwrap();
    row.update(&transaction, |user| user.roles = Roles(vec!["admin".to_owned()])).await.unwrap();
    transaction.rollback().await.unwrap();
    assert_eq!(user_roles(&server).await, [(ada.id, "user".to_owned())]);
}

#[tokio::test]
async fn changes_of_other_columns_write_no_roles() {
    let (server, statements) = TestServer::observed().await;
    let ada = server.user("ada").await;
    statements.lock().unwrap().clear();
    let update = r#"mutation { updateProfile(input: { firstName: "Ada" }) { user { firstName } } }"#;
    ada.query(update).await.data("/updateProfile/user");
    server.anonymous().login("ada", &password_of("ada")).await.data("/login/user");
    let statements = statements.lock().unwrap();
    assert!(!statements.iter().any(|statement| statement.sql.contains("user_roles")), "{statements:#?}");
}
