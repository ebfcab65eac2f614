//! `sessions`: refresh token rotation.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::entity::session::{BurntGenerations, Column, Entity, Model};

/// Rotates a session to its next generation, unless another request has rotated it or it was revoked. The use of the
/// current generation's token confirms that generation.
pub async fn rotate(
    db: &impl ConnectionTrait,
    session: &Model,
    expires_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Option<Model>, DbErr> {
    let next = Model {
        confirmed_generation: session.generation,
        predecessor: Some(session.generation),
        repeated_at: None,
        ..next(session, expires_at, now)
    };
    advance(db, session, next).await
}

/// Replaces the unconfirmed generation of `session` with a new one of the same predecessor, whose token was presented
/// again. Returns `None` if the generation was confirmed or replaced in the meantime.
pub async fn rotate_again(
    db: &impl ConnectionTrait,
    session: &Model,
    burnt: BurntGenerations,
    expires_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Option<Model>, DbErr> {
    let repeated_at = session.repeated_at.or(Some(now));
    advance(db, session, Model { repeated_at, burnt, ..next(session, expires_at, now) }).await
}

fn next(session: &Model, expires_at: DateTime<Utc>, now: DateTime<Utc>) -> Model {
    Model {
        generation: session.generation + 1,
        rotated_at: Some(now),
        last_used_at: now,
        expires_at,
        ..session.clone()
    }
}

/// Replaces `session` with `next` by compare-and-swap.
async fn advance(db: &impl ConnectionTrait, session: &Model, next: Model) -> Result<Option<Model>, DbErr> {
    let updated = Entity::update_many()
        .col_expr(Column::Generation, Expr::value(next.generation))
        .col_expr(Column::ConfirmedGeneration, Expr::value(next.confirmed_generation))
        .col_expr(Column::Predecessor, Expr::value(next.predecessor))
        .col_expr(Column::Burnt, Expr::value(next.burnt.clone()))
        .col_expr(Column::RotatedAt, Expr::value(next.rotated_at))
        .col_expr(Column::RepeatedAt, Expr::value(next.repeated_at))
        .col_expr(Column::LastUsedAt, Expr::value(next.last_used_at))
        .col_expr(Column::ExpiresAt, Expr::value(next.expires_at))
        .filter(Column::Id.eq(session.id))
        .filter(Column::Generation.eq(session.generation))
        .filter(Column::ConfirmedGeneration.eq(session.confirmed_generation))
        .filter(Column::RevokedAt.is_null())
        .exec(db)
        .await?;
    Ok((updated.rows_affected == 1).then_some(next))
}

/// Records that a token of the current generation was presented.
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
