//! `hallpass user show`.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::describe::{NONE, list_roles, user_object, yes_or_no};
use crate::{
    cli::{
        error_for_operator,
        output::{instant, milliseconds, print, print_line},
    },
    domain::{
        Context, identities,
        mfa::Overview,
        sessions::{self, Session},
        users::administration::{self, Administrator},
    },
    entity::{identity::Model as Identity, user::Model},
};

/// Prints a user with the identities and the current sessions.
pub(super) async fn run(
    context: &Context,
    administrator: &Administrator,
    username_or_email: &str,
    as_json: bool,
) -> Result<()> {
    let user = administration::find(context, administrator, username_or_email).await;
    let user = user.map_err(|error| error_for_operator(context.settings(), error))?;
    let sessions = sessions::list_many(context, administrator, &[user.id]).await;
    let sessions = sessions.context("the sessions can't be listed")?.remove(&user.id).unwrap_or_default();
    let factors = administration::second_factors(context, administrator, user.id).await;
    let factors = factors.context("the second factors can't be read")?;
    let identities = identities::list_many(context, administrator, &[user.id]).await;
    let identities = identities.context("the identities can't be listed")?.remove(&user.id).unwrap_or_default();
    if as_json {
        let mut object = user_object(context, &user);
        object.insert("mfaMethods".to_owned(), methods(&factors));
        object.insert("recoveryCodesLeft".to_owned(), recovery_codes_left(&factors).into());
        object.insert("identities".to_owned(), identities.iter().map(identity_object).collect());
        object.insert("sessions".to_owned(), sessions.iter().map(session_object).collect());
        return print_line(Value::from(object));
    }
    print(describe(context, &user, &factors, &identities, &sessions))
}

/// A value of the GraphQL field `recoveryCodesLeft`.
fn recovery_codes_left(factors: &Overview) -> Option<u64> {
    let has_factor = factors.totp_confirmed_at.is_some() || !factors.passkeys.is_empty();
    has_factor.then_some(factors.recovery_codes_left)
}

/// A value of the GraphQL field `mfaMethods`.
fn methods(factors: &Overview) -> Value {
    let codes = recovery_codes_left(factors).is_some_and(|left| left > 0);
    let (has_app, has_passkey) = (factors.totp_confirmed_at.is_some(), !factors.passkeys.is_empty());
    let methods = [(has_app, "TOTP"), (has_passkey, "PASSKEY"), (codes, "RECOVERY_CODE")];
    methods.into_iter().filter(|(is_set_up, _)| *is_set_up).map(|(_, method)| method).collect()
}

fn describe_factors(factors: &Overview) -> String {
    let app = factors.totp_confirmed_at.map(|at| format!("authenticator app since {}", instant(at)));
    let passkeys = Some(factors.passkeys.len()).filter(|count| *count > 0).map(|count| format!("passkeys: {count}"));
    let codes = recovery_codes_left(factors).map(|left| format!("unused recovery codes: {left}"));
    let parts: Vec<String> = [app, passkeys, codes].into_iter().flatten().collect();
    if parts.is_empty() { NONE.to_owned() } else { parts.join(", ") }
}

fn describe(
    context: &Context,
    user: &Model,
    factors: &Overview,
    identities: &[Identity],
    sessions: &[Session],
) -> String {
    let text = |text: Option<&str>| text.unwrap_or(NONE).to_owned();
    let verified = match (&user.email, user.email_verified_at) {
        (None, _) => String::new(),
        (Some(_), None) => " (not verified)".to_owned(),
        (Some(_), Some(at)) => format!(" (verified {})", instant(at)),
    };
    let rows = [
        ("username", user.username.clone()),
        ("id", user.id.to_string()),
        ("email", text(user.email.as_deref()) + &verified),
        ("pending email", text(user.pending_email_at(context.now()))),
        ("first name", text(user.first_name.as_deref())),
        ("last name", text(user.last_name.as_deref())),
        ("roles", list_roles(context.settings(), &user.roles)),
        ("active", yes_or_no(user.is_active).to_owned()),
        ("created", instant(user.created_at)),
        ("updated", instant(user.updated_at)),
        ("last login", user.last_login_at.map_or_else(|| NONE.to_owned(), instant)),
        ("second factor", describe_factors(factors)),
    ];
    let row = |(name, value): &(&str, String)| format!("{name:<13}  {value}\n");
    let lists = [
        row(&("identities", identities.len().to_string())),
        identities.iter().map(describe_identity).collect(),
        row(&("sessions", sessions.len().to_string())),
        sessions.iter().map(describe_session).collect(),
    ];
    rows.iter().map(row).chain(lists).collect()
}

fn describe_identity(identity: &Identity) -> String {
    let Identity { provider_id, email, linked_at, last_used_at, .. } = identity;
    let [email, used] = [email.clone(), last_used_at.map(instant)].map(|text| text.unwrap_or_else(|| NONE.to_owned()));
    format!("  {provider_id}, {email}: linked {}, last used {used}\n", instant(*linked_at))
}

/// An identity as a JSON object with fields of the API. The subject is left out, as there.
fn identity_object(identity: &Identity) -> Value {
    json!({
        "id": identity.id,
        "provider": { "id": identity.provider_id },
        "email": identity.email,
        "linkedAt": milliseconds(identity.linked_at),
        "lastUsedAt": identity.last_used_at.map(milliseconds),
    })
}

fn describe_session(session: &Session) -> String {
    let device = sessions::device(session.user_agent.as_deref());
    let address = session.ip_address.as_deref().unwrap_or(NONE);
    let [created, used, expires] = [session.created_at, session.last_used_at, session.expires_at].map(instant);
    format!("  {device}, {address}: signed in {created}, last used {used}, expires {expires}\n")
}

/// A session as a JSON object with the fields of the API.
fn session_object(session: &Session) -> Value {
    json!({
        "id": session.id,
        "device": sessions::device(session.user_agent.as_deref()),
        "userAgent": session.user_agent,
        "ipAddress": session.ip_address,
        "createdAt": milliseconds(session.created_at),
        "authenticatedAt": milliseconds(session.last_authenticated_at()),
        "authenticationMethods": session.amr.as_slice(),
        "lastUsedAt": milliseconds(session.last_used_at),
        "expiresAt": milliseconds(session.expires_at),
    })
}
