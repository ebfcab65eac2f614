//! `sessions`: one row for each sign-in, of a browser, a phone or a script.

use std::sync::OnceLock;

use chrono::{DateTime, Utc};
use sea_orm::{DbBackend, FromQueryResult, QueryTrait, Statement, entity::prelude::*};

use super::user;

/// A row of `sessions`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    /// `sid` of the access tokens.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Who signed in.
    pub user_id: Uuid,
    /// How often the session was refreshed; `gen` of the access tokens.
    pub generation: i32,
    /// `User-Agent` of the sign-in, cut to 512 characters.
    pub user_agent: Option<String>,
    /// Where the sign-in came from.
    pub ip_address: Option<String>,
    /// The sign-in.
    pub created_at: DateTime<Utc>,
    /// The sign-in or the latest refresh.
    pub last_used_at: DateTime<Utc>,
    /// When it ends if it is not refreshed.
    pub expires_at: DateTime<Utc>,
    /// When it was ended: logout, revocation, a changed password.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// A session belongs to a user, and goes with it.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// Who signed in.
    #[sea_orm(belongs_to = "super::user::Entity", from = "Column::UserId", to = "super::user::Column::Id")]
    User,
}

impl Related<user::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::User.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

/// The session and its user, in one query: the guard of every request that needs a user.
///
/// # Errors
/// The driver's.
pub async fn find_with_user(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<(Model, user::Model)>, DbErr> {
    let statement = Statement::from_sql_and_values(db.get_database_backend(), with_user_sql(db), [id.into()]);
    // Not `query_one` with a limit: `LIMIT ?` makes SQLite prepare the statement anew each time.
    let rows = db.query_all_raw(statement).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some((Model::from_query_result(row, "A_")?, user::Model::from_query_result(row, "B_")?)))
}

/// The text of that query, built once: building it for each request costs more than running it.
fn with_user_sql(db: &impl ConnectionTrait) -> &'static str {
    static SQL: [OnceLock<String>; 3] = [const { OnceLock::new() }; 3];
    let backend = db.get_database_backend();
    let [mysql, postgres, sqlite] = &SQL;
    let text = match backend {
        DbBackend::MySql => mysql,
        DbBackend::Postgres => postgres,
        _ => sqlite,
    };
    text.get_or_init(|| {
        let select = Entity::find_by_id(Uuid::nil()).find_also_related(user::Entity).build(backend);
        // A session without its user is as good as none.
        select.sql.replace("LEFT JOIN", "INNER JOIN")
    })
}
