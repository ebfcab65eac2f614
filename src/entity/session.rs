//! `sessions`: one row for each sign-in, of a browser, a phone or a script.

use std::sync::OnceLock;

use chrono::{DateTime, Utc};
use sea_orm::{Condition, DbBackend, ExprTrait, QueryOrder, QuerySelect, QueryTrait, Statement, entity::prelude::*};

mod burnt;
mod end;
mod generation;

pub use burnt::BurntGenerations;
pub use end::*;
pub use generation::*;

use crate::entity::{columns::Columns, user};

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
    /// The latest refresh: when this generation began.
    pub rotated_at: Option<DateTime<Utc>>,
    /// The latest generation whose tokens have been seen, so that its client has certainly got them.
    pub confirmed_generation: i32,
    /// When the predecessor's token was presented again after the grace period. Audited once per predecessor.
    pub repeated_at: Option<DateTime<Utc>>,
    /// How its refresh token travels, all its life.
    pub delivery: Delivery,
    /// `users.session_epoch` when the session was opened. A session of an earlier epoch has ended.
    pub epoch: i32,
    /// The generation whose refresh token was exchanged for this generation; none before the first refresh.
    pub predecessor: Option<i32>,
    /// Generations that were issued and then replaced from their predecessor again: whoever presents one is not alone.
    pub burnt: BurntGenerations,
}

/// How a refresh token travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(6))", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Delivery {
    /// In a cookie that scripts can't read.
    Cookie,
    /// In the body of answers and requests.
    Body,
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
pub async fn find_with_user(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<(Model, user::Model)>, DbErr> {
    let statement = Statement::from_sql_and_values(db.get_database_backend(), with_user_sql(db), [id.into()]);
    // Not `query_one` with a limit: `LIMIT ?` makes SQLite prepare the statement anew each time.
    let rows = db.query_all_raw(statement).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let mut columns = Columns::of(row);
    Ok(Some((Model::read(&mut columns)?, user::Model::read(&mut columns)?)))
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

impl Model {
    /// From the columns of a row, which are in the order of the fields above.
    fn read(columns: &mut Columns<'_>) -> Result<Self, DbErr> {
        Ok(Self {
            id: columns.read()?,
            user_id: columns.read()?,
            generation: columns.read()?,
            user_agent: columns.read()?,
            ip_address: columns.read()?,
            created_at: columns.read()?,
            last_used_at: columns.read()?,
            expires_at: columns.read()?,
            revoked_at: columns.read()?,
            rotated_at: columns.read()?,
            confirmed_generation: columns.read()?,
            repeated_at: columns.read()?,
            delivery: columns.read()?,
            epoch: columns.read()?,
            predecessor: columns.read()?,
            burnt: columns.read()?,
        })
    }

    /// Whether it was ended, by itself or together with all sessions of its user.
    #[must_use]
    pub fn is_revoked(&self, user: &user::Model) -> bool {
        self.revoked_at.is_some() || self.epoch != user.session_epoch
    }

    /// Whether it has neither expired nor been ended.
    #[must_use]
    pub fn is_live(&self, user: &user::Model, now: DateTime<Utc>) -> bool {
        !self.is_revoked(user) && self.expires_at > now
    }
}

/// Writes a new session.
pub async fn insert(db: &impl ConnectionTrait, session: &Model) -> Result<(), DbErr> {
    let row = sea_orm::IntoActiveModel::into_active_model(session.clone()).reset_all();
    Entity::insert(row).exec_without_returning(db).await.map(drop)
}

/// The sessions of a user that are live in `epoch`.
fn live(user_id: Uuid, epoch: impl Into<Expr>, now: DateTime<Utc>) -> Condition {
    Condition::all()
        .add(Column::UserId.eq(user_id))
        .add(ExprTrait::eq(Expr::col((Entity, Column::Epoch)), epoch.into()))
        .add(Column::RevokedAt.is_null())
        .add(Column::ExpiresAt.gt(now))
}

/// The live sessions of a user, the latest used first.
pub async fn live_of(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    most: u64,
    now: DateTime<Utc>,
) -> Result<Vec<Model>, DbErr> {
    let epoch = user::Entity::find_by_id(user_id).select_only().column(user::Column::SessionEpoch).into_query();
    Entity::find()
        .filter(live(user_id, Expr::SubQuery(None, Box::new(epoch.into())), now))
        .order_by_desc(Column::LastUsedAt)
        .order_by_desc(Column::Id)
        .limit(most)
        .all(db)
        .await
}

/// Some sessions that have expired, the oldest first.
pub async fn expired(db: &impl ConnectionTrait, most: u64, now: DateTime<Utc>) -> Result<Vec<Uuid>, DbErr> {
    let ids = Entity::find().select_only().column(Column::Id).filter(Column::ExpiresAt.lte(now));
    ids.order_by_asc(Column::ExpiresAt).limit(most).into_tuple().all(db).await
}

/// Deletes those of `ids` that have expired. Returns how many.
pub async fn delete_expired(db: &impl ConnectionTrait, ids: Vec<Uuid>, now: DateTime<Utc>) -> Result<u64, DbErr> {
    let those = Entity::delete_many().filter(Column::Id.is_in(ids)).filter(Column::ExpiresAt.lte(now));
    Ok(those.exec(db).await?.rows_affected)
}
