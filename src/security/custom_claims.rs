//! The values of the claims that `ACCESS_TOKEN_CLAIMS` adds to the access token of a user.

use serde_json::{Map, Value};

use crate::{
    config::{Claim, ClaimValue, UserField},
    security::access_token::Subject,
};

/// Returns the claims of a user. Claims without a value are omitted.
pub(super) fn render(claims: &[Claim], subject: &Subject<'_>) -> Map<String, Value> {
    claims.iter().filter_map(|(name, value)| Some((name.clone(), value_of(value, subject)?))).collect()
}

fn value_of(value: &ClaimValue, subject: &Subject<'_>) -> Option<Value> {
    let has = |role: &String| subject.roles.contains(role);
    Some(match value {
        ClaimValue::Text(text) => text.as_str().into(),
        ClaimValue::Number(number) => (*number).into(),
        ClaimValue::Flag(flag) => (*flag).into(),
        ClaimValue::Field(field) => field_of(*field, subject)?,
        ClaimValue::Roles => subject.roles.into(),
        ClaimValue::MappedRoles(roles) => roles.iter().filter(|(role, _)| has(role)).map(|(_, name)| &**name).collect(),
        ClaimValue::FirstRole { roles, otherwise } => {
            let first = roles.iter().find(|(role, _)| has(role)).map(|(_, name)| name);
            first.or(otherwise.as_ref())?.as_str().into()
        }
        ClaimValue::Object(claims) => render(claims, subject).into(),
    })
}

fn field_of(field: UserField, subject: &Subject<'_>) -> Option<Value> {
    let (first, last) = (subject.first_name, subject.last_name);
    Some(match field {
        UserField::Id => subject.user_id.to_string().into(),
        UserField::Username => subject.username.into(),
        UserField::Email => subject.verified_email?.into(),
        UserField::FirstName => first?.into(),
        UserField::LastName => last?.into(),
        UserField::Name if first.is_none() && last.is_none() => return None,
        UserField::Name => [first, last].into_iter().flatten().collect::<Vec<_>>().join(" ").into(),
    })
}
