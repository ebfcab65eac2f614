//! `sessions`: one row per sign-in of a browser, app or script.

use std::{cmp::Reverse, collections::HashMap, sync::OnceLock};

use chrono::{DateTime, Utc};
use sea_orm::{Condition, DbBackend, ExprTrait, QueryOrder, QuerySelect, QueryTrait, Statement, entity::prelude::*};

mod burnt;
mod end;
mod generation;
mod methods;

pub use burnt::BurntGenerations;
pub use end::*;
pub use generation::*;
pub use methods::AuthenticationMethods;

use crate::{
    database::{NotLocal, Reader},
    entity::{
        columns::{Columns, model},
        page::{MAX_LISTS, union},
        user,
    },
};

model! {
    /// A row of `sessions`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sessions")]
    pub struct Model {
        /// The id; `sid` in access tokens.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The user.
        pub user_id: Uuid,
        /// The number of refreshes; `gen` in access tokens.
        pub generation: i32,
        /// `User-Agent` of the sign-in, truncated to 512 characters.
        pub user_agent: Option<String>,
        /// The client's IP address at sign-in.
        pub ip_address: Option<String>,
        /// The time of the sign-in.
        pub created_at: DateTime<Utc>,
        /// The time of the sign-in or the latest refresh.
        pub last_used_at: DateTime<Utc>,
        /// When the session expires unless it is refreshed.
        pub expires_at: DateTime<Utc>,
        /// When the session was revoked, by sign-out, revocation or a password change.
        pub revoked_at: Option<DateTime<Utc>>,
        /// The latest refresh, when this generation began.
        pub rotated_at: Option<DateTime<Utc>>,
        /// The latest generation of which a token was presented, so that the client must have received it.
        pub confirmed_generation: i32,
        /// When the predecessor's token was presented again after the grace period. Audited once per predecessor.
        pub repeated_at: Option<DateTime<Utc>>,
        /// How the client sends the refresh token. Fixed for the lifetime of the session.
        pub delivery: Delivery,
        /// `users.session_epoch` at sign-in. A session of an earlier epoch is revoked.
        pub epoch: i32,
        /// The generation whose refresh token was exchanged for this generation. `None` before the first refresh.
        pub predecessor: Option<i32>,
        /// Generations that were issued and then replaced. A token of one shows that two clients use the session.
        pub burnt: BurntGenerations,
        /// When the user last proved their identity after the sign-in. `None` if they did not.
        pub authenticated_at: Option<DateTime<Utc>>,
        /// How the user signed in.
        pub amr: AuthenticationMethods,
        /// When the user last confirmed the second factor in this session. `None` if they did not, or if it was removed.
        pub second_factor_at: Option<DateTime<Utc>>,
    }
}

/// The transport of a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(6))", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Delivery {
    /// In a cookie that scripts cannot read.
    Cookie,
    /// In the body of requests and responses.
    Body,
}

/// A session belongs to a user, and is deleted with the user.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The user.
    #[sea_orm(belongs_to = "super::user::Entity", from = "Column::UserId", to = "super::user::Column::Id")]
    User,
}

impl Related<user::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::User.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

impl crate::entity::expiry::Expiring for Entity {
    const ID: Column = Column::Id;
    const EXPIRES_AT: Column = Column::ExpiresAt;
}

/// Finds a session with its user in one query.
pub async fn find_with_user(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<(Model, user::Model)>, DbErr> {
    let statement = Statement::from_sql_and_values(db.get_database_backend(), with_user_sql(db), [id.into()]);
    // Not `query_one` with a limit: `LIMIT ?` makes SQLite prepare the statement again each time.
    let rows = db.query_all_raw(statement).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let mut columns = Columns::of(row);
    Ok(Some((Model::read(&mut columns)?, user::Model::read(&mut columns)?)))
}

/// Like [`find_with_user`], but without a switch to another thread on SQLite. Every request of a signed-in user runs it.
pub async fn look_up_with_user(db: &Reader, id: Uuid) -> Result<Option<(Model, user::Model)>, DbErr> {
    match look_up_locally(db, id) {
        Ok(found) => Ok(found),
        Err(NotLocal) => find_with_user(db, id).await,
    }
}

/// Looks a session up on this thread.
pub(super) fn look_up_locally(db: &Reader, id: Uuid) -> Result<Option<(Model, user::Model)>, NotLocal> {
    db.find_local(with_user_sql(db), id, |row| {
        let mut columns = Columns::of_local(row);
        Ok((Model::read(&mut columns)?, user::Model::read(&mut columns)?))
    })
}

/// The SQL of that query, built once because building it costs more than running it.
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
        // A session without a user counts as missing.
        select.sql.replace("LEFT JOIN", "INNER JOIN")
    })
}

impl Model {
    /// When the user last proved their identity: at the sign-in, or later with `reauthenticate`.
    #[must_use]
    pub fn last_authenticated_at(&self) -> DateTime<Utc> {
        self.authenticated_at.unwrap_or(self.created_at)
    }

    /// The authenticator assurance level (NIST SP 800-63B), as the claim `acr`: `aal2` if the user has confirmed the second
    /// factor in this session, otherwise `aal1`.
    #[must_use]
    pub const fn assurance_level(&self) -> &'static str {
        if self.second_factor_at.is_some() { "aal2" } else { "aal1" }
    }

    /// Whether the session was revoked, individually or together with all sessions of its user.
    #[must_use]
    pub fn is_revoked(&self, user: &user::Model) -> bool {
        self.revoked_at.is_some() || self.epoch != user.session_epoch
    }

    /// Whether the session has neither expired nor been revoked.
    #[must_use]
    pub fn is_live(&self, user: &user::Model, now: DateTime<Utc>) -> bool {
        !self.is_revoked(user) && self.expires_at > now
    }
}

/// Inserts a session.
pub async fn insert(db: &impl ConnectionTrait, session: &Model) -> Result<(), DbErr> {
    let row = sea_orm::IntoActiveModel::into_active_model(session.clone()).reset_all();
    Entity::insert(row).exec_without_returning(db).await.map(drop)
}

/// Matches the sessions of a user that are live in `epoch`.
fn live(user_id: Uuid, epoch: impl Into<Expr>, now: DateTime<Utc>) -> Condition {
    Condition::all()
        .add(Column::UserId.eq(user_id))
        .add(ExprTrait::eq(Expr::col((Entity, Column::Epoch)), epoch.into()))
        .add(Column::RevokedAt.is_null())
        .add(Column::ExpiresAt.gt(now))
}

/// The live sessions of a user, most recently used first, at most `limit`.
fn select_live(user_id: Uuid, limit: u64, now: DateTime<Utc>) -> Select<Entity> {
    let epoch = user::Entity::find_by_id(user_id).select_only().column(user::Column::SessionEpoch).into_query();
    Entity::find()
        .filter(live(user_id, Expr::SubQuery(None, Box::new(epoch.into())), now))
        .order_by_desc(Column::LastUsedAt)
        .order_by_desc(Column::Id)
        .limit(limit)
}

/// Lists the live sessions of a user, most recently used first, at most `limit`.
pub async fn live_of(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    limit: u64,
    now: DateTime<Utc>,
) -> Result<Vec<Model>, DbErr> {
    select_live(user_id, limit, now).all(db).await
}

/// Lists the live sessions of each of these users, as [`live_of`] does, by the id of the user. Runs one statement for each
/// hundred users.
pub async fn live_of_many(
    db: &impl ConnectionTrait,
    user_ids: &[Uuid],
    limit: u64,
    now: DateTime<Utc>,
) -> Result<HashMap<Uuid, Vec<Model>>, DbErr> {
    let mut lists: HashMap<Uuid, Vec<Model>> = HashMap::new();
    for user_ids in user_ids.chunks(MAX_LISTS) {
        let queries = user_ids.iter().map(|id| select_live(*id, limit, now).into_query()).collect();
        let statement = db.get_database_backend().build(&union(queries));
        for session in Entity::find().from_raw_sql(statement).all(db).await? {
            lists.entry(session.user_id).or_default().push(session);
        }
    }
    for list in lists.values_mut() {
        list.sort_by_key(|session| Reverse((session.last_used_at, session.id)));
    }
    Ok(lists)
}

/// Finds a live session of any user.
pub async fn find_live(db: &impl ConnectionTrait, id: Uuid, now: DateTime<Utc>) -> Result<Option<Model>, DbErr> {
    Ok(find_with_user(db, id).await?.filter(|(session, user)| session.is_live(user, now)).map(|(session, _)| session))
}

/// Records that the user of a session has just proved their identity.
pub async fn set_authenticated(db: &impl ConnectionTrait, id: Uuid, now: DateTime<Utc>) -> Result<(), DbErr> {
    let update = Entity::update_many().col_expr(Column::AuthenticatedAt, Expr::value(now)).filter(Column::Id.eq(id));
    update.exec(db).await.map(drop)
}

/// Records that the user of a session has just confirmed the second factor.
pub async fn set_second_factor(
    db: &impl ConnectionTrait,
    id: Uuid,
    amr: AuthenticationMethods,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let update = Entity::update_many()
        .col_expr(Column::Amr, Expr::value(amr))
        .col_expr(Column::AuthenticatedAt, Expr::value(now))
        .col_expr(Column::SecondFactorAt, Expr::value(now));
    update.filter(Column::Id.eq(id)).exec(db).await.map(drop)
}

/// Records that a user no longer has a second factor: no session of the user counts as signed in with it. Sessions that were opened
/// with a password or a provider keep it as their only method; for those that were opened with a passkey, no other method is known.
pub async fn forget_second_factors(db: &impl ConnectionTrait, user_id: Uuid) -> Result<(), DbErr> {
    let [password, provider] = [AuthenticationMethods::password(), AuthenticationMethods::provider()];
    let methods = Expr::case(Column::Amr.starts_with(password.to_string()), Expr::value(password))
        .case(Column::Amr.starts_with(provider.to_string()), Expr::value(provider))
        .finally(Expr::col(Column::Amr));
    let update = Entity::update_many()
        .col_expr(Column::Amr, methods.into())
        .col_expr(Column::SecondFactorAt, Expr::value(None::<DateTime<Utc>>));
    update.filter(Column::UserId.eq(user_id)).filter(Column::SecondFactorAt.is_not_null()).exec(db).await.map(drop)
}
