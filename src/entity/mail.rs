//! `mails`: the outbox. One row for each mail that is to be sent: for what, to whom, never with a token or a text. Sent,
//! it is gone.

use chrono::{DateTime, Utc};
use sea_orm::{DbBackend, IntoActiveModel, QueryOrder, QuerySelect, entity::prelude::*};

use crate::language::Language;

/// A row of `mails`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mails")]
pub struct Model {
    /// Its name; part of its `Message-ID`, so that a mail that is sent twice can be told to be one.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// What it is for.
    pub purpose: Purpose,
    /// Where it goes.
    pub email: String,
    /// The same as it is compared.
    pub email_key: String,
    /// Tag of the language of whoever asked for it.
    pub language: String,
    /// Whose account it is about. None as long as nobody has looked who has the address, if anyone does.
    pub user_id: Option<Uuid>,
    /// Where the request came from, for the audit log.
    pub ip_address: Option<String>,
    /// `User-Agent` of the request.
    pub user_agent: Option<String>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When to try next. Whoever tries moves it on, beyond the time that a try may take.
    pub next_attempt_at: DateTime<Utc>,
    /// How often it was tried, this time included: who moves it on owns the try.
    pub attempts: i32,
    /// How many mails the client or account that asked for it had asked for lately, this one included; 0 where that is
    /// not counted. Mails of lower rounds are sent first, so that nobody's mails wait for all of somebody else's.
    pub round: i32,
    /// The request to move that it is for; none where it goes to the account's own address.
    pub pending_email_id: Option<Uuid>,
}

/// A mail goes with the account that it is about.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What a mail is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(20))", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Purpose {
    /// It brings the link that verifies an address.
    VerifyEmail,
    /// It brings the link that sets a new password.
    ResetPassword,
    /// It tells of a new password.
    PasswordChanged,
    /// It tells the address that an account had before of another one.
    EmailChanged,
}

impl Model {
    /// The language of whoever asked for it.
    #[must_use]
    pub fn language(&self) -> Language {
        Language::ALL.into_iter().find(|language| language.tag() == self.language).unwrap_or_default()
    }
}

/// The mail with an id, if it is due.
pub async fn find_due(db: &impl ConnectionTrait, id: Uuid, now: DateTime<Utc>) -> Result<Option<Model>, DbErr> {
    let mails = Entity::find_by_id(id).filter(Column::NextAttemptAt.lte(now));
    Ok(mails.all(db).await?.pop())
}

/// Some mails that are due and belong to an account, in the order in which they are to be sent.
pub async fn due(db: &impl ConnectionTrait, most: u64, now: DateTime<Utc>) -> Result<Vec<Uuid>, DbErr> {
    first(Column::UserId.is_not_null(), most, now).into_tuple().all(db).await
}

/// Some mails whose recipients have not been looked up, in the order in which they are to be sent.
pub async fn unresolved(db: &impl ConnectionTrait, most: u64, now: DateTime<Utc>) -> Result<Vec<Uuid>, DbErr> {
    first(Column::UserId.is_null(), most, now).into_tuple().all(db).await
}

fn first(condition: Expr, most: u64, now: DateTime<Utc>) -> Select<Entity> {
    let ids = Entity::find().select_only().column(Column::Id).filter(condition).filter(Column::NextAttemptAt.lte(now));
    ids.order_by_asc(Column::Round).order_by_asc(Column::NextAttemptAt).limit(most)
}

/// Takes mails out of the outbox: of several instances that do so at once, one gets each mail.
pub async fn remove(transaction: &impl ConnectionTrait, ids: Vec<Uuid>) -> Result<Vec<Model>, DbErr> {
    let rows = Entity::find().filter(Column::Id.is_in(ids)).order_by_asc(Column::Id);
    let rows = match transaction.get_database_backend() {
        // Its one writer is alone already.
        DbBackend::Sqlite => rows,
        _ => rows.lock_exclusive(),
    };
    let rows = rows.all(transaction).await?;
    let ids: Vec<Uuid> = rows.iter().map(|mail| mail.id).collect();
    Entity::delete_many().filter(Column::Id.is_in(ids)).exec(transaction).await?;
    Ok(rows)
}

/// Writes many mails at once.
pub async fn insert_all(db: &impl ConnectionTrait, mails: Vec<Model>) -> Result<(), DbErr> {
    let rows = mails.into_iter().map(|mail| mail.into_active_model().reset_all());
    Entity::insert_many(rows).exec_without_returning(db).await.map(drop)
}

/// Leases a mail for one attempt, until `until`. Of several workers that do so at the same time, one gets true.
pub async fn lease(db: &impl ConnectionTrait, mail: &Model, until: DateTime<Utc>) -> Result<bool, DbErr> {
    let claimed = Entity::update_many()
        .col_expr(Column::Attempts, Expr::value(mail.attempts + 1))
        .col_expr(Column::NextAttemptAt, Expr::value(until))
        .filter(Column::Id.eq(mail.id))
        .filter(Column::Attempts.eq(mail.attempts))
        .exec(db)
        .await?;
    Ok(claimed.rows_affected == 1)
}

/// Puts the next try off, unless someone else has taken the mail since.
pub async fn put_off(db: &impl ConnectionTrait, id: Uuid, attempts: i32, until: DateTime<Utc>) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::NextAttemptAt, Expr::value(until))
        .filter(Column::Id.eq(id))
        .filter(Column::Attempts.eq(attempts))
        .exec(db)
        .await
        .map(drop)
}

/// Deletes a mail that has been tried so often. False if someone else has taken it since.
pub async fn delete(db: &impl ConnectionTrait, id: Uuid, attempts: i32) -> Result<bool, DbErr> {
    let deleted =
        Entity::delete_many().filter(Column::Id.eq(id)).filter(Column::Attempts.eq(attempts)).exec(db).await?;
    Ok(deleted.rows_affected == 1)
}
