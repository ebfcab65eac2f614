//! `email_sign_ins`: one row per request to sign in by mail, also for addresses without an account.

use chrono::{DateTime, Utc};
use sea_orm::{Condition, DbBackend, ExprTrait, QueryOrder, QuerySelect, entity::prelude::*};

use crate::security::{link_token::TokenHash, mail_code::MailCodeHash, pkce::CodeChallenge};

/// Maximum number of wrong codes for one request.
pub const MAX_ATTEMPTS: i32 = 5;

/// Maximum number of requests that one code is compared with.
const MAX_OPEN: u64 = 10;

/// A row of `email_sign_ins`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "email_sign_ins")]
pub struct Model {
    /// The id, which is also that of the mail.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The address that the mail is sent to.
    pub email_key: String,
    /// The challenge of the client that asked. Only its verifier can use the mail.
    pub code_challenge: CodeChallenge,
    /// The account. `None` until the mail is sent, and for an address without an account.
    pub user_id: Option<Uuid>,
    /// The hash of the token in the link. `None` until the mail is sent.
    pub token_hash: Option<TokenHash>,
    /// The hash of the code. `None` until the mail is sent.
    pub code_hash: Option<MailCodeHash>,
    /// The number of wrong codes.
    pub attempts: i32,
    /// When the client asked.
    pub created_at: DateTime<Utc>,
    /// When the link and the code expire.
    pub expires_at: DateTime<Utc>,
}

/// Requests are deleted with their account.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::entity::expiry::Expiring for Entity {
    const ID: Column = Column::Id;
    const EXPIRES_AT: Column = Column::ExpiresAt;
}

fn is_open(now: DateTime<Utc>) -> Condition {
    Condition::all().add(Column::ExpiresAt.gt(now)).add(Column::Attempts.lt(MAX_ATTEMPTS))
}

/// The requests of a client for an address that have not expired.
fn of_client(code_challenge: &CodeChallenge, email_key: &str, now: DateTime<Utc>) -> Select<Entity> {
    let own = Entity::find().filter(Column::CodeChallenge.eq(code_challenge.clone()));
    own.filter(Column::EmailKey.eq(email_key)).filter(Column::ExpiresAt.gt(now))
}

/// Inserts a request.
pub async fn insert(db: &impl ConnectionTrait, request: Model) -> Result<(), DbErr> {
    let row = sea_orm::IntoActiveModel::into_active_model(request).reset_all();
    Entity::insert(row).exec_without_returning(db).await.map(drop)
}

/// Sets what a mail contains, and the account that it is for. Replaces what an earlier attempt to send the mail has set. Returns
/// false if the request has expired or allows no further attempt.
pub async fn set_sent(
    db: &impl ConnectionTrait,
    id: Uuid,
    user_id: Uuid,
    (token_hash, code_hash): (TokenHash, MailCodeHash),
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let updated = Entity::update_many()
        .col_expr(Column::UserId, Expr::value(user_id))
        .col_expr(Column::TokenHash, Expr::value(token_hash))
        .col_expr(Column::CodeHash, Expr::value(code_hash))
        .filter(Column::Id.eq(id))
        .filter(is_open(now))
        .exec(db)
        .await?;
    Ok(updated.rows_affected == 1)
}

/// Finds a request of a client that has not expired, by the hash of the token in the link. Wrong codes do not end the link, which
/// cannot be guessed.
pub async fn find_by_token(
    db: &impl ConnectionTrait,
    code_challenge: &CodeChallenge,
    token_hash: &TokenHash,
    now: DateTime<Utc>,
) -> Result<Option<Model>, DbErr> {
    let found = Entity::find().filter(Column::TokenHash.eq(token_hash.clone())).filter(Column::ExpiresAt.gt(now));
    Ok(found.filter(Column::CodeChallenge.eq(code_challenge.clone())).all(db).await?.pop())
}

/// Whether a client has a request for an address whose code can still be tried.
pub async fn has_open(
    db: &impl ConnectionTrait,
    code_challenge: &CodeChallenge,
    email_key: &str,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let open = of_client(code_challenge, email_key, now).filter(Column::Attempts.lt(MAX_ATTEMPTS));
    let ids = open.select_only().column(Column::Id);
    Ok(!ids.into_tuple::<Uuid>().all(db).await?.is_empty())
}

/// Counts an attempt for all requests of a client for an address whose code can still be tried, at most `MAX_OPEN`, and returns
/// them.
pub async fn book_attempt(
    transaction: &impl ConnectionTrait,
    code_challenge: &CodeChallenge,
    email_key: &str,
    now: DateTime<Utc>,
) -> Result<Vec<Model>, DbErr> {
    let rows = of_client(code_challenge, email_key, now).filter(Column::Attempts.lt(MAX_ATTEMPTS)).limit(MAX_OPEN);
    let rows = locked(transaction, rows).all(transaction).await?;
    Entity::update_many()
        .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
        .filter(Column::Id.is_in(rows.iter().map(|row| row.id)))
        .exec(transaction)
        .await?;
    Ok(rows)
}

/// Uses up a request, by deleting it with all requests of its client for its address. If several clients do so at the same time, one
/// gets true. Returns false if the request has expired.
pub async fn take(transaction: &impl ConnectionTrait, request: &Model, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let rows = of_client(&request.code_challenge, &request.email_key, now).select_only().column(Column::Id);
    let ids: Vec<Uuid> = locked(transaction, rows).into_tuple().all(transaction).await?;
    if !ids.contains(&request.id) {
        return Ok(false);
    }
    Entity::delete_many().filter(Column::Id.is_in(ids)).exec(transaction).await?;
    Ok(true)
}

/// Deletes the requests of a user whose mail was sent.
pub async fn delete_of(transaction: &impl ConnectionTrait, user_id: Uuid) -> Result<(), DbErr> {
    let rows = Entity::find().filter(Column::UserId.eq(user_id)).select_only().column(Column::Id);
    let ids: Vec<Uuid> = locked(transaction, rows).into_tuple().all(transaction).await?;
    if !ids.is_empty() {
        Entity::delete_many().filter(Column::Id.is_in(ids)).exec(transaction).await?;
    }
    Ok(())
}

/// Locks the rows of a query until the transaction ends, always in the same order, so that two transactions cannot deadlock.
fn locked(transaction: &impl ConnectionTrait, rows: Select<Entity>) -> Select<Entity> {
    let rows = rows.order_by_asc(Column::Id);
    match transaction.get_database_backend() {
        // SQLite has a single writer, so no lock is needed.
        DbBackend::Sqlite => rows,
        _ => rows.lock_exclusive(),
    }
}
