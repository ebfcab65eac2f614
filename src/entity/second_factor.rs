//! The second factors of users, of any kind: authenticator apps and passkeys.

use sea_orm::entity::prelude::*;

use crate::entity::{passkey, totp_factor};

/// Whether the user has an authenticator app or a passkey.
pub async fn exists(db: &impl ConnectionTrait, user_id: Uuid) -> Result<bool, DbErr> {
    Ok(totp_factor::is_confirmed(db, user_id).await? || passkey::exists(db, user_id).await?)
}
