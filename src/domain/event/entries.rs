//! The entries that events leave in the audit log.

use uuid::Uuid;

use super::Event;
use crate::{
    domain::{audit::Entry, context::Actor, sign_in::SecondFactor},
    entity::audit_event::Action,
};

/// The audit entries of an event. `actor` is the actor of the unit of work.
pub(super) fn of(event: &Event, actor: Actor) -> Vec<Entry> {
    let one = |action, user_id| vec![Entry::new(action, actor, user_id)];
    // Sign-in and sign-out are actions of the user, although the request is not authenticated before or after them.
    let own = |action, user_id| vec![Entry::new(action, Actor::User(user_id), user_id)];
    // Without the name, which the log would keep after the account is deleted.
    let of_passkey = |action, user_id: Uuid, passkey_id: &Uuid| {
        vec![Entry::new(action, actor, user_id).with("passkey", &passkey_id.to_string())]
    };
    match event {
        Event::UserRegistered { user, .. } => own(Action::UserRegistered, user.id),
        Event::UserCreated { user, .. } => one(Action::UserCreated, user.id),
        Event::UsersImported { user_ids } => {
            user_ids.iter().map(|id| Entry::new(Action::UserCreated, actor, *id)).collect()
        }
        Event::LoggedIn { user_id, method, second_factor } => {
            let entry = Entry::new(Action::LoggedIn, Actor::User(*user_id), *user_id).with("method", method.name());
            vec![match second_factor {
                Some(SecondFactor::Method(method)) => entry.with("secondFactor", method.name()),
                Some(SecondFactor::RememberedDevice) => entry.with("secondFactor", "remembered_device"),
                None => entry,
            }]
        }
        Event::LoginFailed { user_id } => vec![Entry::new(Action::LoginFailed, actor, *user_id)],
        Event::PasswordRefused { user } => {
            vec![Entry::new(Action::LoginFailed, actor, user.as_ref().map(|user| user.id))]
        }
        Event::LoggedOut { user_id } => own(Action::LoggedOut, *user_id),
        Event::SessionRevoked { user_id } => one(Action::SessionRevoked, *user_id),
        Event::TokenReused { user_id } => one(Action::TokenReused, *user_id),
        Event::TokenRepeated { user_id } => one(Action::TokenRepeated, *user_id),
        Event::ProfileUpdated { user_id, fields } => {
            let entry = Entry::new(Action::ProfileUpdated, actor, *user_id);
            vec![fields.iter().fold(entry, |entry, field| entry.with("field", field.camel_case()))]
        }
        Event::PasswordChanged { user } => one(Action::PasswordChanged, user.id),
        Event::MailRequested { .. } | Event::EmailSignInRequested { .. } => Vec::new(),
        Event::PasswordRemoved { user } => one(Action::PasswordRemoved, user.id),
        Event::PasswordLinkSent { user } => one(Action::PasswordResetRequested, user.id),
        Event::PasswordResetRequested { user_id } => {
            vec![Entry::new(Action::PasswordResetRequested, Actor::Anonymous, *user_id)]
        }
        Event::PasswordReset { user, verified_email } => {
            let verified = verified_email.then(|| Entry::new(Action::EmailVerified, actor, user.id));
            [Entry::new(Action::PasswordReset, actor, user.id)].into_iter().chain(verified).collect()
        }
        Event::EmailVerified { user_id } => one(Action::EmailVerified, *user_id),
        Event::EmailChangeRequested { user, .. } => one(Action::EmailChangeRequested, user.id),
        Event::EmailChangeCancelled { user_id } => one(Action::EmailChangeCancelled, *user_id),
        Event::EmailChanged { after, .. } => one(Action::EmailChanged, after.id),
        Event::EmailReplaced { user, .. } => own(Action::EmailReplaced, user.id),
        Event::EmailRemoved { user_id } => one(Action::EmailRemoved, *user_id),
        Event::RolesChanged { user } => {
            vec![Entry::new(Action::RolesChanged, actor, user.id).with("roles", &user.roles.to_string())]
        }
        Event::UserDisabled { user, reason } => {
            vec![Entry::new(Action::UserDisabled, actor, user.id).with_reason(reason.as_deref())]
        }
        Event::UserEnabled { user_id } => one(Action::UserEnabled, *user_id),
        // Without the address, which the log would keep after the account is deleted.
        Event::UserInvited { invitation, .. } => {
            let entry = Entry::new(Action::UserInvited, actor, None).with("invitation", &invitation.id.to_string());
            vec![entry.with("roles", &invitation.roles.to_string())]
        }
        Event::InvitationAccepted { user, invitation_id } => {
            let entry = Entry::new(Action::InvitationAccepted, Actor::User(user.id), user.id);
            vec![entry.with("invitation", &invitation_id.to_string()).with("roles", &user.roles.to_string())]
        }
        Event::InvitationRevoked { invitation_id } => {
            vec![Entry::new(Action::InvitationRevoked, actor, None).with("invitation", &invitation_id.to_string())]
        }
        Event::UserDeleted { user, reason } => {
            let entry = Entry::new(Action::UserDeleted, actor, user.id).with_reason(reason.as_deref());
            // The log does not keep the IP addresses of deleted users.
            vec![if actor == Actor::User(user.id) { entry.without_client() } else { entry }]
        }
        Event::DataExported { user_id } => one(Action::DataExported, *user_id),
        Event::MfaEnabled { user } => one(Action::MfaEnabled, user.id),
        Event::MfaDisabled { user } => one(Action::MfaDisabled, user.id),
        Event::MfaReset { user, reason } => {
            vec![Entry::new(Action::MfaReset, actor, user.id).with_reason(reason.as_deref())]
        }
        Event::MfaFailed { user_id } => one(Action::MfaFailed, *user_id),
        Event::RecoveryCodeUsed { user } => own(Action::RecoveryCodeUsed, user.id),
        Event::RecoveryCodesRegenerated { user_id } => one(Action::RecoveryCodesRegenerated, *user_id),
        Event::DeviceRemembered { user_id } => own(Action::DeviceRemembered, *user_id),
        Event::RememberedDeviceRevoked { user_id } => one(Action::RememberedDeviceRevoked, *user_id),
        Event::PasskeyAdded { user, passkey_id } => {
            let entry = Entry::new(Action::PasskeyAdded, Actor::User(user.id), user.id);
            vec![entry.with("passkey", &passkey_id.to_string())]
        }
        Event::PasskeyRenamed { user_id, passkey_id } => of_passkey(Action::PasskeyRenamed, *user_id, passkey_id),
        Event::PasskeysRemoved { user, passkey_ids } => {
            passkey_ids.iter().flat_map(|id| of_passkey(Action::PasskeyRemoved, user.id, id)).collect()
        }
        Event::PasskeyFailed { user_id, passkey_id } => of_passkey(Action::PasskeyFailed, *user_id, passkey_id),
        Event::IdentityLinked { user, provider_id, reason } => {
            let entry = Entry::new(Action::IdentityLinked, Actor::User(user.id), user.id);
            vec![entry.with("provider", provider_id).with("by", reason.name())]
        }
        Event::IdentitiesUnlinked { user, provider_ids } => {
            let entry = |id: &String| Entry::new(Action::IdentityUnlinked, actor, user.id).with("provider", id);
            provider_ids.iter().map(entry).collect()
        }
    }
}
