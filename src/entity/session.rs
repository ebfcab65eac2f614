//! `sessions`: one row for each sign-in, of a browser, a phone or a script.

use std::sync::OnceLock;

use chrono::{DateTime, Utc};
use sea_orm::{Condition, DbBackend, QueryOrder, QuerySelect, QueryTrait, Statement, entity::prelude::*};

use super::{columns::Columns, user};

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
    /// When the token before this generation's came again, later than the grace. Told in the audit log once.
    pub repeated_at: Option<DateTime<Utc>>,
    /// How its refresh token travels, all its life.
    pub delivery: Delivery,
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
///
/// # Errors
/// The driver's.
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
        })
    }

    /// Whether it has neither expired nor been ended.
    #[must_use]
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && self.expires_at > now
    }
}

/// The same, asked of the database.
fn live(now: DateTime<Utc>) -> Condition {
    Condition::all().add(Column::RevokedAt.is_null()).add(Column::ExpiresAt.gt(now))
}

/// Moves a live session from `session`'s generation to the next, unless someone else has done so. Its token was used,
/// which confirms the generation that ends.
///
/// # Errors
/// The driver's.
pub async fn rotate(
    db: &impl ConnectionTrait,
    session: &Model,
    expires_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Option<Model>, DbErr> {
    let rotated = Model {
        generation: session.generation + 1,
        confirmed_generation: session.generation,
        rotated_at: Some(now),
        repeated_at: None,
        last_used_at: now,
        expires_at,
        ..session.clone()
    };
    let updated = Entity::update_many()
        .col_expr(Column::Generation, Expr::value(rotated.generation))
        .col_expr(Column::ConfirmedGeneration, Expr::value(rotated.confirmed_generation))
        .col_expr(Column::RotatedAt, Expr::value(rotated.rotated_at))
        .col_expr(Column::RepeatedAt, Expr::value(rotated.repeated_at))
        .col_expr(Column::LastUsedAt, Expr::value(rotated.last_used_at))
        .col_expr(Column::ExpiresAt, Expr::value(rotated.expires_at))
        .filter(Column::Id.eq(session.id))
        .filter(Column::Generation.eq(session.generation))
        .filter(live(now))
        .exec(db)
        .await?;
    Ok((updated.rows_affected == 1).then_some(rotated))
}

/// Notes that the tokens of a generation have been seen.
///
/// # Errors
/// The driver's.
pub async fn confirm(db: &impl ConnectionTrait, id: Uuid, generation: i32) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::ConfirmedGeneration, Expr::value(generation))
        .filter(Column::Id.eq(id))
        .filter(Column::Generation.eq(generation))
        .filter(Column::ConfirmedGeneration.lt(generation))
        .exec(db)
        .await
        .map(drop)
}

/// Notes that the token before `session`'s generation came again. False if that was known, or is no longer so.
///
/// # Errors
/// The driver's.
pub async fn note_repeat(db: &impl ConnectionTrait, session: &Model, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let updated = Entity::update_many()
        .col_expr(Column::RepeatedAt, Expr::value(now))
        .filter(Column::Id.eq(session.id))
        .filter(Column::Generation.eq(session.generation))
        .filter(Column::RepeatedAt.is_null())
        .exec(db)
        .await?;
    Ok(updated.rows_affected == 1)
}

/// Whose session it is.
///
/// # Errors
/// The driver's.
pub async fn owner(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Uuid>, DbErr> {
    Ok(Entity::find_by_id(id).select_only().column(Column::UserId).into_tuple().all(db).await?.pop())
}

/// Locks the live sessions of a user, all or just these, until the transaction ends, and returns each with its generation. In
/// one order, so that two who end each other's stand in a row and not in a circle. SQLite's only writer needs no lock.
///
/// # Errors
/// The driver's.
pub async fn lock(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    only: Option<[Uuid; 2]>,
    now: DateTime<Utc>,
) -> Result<Vec<(Uuid, i32)>, DbErr> {
    let which = Condition::all().add(Column::UserId.eq(user_id)).add_option(only.map(|ids| Column::Id.is_in(ids)));
    let columns = Entity::find().select_only().columns([Column::Id, Column::Generation]);
    columns.filter(which).filter(live(now)).order_by_asc(Column::Id).lock_exclusive().into_tuple().all(db).await
}

/// Ends a session of `user_id`. False if there is no such live one.
///
/// # Errors
/// The driver's.
pub async fn revoke(db: &impl ConnectionTrait, user_id: Uuid, id: Uuid, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let one = Condition::all().add(Column::Id.eq(id)).add(Column::UserId.eq(user_id));
    Ok(revoke_where(db, one, now).await? == 1)
}

/// Ends the sessions of a user, all or all but one. Returns how many were live.
///
/// # Errors
/// The driver's.
pub async fn revoke_all(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    but: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<u64, DbErr> {
    let all = Condition::all().add(Column::UserId.eq(user_id));
    revoke_where(db, all.add_option(but.map(|but| Column::Id.ne(but))), now).await
}

async fn revoke_where(db: &impl ConnectionTrait, which: Condition, now: DateTime<Utc>) -> Result<u64, DbErr> {
    let revoked = Entity::update_many().col_expr(Column::RevokedAt, Expr::value(now)).filter(which).filter(live(now));
    Ok(revoked.exec(db).await?.rows_affected)
}

/// The live sessions of a user, the latest used first.
///
/// # Errors
/// The driver's.
pub async fn live_of(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    most: u64,
    now: DateTime<Utc>,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::UserId.eq(user_id))
        .filter(live(now))
        .order_by_desc(Column::LastUsedAt)
        .order_by_desc(Column::Id)
        .limit(most)
        .all(db)
        .await
}

/// Some sessions that have expired, the oldest first.
///
/// # Errors
/// The driver's.
pub async fn expired(db: &impl ConnectionTrait, most: u64, now: DateTime<Utc>) -> Result<Vec<Uuid>, DbErr> {
    let ids = Entity::find().select_only().column(Column::Id).filter(Column::ExpiresAt.lte(now));
    ids.order_by_asc(Column::ExpiresAt).limit(most).into_tuple().all(db).await
}

/// Deletes those of `ids` that have expired. Returns how many.
///
/// # Errors
/// The driver's.
pub async fn delete_expired(db: &impl ConnectionTrait, ids: Vec<Uuid>, now: DateTime<Utc>) -> Result<u64, DbErr> {
    let those = Entity::delete_many().filter(Column::Id.is_in(ids)).filter(Column::ExpiresAt.lte(now));
    Ok(those.exec(db).await?.rows_affected)
}
