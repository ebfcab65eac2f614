//! The result of `me`.

use std::{borrow::Cow, sync::Arc};

use async_graphql::{
    Context, ContextSelectionSet, OutputType, Positioned, ScalarType, SelectionField, ServerResult, Value,
    parser::types::{Field, Selection},
    registry::Registry,
};

use crate::{
    App, Error, Result,
    domain::Principal,
    entity::user,
    graphql::schema::{scalars::DateTime, users::User},
};

/// The signed-in user, as the type [`User`].
///
/// The engine allocates a future for each selected field. These took a quarter of the instructions of `me`, so fields
/// that need no work are resolved without the engine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Me<'a>(&'a user::Model);

/// The fields that users who must set up a second factor may select.
const FIELDS_BEFORE_ENROLLMENT: &[&str] = &["id", "username", "mfaMethods", "__typename"];

impl<'a> Me<'a> {
    /// Creates the result of the field that is being resolved.
    ///
    /// # Errors
    /// MFA_ENROLLMENT_REQUIRED if the user must set up a second factor first, and a field is selected that is not allowed
    /// before.
    pub(super) fn of(ctx: &Context<'a>, principal: &'a Principal) -> Result<Self> {
        // Includes the fields of fragments.
        let is_allowed = |field: SelectionField<'_>| FIELDS_BEFORE_ENROLLMENT.contains(&field.name());
        if principal.must_enroll && !ctx.field().selection_set().all(is_allowed) {
            return Err(Error::MfaEnrollmentRequired);
        }
        Ok(Self(&principal.user))
    }
}

impl OutputType for Me<'_> {
    fn type_name() -> Cow<'static, str> {
        User::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        User::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        if let Some(object) = self.resolve_directly(ctx) {
            return Ok(object);
        }
        let user = User::from(self.0.clone());
        // Boxed, because it is large, and the future of every `me` contains it.
        Box::pin(user.resolve(ctx, field)).await
    }
}

impl Me<'_> {
    /// Resolves the selected fields. Returns `None` if one of them needs the engine: a fragment, a directive, or a field
    /// that is not listed in [`Me::value`].
    fn resolve_directly(self, ctx: &ContextSelectionSet<'_>) -> Option<Value> {
        let resolve = |selection: &Positioned<Selection>| {
            let Selection::Field(field) = &selection.node else { return None };
            let field = &field.node;
            let is_plain = field.directives.is_empty() && field.arguments.is_empty();
            let value = if is_plain { self.value(ctx, field.name.node.as_str())? } else { return None };
            Some((field.response_key().node.clone(), value))
        };
        ctx.item.node.items.iter().map(resolve).collect::<Option<_>>().map(Value::Object)
    }

    /// The value of a field, as the resolver of [`User`] returns it.
    fn value(self, ctx: &ContextSelectionSet<'_>, field: &str) -> Option<Value> {
        let user = self.0;
        let app = ctx.data_unchecked::<Arc<App>>();
        let optional = |text: Option<&str>| text.map_or(Value::Null, Value::from);
        Some(match field {
            "__typename" => Value::from(&*Self::type_name()),
            "id" => Value::from(user.id.to_string()),
            "username" => Value::from(user.username.as_str()),
            "email" => optional(user.email.as_deref()),
            "emailVerified" => Value::from(user.email.is_some() && user.email_verified_at.is_some()),
            "pendingEmail" => optional(user.pending_email_at(app.clock.now())),
            "firstName" => optional(user.first_name.as_deref()),
            "lastName" => optional(user.last_name.as_deref()),
            "fullName" => optional(user.full_name().as_deref()),
            "hasPassword" => Value::from(user.has_password),
            "isActive" => Value::from(user.is_active),
            "roles" => Value::List(app.settings.known_roles(&user.roles.0).into_iter().map(Value::from).collect()),
            "createdAt" => DateTime(user.created_at).to_value(),
            "updatedAt" => DateTime(user.updated_at).to_value(),
            "lastLoginAt" => user.last_login_at.map_or(Value::Null, |time| DateTime(time).to_value()),
            _ => return None,
        })
    }
}
