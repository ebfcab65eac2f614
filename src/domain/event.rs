//! Events and their consequences: one function maps an event to entries of the audit log, another one to mails. Use cases
//! only emit events.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    Result,
    database::Transaction,
    domain::{
        Context,
        audit::{self, Entry},
        context::Actor,
        identities::LinkReason,
        identity::Email,
        notifications::{self, About, NewMail},
        sign_in::{FirstFactor, SecondFactor},
    },
    entity::{audit_event::Action, invitation::Model as Invitation, mail::Purpose, user::Model as User},
    error::Field,
};

/// An event. Unless a field says otherwise, events contain users as they are after the change.
#[derive(Debug)]
pub(crate) enum Event {
    /// A user registered. `mail_round` is `None` if no mail is to be sent; see [`NewMail::round`].
    UserRegistered { user: Box<User>, mail_round: Option<i32> },
    /// An administrator created a user. `chooses_password` is true if the user has no password yet.
    UserCreated { user: Box<User>, chooses_password: bool },
    /// An administrator imported users.
    UsersImported { user_ids: Vec<Uuid> },
    /// A user signed in with a method, and with a second factor if there is one.
    LoggedIn { user_id: Uuid, method: FirstFactor, second_factor: Option<SecondFactor> },
    /// A sign-in failed. `user_id` is `None` if no user has the identifier.
    LoginFailed { user_id: Option<Uuid> },
    /// A session of the user was ended by its own tokens.
    LoggedOut { user_id: Uuid },
    /// A user ended another session, or all other sessions, or an administrator ended all sessions.
    SessionRevoked { user_id: Uuid },
    /// A refresh token was presented again although its successor had been confirmed, so the session was ended.
    TokenReused { user_id: Uuid },
    /// A refresh token was presented again after the grace period, and the session continued.
    TokenRepeated { user_id: Uuid },
    /// A user, or an administrator, changed fields of the account.
    ProfileUpdated { user_id: Uuid, fields: Vec<Field> },
    /// A password was changed by the signed-in user or by an administrator.
    PasswordChanged { user: Box<User> },
    /// A client requested a mail to an address. The account is looked up later.
    MailRequested { purpose: Purpose, to: Email, round: i32 },
    /// A client requested a mail to sign in. The account is looked up later.
    EmailSignInRequested { id: Uuid, to: Email, round: i32 },
    /// The password was removed, because the address was verified by another person than the one who may have set it.
    PasswordRemoved { user: Box<User> },
    /// An administrator sends a user a link to choose a new password.
    PasswordLinkSent { user: Box<User> },
    /// A mail with a reset link is sent to a user who requested it.
    PasswordResetRequested { user_id: Uuid },
    /// A password was reset by a link. `verified_email` is true if that also verified the address.
    PasswordReset { user: Box<User>, verified_email: bool },
    /// The address of an account was verified.
    EmailVerified { user_id: Uuid },
    /// A user requested a change of the address to `to`. `mail_round` is `None` if no mail is needed.
    EmailChangeRequested { user: Box<User>, to: Email, mail_round: Option<i32> },
    /// A user cancelled a change of the address.
    EmailChangeCancelled { user_id: Uuid },
    /// The address was changed. `before` is the user before the change.
    EmailChanged { before: Box<User>, after: Box<User> },
    /// A user replaced an address that was never verified.
    EmailReplaced { user: Box<User>, mail_round: i32 },
    /// An account lost an address that it had never verified.
    EmailRemoved { user_id: Uuid },
    /// An administrator changed the roles.
    RolesChanged { user: Box<User> },
    /// An administrator disabled an account.
    UserDisabled { user: Box<User>, reason: Option<String> },
    /// An administrator enabled an account.
    UserEnabled { user_id: Uuid },
    /// An account was deleted, by its owner or for a reason that an administrator gave. `user` is its last state.
    UserDeleted { user: Box<User>, reason: Option<String> },
    /// An administrator invited `to`.
    UserInvited { invitation: Box<Invitation>, to: Email },
    /// An invitation was accepted, which created the account.
    InvitationAccepted { user: Box<User>, invitation_id: Uuid },
    /// An administrator revoked an invitation.
    InvitationRevoked { invitation_id: Uuid },
    /// A user exported the data of their account.
    DataExported { user_id: Uuid },
    /// A user set up a second factor.
    MfaEnabled { user: Box<User> },
    /// A user removed the second factor.
    MfaDisabled { user: Box<User> },
    /// An administrator removed the second factor of a user.
    MfaReset { user: Box<User>, reason: Option<String> },
    /// The code of a second factor was incorrect or used.
    MfaFailed { user_id: Uuid },
    /// A recovery code was used, for a sign-in or to prove the identity again.
    RecoveryCodeUsed { user: Box<User> },
    /// A user replaced the recovery codes.
    RecoveryCodesRegenerated { user_id: Uuid },
    /// A user confirmed the second factor in a browser, and needs it there no longer.
    DeviceRemembered { user_id: Uuid },
    /// A user forgot a remembered device.
    RememberedDeviceRevoked { user_id: Uuid },
    /// A user added a passkey.
    PasskeyAdded { user: Box<User>, passkey_id: Uuid },
    /// A user renamed a passkey.
    PasskeyRenamed { user_id: Uuid, passkey_id: Uuid },
    /// Passkeys of a user were removed, by the user or because the address was verified by another person.
    PasskeysRemoved { user: Box<User>, passkey_ids: Vec<Uuid> },
    /// A passkey was refused because its counter went back.
    PasskeyFailed { user_id: Uuid, passkey_id: Uuid },
    /// An identity at a provider was linked. `reason` says why, for the audit log.
    IdentityLinked { user: Box<User>, provider_id: String, reason: LinkReason },
    /// Identities were unlinked, by the user or because the address was verified by another person.
    IdentitiesUnlinked { user: Box<User>, provider_ids: Vec<String> },
}

/// Writes the audit entries and mails of the events. Returns whether there are mails to deliver.
pub(in crate::domain) async fn write(
    context: &Context,
    transaction: &Transaction,
    actor: Actor,
    events: Vec<Event>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let entries = events.iter().flat_map(|event| audit_entries(event, actor)).collect();
    audit::record(transaction, entries, &context.client, now).await?;
    let mails = events.into_iter().flat_map(mails).flatten().collect();
    notifications::enqueue(context, transaction, mails, now).await
}

/// The audit entries of an event. `actor` is the actor of the unit of work.
fn audit_entries(event: &Event, actor: Actor) -> Vec<Entry> {
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

/// The mails that an event causes.
fn mails(event: Event) -> [Option<NewMail>; 2] {
    let mail = match event {
        Event::UserRegistered { user, mail_round } => mail_round.and_then(|round| NewMail::verification(&user, round)),
        Event::UserCreated { user, chooses_password: false } => NewMail::verification(&user, 0),
        Event::UserCreated { user, chooses_password: true } | Event::PasswordLinkSent { user } => {
            NewMail::to_own_address(Purpose::ChoosePassword, &user, 0)
        }
        Event::RolesChanged { user } => NewMail::notice(Purpose::RolesChanged, &user),
        Event::UserDisabled { user, .. } => NewMail::notice(Purpose::AccountDisabled, &user),
        Event::UserDeleted { user, .. } => NewMail::deletion(&user),
        Event::MailRequested { purpose, to, round } => Some(NewMail { purpose, to, about: About::Recipient, round }),
        Event::EmailSignInRequested { id, to, round } => {
            Some(NewMail { purpose: Purpose::SignIn, to, about: About::SignIn(id), round })
        }
        Event::PasswordRemoved { user } => NewMail::notice(Purpose::PasswordRemoved, &user),
        Event::PasswordChanged { user } | Event::PasswordReset { user, .. } => {
            NewMail::notice(Purpose::PasswordChanged, &user)
        }
        Event::EmailChangeRequested { user, to, mail_round } => {
            mail_round.map(|round| NewMail::verification_of_change(&user, to, round))
        }
        Event::EmailChanged { before, after } => {
            let notice =
                NewMail::notice(Purpose::EmailChanged, &before).filter(|_| before.email_key != after.email_key);
            let verification = NewMail::verification(&after, 0).filter(|_| after.email_verified_at.is_none());
            return [notice, verification];
        }
        Event::EmailReplaced { user, mail_round } => NewMail::verification(&user, mail_round),
        Event::UserInvited { invitation, to } => {
            Some(NewMail { purpose: Purpose::Invitation, to, about: About::Invitation(invitation.id), round: 0 })
        }
        Event::MfaEnabled { user } => NewMail::notice(Purpose::MfaEnabled, &user),
        Event::MfaDisabled { user } => NewMail::notice(Purpose::MfaDisabled, &user),
        Event::MfaReset { user, .. } => NewMail::notice(Purpose::MfaReset, &user),
        Event::RecoveryCodeUsed { user } => NewMail::notice(Purpose::RecoveryCodeUsed, &user),
        Event::PasskeyAdded { user, .. } => NewMail::notice(Purpose::PasskeyAdded, &user),
        Event::PasskeysRemoved { user, .. } => NewMail::notice(Purpose::PasskeyRemoved, &user),
        Event::IdentityLinked { user, reason, .. } => {
            NewMail::notice(Purpose::IdentityLinked, &user).filter(|_| reason != LinkReason::Registration)
        }
        Event::IdentitiesUnlinked { user, .. } => NewMail::notice(Purpose::IdentityUnlinked, &user),
        Event::UsersImported { .. }
        | Event::InvitationAccepted { .. }
        | Event::InvitationRevoked { .. }
        | Event::LoggedIn { .. }
        | Event::LoginFailed { .. }
        | Event::LoggedOut { .. }
        | Event::SessionRevoked { .. }
        | Event::TokenReused { .. }
        | Event::TokenRepeated { .. }
        | Event::ProfileUpdated { .. }
        | Event::PasswordResetRequested { .. }
        | Event::EmailVerified { .. }
        | Event::EmailChangeCancelled { .. }
        | Event::EmailRemoved { .. }
        | Event::UserEnabled { .. }
        | Event::DataExported { .. }
        | Event::MfaFailed { .. }
        | Event::RecoveryCodesRegenerated { .. }
        | Event::DeviceRemembered { .. }
        | Event::RememberedDeviceRevoked { .. }
        | Event::PasskeyRenamed { .. }
        | Event::PasskeyFailed { .. } => None,
    };
    [mail, None]
}
