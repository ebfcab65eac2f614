//! Events and their consequences: one function maps an event to entries of the audit log, another one to mails. Use cases
//! only emit events.

mod entries;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    Result,
    database::Transaction,
    domain::{
        Context, audit,
        context::Actor,
        identities::LinkReason,
        identity::Email,
        notifications::{self, About, NewMail},
        sign_in::{FirstFactor, SecondFactor},
    },
    entity::{invitation::Model as Invitation, mail::Purpose, user::Model as User},
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
    /// A password was incorrect. If the user has no password, the owner of the address gets a link to set one. `None` if no user has the
    /// identifier.
    PasswordRefused { user: Option<Box<User>> },
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
    let entries = events.iter().flat_map(|event| entries::of(event, actor)).collect();
    audit::record(transaction, entries, &context.client, now).await?;
    for event in &events {
        if let Event::PasswordRefused { user } = event {
            notifications::offer_password(context, transaction, user.as_deref(), now).await?;
        }
    }
    let mails = events.into_iter().flat_map(mails).flatten().collect();
    notifications::enqueue(context, transaction, mails, now).await
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
        | Event::PasswordRefused { .. }
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
