//! The enums of the audit log.

use async_graphql::Enum;

use crate::entity::audit_event::{Action, ActorType};

/// Who caused an audit event.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "ActorType")]
pub enum AuditActorType {
    /// A client that was not signed in.
    Anonymous,
    /// A signed-in user, in their own account.
    User,
    /// An administrator.
    Administrator,
    /// The operator, on the command line.
    CommandLine,
    /// The server itself.
    System,
}

/// What happened. New actions may be added, so handle unknown ones.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "Action")]
pub enum AuditAction {
    /// A user registered.
    UserRegistered,
    /// An administrator or an import created the account.
    UserCreated,
    /// The user signed in.
    LoggedIn,
    /// A sign-in failed: the name or the password, or the code of a mail, was wrong.
    LoginFailed,
    /// The user signed out of a session, or of all sessions.
    LoggedOut,
    /// The user ended another session, or all other sessions.
    SessionRevoked,
    /// A replaced refresh token was presented again, and its successor had not been used. The session continued, because
    /// the response may have been lost.
    TokenRepeated,
    /// A replaced refresh token was presented again after its successor had been used. The session was ended.
    TokenReused,
    /// The user changed their names.
    ProfileUpdated,
    /// The user or an administrator changed the password.
    PasswordChanged,
    /// A mail with a link to reset the password was requested.
    PasswordResetRequested,
    /// The password was reset by a link, which ended all sessions.
    PasswordReset,
    /// The password was removed, because the address was verified by a sign-in by mail or with a provider, and never before.
    PasswordRemoved,
    /// The address was verified.
    EmailVerified,
    /// The user requested a change of the address.
    EmailChangeRequested,
    /// The user cancelled a change of the address.
    EmailChangeCancelled,
    /// The address was changed.
    EmailChanged,
    /// The user replaced an address that was never verified.
    EmailReplaced,
    /// The account lost an address that it had never verified, because the owner of another account verified it.
    EmailRemoved,
    /// An administrator changed the roles.
    RolesChanged,
    /// An administrator disabled the account.
    UserDisabled,
    /// An administrator enabled the account.
    UserEnabled,
    /// An administrator changed the account.
    UserUpdated,
    /// The account was deleted.
    UserDeleted,
    /// An administrator invited a person.
    UserInvited,
    /// An invitation was accepted, which created the account.
    InvitationAccepted,
    /// An administrator revoked an invitation.
    InvitationRevoked,
    /// The user exported the data of the account.
    DataExported,
    /// The user set up a second factor.
    MfaEnabled,
    /// The user removed the second factor.
    MfaDisabled,
    /// An administrator removed the second factor.
    MfaReset,
    /// A sign-in failed: the code of the second factor was wrong or used.
    MfaFailed,
    /// The user used a recovery code.
    RecoveryCodeUsed,
    /// The user replaced the recovery codes.
    RecoveryCodesRegenerated,
    /// The user no longer needs the second factor in a browser.
    DeviceRemembered,
    /// The user forgot a remembered device.
    RememberedDeviceRevoked,
    /// The user added a passkey.
    PasskeyAdded,
    /// The user renamed a passkey.
    PasskeyRenamed,
    /// The user deleted a passkey.
    PasskeyRemoved,
    /// The signature counter of a passkey went back, so the authenticator may have been cloned. The passkey was refused.
    PasskeyFailed,
    /// The account of the user at a provider was linked: the user can sign in with it.
    IdentityLinked,
    /// The account of the user at a provider was unlinked.
    IdentityUnlinked,
}
