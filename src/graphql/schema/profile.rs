//! `updateProfile`.

use async_graphql::{Context, InputObject, MaybeUndefined, Object, SimpleObject};

use crate::{
    Result,
    domain::users::profile::{self, ProfileChange},
    graphql::{
        Nullable,
        context::ContextExt,
        schema::{change, users::User},
    },
};

#[derive(Debug, Default)]
pub(in crate::graphql) struct ProfileMutation;

#[Object]
impl ProfileMutation {
    /// Change the names of the signed-in user. Changes of username, and requests for taken ones, are limited, by
    /// default to 5 changes a day.
    /// Codes: REQUIRED, USERNAME_TAKEN, INVALID_USERNAME, TOO_LONG, BAD_USER_INPUT, UNAUTHENTICATED, RATE_LIMITED,
    /// SERVICE_UNAVAILABLE.
    async fn update_profile(&self, ctx: &Context<'_>, input: UpdateProfileInput) -> Nullable<UpdateProfilePayload> {
        Some(update(ctx, input).await)
    }
}

async fn update(ctx: &Context<'_>, input: UpdateProfileInput) -> Result<UpdateProfilePayload> {
    let principal = ctx.principal().await?;
    let user = profile::update(ctx.domain(), principal, input.into()).await?;
    Ok(UpdateProfilePayload { user: user.into() })
}

/// The fields to change. Omitted fields stay; `null` clears a name.
#[derive(InputObject)]
pub struct UpdateProfileInput {
    /// 1 to 64 letters (A-Z), digits, `_` and `-`, not starting with `-`. It cannot be cleared.
    username: MaybeUndefined<String>,
    /// Given name, at most 100 characters.
    first_name: MaybeUndefined<String>,
    /// Family name, at most 100 characters.
    last_name: MaybeUndefined<String>,
}

impl From<UpdateProfileInput> for ProfileChange {
    fn from(input: UpdateProfileInput) -> Self {
        Self {
            username: change(input.username),
            first_name: change(input.first_name),
            last_name: change(input.last_name),
        }
    }
}

/// The result of `updateProfile`.
#[derive(SimpleObject)]
pub struct UpdateProfilePayload {
    /// The user after the change.
    user: User,
}
