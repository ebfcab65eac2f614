//! `mails`: the outbox, one row per mail to send. A row contains the purpose and the recipient, never a token or a
//! text. It is deleted when the mail has been sent.

use chrono::{DateTime, Utc};
use sea_orm::{
    DbBackend, ExprTrait, IntoActiveModel, Iterable, QueryOrder, QuerySelect, QueryTrait, entity::prelude::*,
    sea_query::Query,
};

use crate::{
    entity::{link, passkey, user},
    language::Language,
};

/// A row of `mails`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mails")]
pub struct Model {
    /// The id. It is part of the `Message-ID`, so that mail servers recognize a mail that is sent twice.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The purpose.
    pub purpose: Purpose,
    /// The recipient's address.
    pub email: String,
    /// The normalized address, for comparisons.
    pub email_key: String,
    /// The language tag of the request that caused the mail.
    pub language: String,
    /// The account that the mail concerns. `None` for the mail of an invitation, for a notice of the deletion of an account,
    /// and until the owner of the address, if any, has been looked up.
    pub user_id: Option<Uuid>,
    /// The client's IP address, for the audit log.
    pub ip_address: Option<String>,
    /// `User-Agent` of the request.
    pub user_agent: Option<String>,
    /// The time of the request.
    pub created_at: DateTime<Utc>,
    /// When the next attempt may start. A worker leases the mail by moving this time past the longest possible attempt.
    pub next_attempt_at: DateTime<Utc>,
    /// The number of attempts, including the current one. A lease increments it; the worker that did so owns the
    /// attempt.
    pub attempts: i32,
    /// The number of recent mails requested by the same client or account, including this one; 0 if they are not
    /// counted. Mails of lower rounds are sent first, so that one requester cannot delay the mails of others.
    pub round: i32,
    /// The address change that the mail belongs to. `None` for mails to the account's own address.
    pub pending_email_id: Option<Uuid>,
    /// The invitation that the mail contains. `None` for all other mails.
    pub invitation_id: Option<Uuid>,
}

/// A mail is deleted with the account that it concerns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The purpose of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(20))", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Purpose {
    /// Contains a link that verifies an address.
    VerifyEmail,
    /// Contains a link that sets a new password.
    ResetPassword,
    /// Contains a link with which a user chooses a password at the request of an administrator.
    ChoosePassword,
    /// Notifies the user of a new password.
    PasswordChanged,
    /// Notifies the previous address of a change of address.
    EmailChanged,
    /// Notifies the user of new roles.
    RolesChanged,
    /// Notifies the user that the account was disabled.
    AccountDisabled,
    /// Notifies the user that the account was deleted.
    AccountDeleted,
    /// Contains a link and a code with which the user signs in. Its id is that of the request.
    SignIn,
    /// Notifies the user that the password was removed.
    PasswordRemoved,
    /// Contains a link that accepts an invitation.
    Invitation,
    /// Notifies the user that a second factor was set up.
    MfaEnabled,
    /// Notifies the user that the second factor was removed.
    MfaDisabled,
    /// Notifies the user that an administrator removed the second factor.
    MfaReset,
    /// Notifies the user that a recovery code was used.
    RecoveryCodeUsed,
    /// Notifies the user that a passkey was added.
    PasskeyAdded,
    /// Notifies the user that a passkey was removed.
    PasskeyRemoved,
    /// Notifies the user that an identity at a provider was linked.
    IdentityLinked,
    /// Notifies the user that an identity at a provider was unlinked.
    IdentityUnlinked,
}

impl Model {
    /// Whether the recipient is known. Otherwise, the owner of the address is looked up first.
    #[must_use]
    pub fn is_resolved(&self) -> bool {
        self.user_id.is_some() || self.invitation_id.is_some() || self.purpose == Purpose::AccountDeleted
    }

    /// The language of the request that caused the mail.
    #[must_use]
    pub fn language(&self) -> Language {
        Language::ALL.into_iter().find(|language| language.tag() == self.language).unwrap_or_default()
    }
}

/// Finds a mail by id, if it is due.
pub async fn find_due(db: &impl ConnectionTrait, id: Uuid, now: DateTime<Utc>) -> Result<Option<Model>, DbErr> {
    let mails = Entity::find_by_id(id).filter(Column::NextAttemptAt.lte(now));
    Ok(mails.all(db).await?.pop())
}

/// Lists due mails that are [resolved](Model::is_resolved), at most `limit`, in sending order.
pub async fn due(db: &impl ConnectionTrait, limit: u64, now: DateTime<Utc>) -> Result<Vec<Uuid>, DbErr> {
    let is_resolved = Column::UserId.is_not_null().or(Column::InvitationId.is_not_null());
    first(is_resolved.or(Column::Purpose.eq(Purpose::AccountDeleted)), limit, now).into_tuple().all(db).await
}

/// Lists due mails whose recipients have not been looked up, at most `limit`, in sending order.
pub async fn unresolved(db: &impl ConnectionTrait, limit: u64, now: DateTime<Utc>) -> Result<Vec<Uuid>, DbErr> {
    first(is_unresolved(), limit, now).into_tuple().all(db).await
}

fn is_unresolved() -> Expr {
    Column::UserId.is_null().and(Column::InvitationId.is_null()).and(Column::Purpose.ne(Purpose::AccountDeleted))
}

/// Counts all mails, and finds the time of the oldest one.
pub async fn waiting(db: &impl ConnectionTrait) -> Result<(i64, Option<DateTime<Utc>>), DbErr> {
    let counted = Entity::find().select_only().column_as(Column::Id.count(), "count");
    let row = counted.column_as(Column::CreatedAt.min(), "oldest").into_tuple().one(db).await?;
    Ok(row.unwrap_or_default())
}

fn first(condition: Expr, limit: u64, now: DateTime<Utc>) -> Select<Entity> {
    let ids = Entity::find().select_only().column(Column::Id).filter(condition).filter(Column::NextAttemptAt.lte(now));
    ids.order_by_asc(Column::Round).order_by_asc(Column::NextAttemptAt).limit(limit)
}

/// Removes mails whose recipients have not been looked up from the outbox, and returns them. If several instances do so at the same
/// time, each mail is returned to one of them. The others find it resolved; if they locked it, they could deadlock with its delivery.
pub async fn remove_unresolved(transaction: &impl ConnectionTrait, ids: Vec<Uuid>) -> Result<Vec<Model>, DbErr> {
    let rows = Entity::find().filter(Column::Id.is_in(ids)).filter(is_unresolved()).order_by_asc(Column::Id);
    let rows = match transaction.get_database_backend() {
        // SQLite has a single writer, so no lock is needed.
        DbBackend::Sqlite => rows,
        _ => rows.lock_exclusive(),
    };
    let rows = rows.all(transaction).await?;
    let ids: Vec<Uuid> = rows.iter().map(|mail| mail.id).collect();
    Entity::delete_many().filter(Column::Id.is_in(ids)).exec(transaction).await?;
    Ok(rows)
}

/// Inserts mails with one statement.
pub async fn insert_all(db: &impl ConnectionTrait, mails: Vec<Model>) -> Result<(), DbErr> {
    let rows = mails.into_iter().map(|mail| mail.into_active_model().reset_all());
    Entity::insert_many(rows).exec_without_returning(db).await.map(drop)
}

/// Inserts a mail with a link to reset the password, if the user `mail.user_id` is active and has neither a password nor a passkey,
/// and if neither such a mail waits nor such a link is valid. The statement is the same for all users, also for those that do not exist.
/// Returns whether the mail was inserted.
pub async fn insert_for_user_without_password(
    db: &impl ConnectionTrait,
    mail: Model,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let user_id = mail.user_id;
    let waiting = Entity::find().filter(Column::UserId.eq(user_id)).filter(Column::Purpose.eq(Purpose::ResetPassword));
    let links = link::Entity::find()
        .filter(link::Column::UserId.eq(user_id))
        .filter(link::Column::Purpose.eq(link::Purpose::ResetPassword))
        .filter(link::Column::UsedAt.is_null())
        .filter(link::Column::ExpiresAt.gt(now));
    let passkeys = passkey::Entity::find().filter(passkey::Column::UserId.eq(user_id));
    let mut rows = user::Entity::find()
        .select_only()
        .filter(user::Column::Id.eq(user_id))
        .filter(user::Column::EmailKey.eq(mail.email_key.as_str()))
        .filter(user::Column::HasPassword.eq(false))
        .filter(user::Column::IsActive.eq(true))
        .filter(Expr::exists(waiting.into_query()).not())
        .filter(Expr::exists(links.into_query()).not())
        .filter(Expr::exists(passkeys.into_query()).not())
        .into_query();
    let values = mail.into_active_model().reset_all();
    for column in Column::iter() {
        let value = values.get(column).into_value();
        rows.expr(Expr::value(value.ok_or_else(|| DbErr::Custom("a column is not set".to_owned()))?));
    }
    let mut insert = Query::insert();
    insert
        .into_table(Entity)
        .columns(Column::iter())
        .select_from(rows)
        .map_err(|error| DbErr::Custom(error.to_string()))?;
    Ok(db.execute(&insert).await?.rows_affected() > 0)
}

/// Leases a mail for one attempt, until `until`. If several workers do so at the same time, one gets true.
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

/// Postpones the next attempt, unless another worker has leased the mail since.
pub async fn postpone(db: &impl ConnectionTrait, id: Uuid, attempts: i32, until: DateTime<Utc>) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::NextAttemptAt, Expr::value(until))
        .filter(Column::Id.eq(id))
        .filter(Column::Attempts.eq(attempts))
        .exec(db)
        .await
        .map(drop)
}

/// Deletes a mail if it still has this number of attempts. Returns false if another worker has leased it since.
pub async fn delete(db: &impl ConnectionTrait, id: Uuid, attempts: i32) -> Result<bool, DbErr> {
    let deleted =
        Entity::delete_many().filter(Column::Id.eq(id)).filter(Column::Attempts.eq(attempts)).exec(db).await?;
    Ok(deleted.rows_affected == 1)
}
