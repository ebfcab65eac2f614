//! What a client needs to finish a sign-in with a second factor.

use secrecy::SecretString;

/// A second factor that a user has set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MfaMethod {
    /// A code of an authenticator app.
    Totp,
    /// A passkey.
    Passkey,
    /// A recovery code.
    RecoveryCode,
}

impl MfaMethod {
    /// The name in the audit log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Passkey => "passkey",
            Self::RecoveryCode => "recovery_code",
        }
    }
}

/// A sign-in that waits for a second factor.
#[derive(Clone, Debug)]
pub struct MfaChallenge {
    /// The token with which the client finishes the sign-in. Single use.
    pub token: SecretString,
    /// The token of the cookie that binds the challenge to the browser. `None` for other clients.
    pub client_token: Option<SecretString>,
    /// The methods to choose from.
    pub methods: Vec<MfaMethod>,
    /// Seconds until the challenge expires.
    pub expires_in: i64,
}
