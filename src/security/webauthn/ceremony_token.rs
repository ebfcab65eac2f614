//! Ceremony tokens: challenges that need no row in the database.
//!
//! A token contains a random nonce, the time when it expires, and what the ceremony is for, followed by an HMAC-SHA-256 of
//! all that and the RP id. The HMAC is the challenge: without the key, it cannot be guessed (WebAuthn, "Cryptographic Challenges"), and
//! no challenge is valid for another ceremony. The client returns the token with its response.
//!
//! A token alone does not prevent replay. The caller stores the nonce in a table with a unique index when a ceremony
//! succeeds, and keeps it until the token expires.

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest, hmac};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::VerificationError;
use crate::{
    Result,
    security::{
        keys::{self, KeyUse, Keys},
        random,
    },
};

/// The time in which a ceremony must be finished. Login pages start one when they are opened, for conditional UI.
pub(super) const LIFETIME: Duration = Duration::minutes(15);

const NONCE_LENGTH: usize = 16;
const MAC_LENGTH: usize = 32;

/// Nonce, expiry, purpose, user id, and the id of the session or challenge, or the hash of the form.
const CONTENT_LENGTH: usize = NONCE_LENGTH + 8 + 1 + 16 + 16;

const TOKEN_LENGTH: usize = CONTENT_LENGTH + MAC_LENGTH;

/// What a ceremony is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ceremony {
    /// Register the first passkey of a new account. The user does not exist yet.
    CreateAccount {
        /// The id that the new user will have.
        user_id: Uuid,
        /// The form that was checked at the start.
        form: FormHash,
    },
    /// Register a passkey of the signed-in user.
    Register {
        /// The user.
        user_id: Uuid,
        /// The user's session.
        session_id: Uuid,
    },
    /// Sign in with a passkey. The user is unknown until the end.
    Login,
    /// Use a passkey as the second factor.
    SecondFactor {
        /// The user that the first factor identified.
        user_id: Uuid,
        /// The MFA challenge.
        challenge_id: Uuid,
    },
    /// Confirm the identity of the signed-in user.
    Reauthenticate {
        /// The user.
        user_id: Uuid,
        /// The user's session.
        session_id: Uuid,
    },
}

/// The hash of values of a form: a ceremony for a new account can be finished only with the values that were checked at its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormHash([u8; 16]);

impl FormHash {
    /// Hashes values. Each is preceded by its length, so that no two lists of values have the same input.
    #[must_use]
    pub fn of(values: &[&str]) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        for value in values {
            context.update(&value.len().to_be_bytes());
            context.update(value.as_bytes());
        }
        let mut hash = [0; 16];
        for (byte, digest) in hash.iter_mut().zip(context.finish().as_ref()) {
            *byte = *digest;
        }
        Self(hash)
    }
}

/// A ceremony that was started.
#[derive(Clone, Debug)]
pub struct StartedCeremony {
    /// The token, for the client. Not a secret: it is useless without the response of an authenticator.
    pub token: String,
    /// The challenge for the options.
    pub challenge: [u8; MAC_LENGTH],
}

/// A token that was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifiedCeremony {
    /// What the ceremony is for.
    pub ceremony: Ceremony,
    /// The challenge that the response must be for.
    pub challenge: [u8; MAC_LENGTH],
    /// The nonce, which can be used once.
    pub nonce: [u8; NONCE_LENGTH],
    /// The time when the token expires, so that the nonce need not be stored any longer.
    pub expires_at: DateTime<Utc>,
}

/// Creates and verifies ceremony tokens.
pub struct CeremonyTokens {
    /// The current key first.
    keys: Vec<hmac::Key>,
}

impl std::fmt::Debug for CeremonyTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CeremonyTokens")
    }
}

impl CeremonyTokens {
    /// Derives the keys.
    ///
    /// # Errors
    /// Internal if the key derivation fails.
    pub fn new(keys: &Keys) -> Result<Self> {
        let key = |secret| {
            let key = Zeroizing::new(keys::derive::<32>(secret, KeyUse::PasskeyCeremony)?);
            Ok(hmac::Key::new(hmac::HMAC_SHA256, &*key))
        };
        Ok(Self { keys: keys.secrets().map(key).collect::<Result<_>>()? })
    }

    /// Starts a ceremony. Writes nothing.
    ///
    /// # Errors
    /// Internal if there are no random bytes.
    pub fn start(&self, ceremony: Ceremony, rp_id: &str, now: DateTime<Utc>) -> Result<StartedCeremony> {
        let nonce = random::bytes::<NONCE_LENGTH>()?;
        let content = encode(nonce, now + LIFETIME, ceremony);
        let key = self.keys.first().ok_or_else(|| crate::Error::internal("there is no key for ceremony tokens"))?;
        let challenge = mac(key, &content, rp_id);
        Ok(StartedCeremony { token: URL_SAFE_NO_PAD.encode([&content[..], &challenge].concat()), challenge })
    }

    /// Verifies a token of a ceremony that the caller knows.
    ///
    /// # Errors
    /// InvalidCeremonyToken, ExpiredCeremonyToken or OtherCeremony.
    pub fn verify(
        &self,
        token: &str,
        expected: Ceremony,
        rp_id: &str,
        now: DateTime<Utc>,
    ) -> Result<VerifiedCeremony, VerificationError> {
        let verified = self.open(token, rp_id, now)?;
        if verified.ceremony == expected { Ok(verified) } else { Err(VerificationError::OtherCeremony) }
    }

    /// Verifies a token for a new account, and returns the id that the new user will have.
    ///
    /// # Errors
    /// InvalidCeremonyToken, ExpiredCeremonyToken, or OtherCeremony if the token is for something else or for another form.
    pub fn verify_new_account(
        &self,
        token: &str,
        expected_form: FormHash,
        rp_id: &str,
        now: DateTime<Utc>,
    ) -> Result<(Uuid, VerifiedCeremony), VerificationError> {
        let verified = self.open(token, rp_id, now)?;
        match verified.ceremony {
            Ceremony::CreateAccount { user_id, form } if form == expected_form => Ok((user_id, verified)),
            _ => Err(VerificationError::OtherCeremony),
        }
    }

    fn open(&self, token: &str, rp_id: &str, now: DateTime<Utc>) -> Result<VerifiedCeremony, VerificationError> {
        let mut bytes = [0; TOKEN_LENGTH];
        let length = URL_SAFE_NO_PAD.decode_slice(token, &mut bytes);
        if !matches!(length, Ok(TOKEN_LENGTH)) {
            return Err(VerificationError::InvalidCeremonyToken);
        }
        let (content, challenge) = split::<CONTENT_LENGTH, MAC_LENGTH>(&bytes)?;
        let is_authentic = |key: &hmac::Key| verify_slices_are_equal(&mac(key, &content, rp_id), &challenge).is_ok();
        if !self.keys.iter().any(is_authentic) {
            return Err(VerificationError::InvalidCeremonyToken);
        }
        let (nonce, expires_at, ceremony) = decode(&content)?;
        if now >= expires_at {
            return Err(VerificationError::ExpiredCeremonyToken);
        }
        Ok(VerifiedCeremony { ceremony, challenge, nonce, expires_at })
    }
}

/// The HMAC of the content and the RP id. The content has a fixed length, so the input has exactly one meaning.
fn mac(key: &hmac::Key, content: &[u8; CONTENT_LENGTH], rp_id: &str) -> [u8; MAC_LENGTH] {
    let mut signer = hmac::Context::with_key(key);
    signer.update(content);
    signer.update(rp_id.as_bytes());
    let mut mac = [0; MAC_LENGTH];
    mac.copy_from_slice(signer.sign().as_ref());
    mac
}

fn encode(nonce: [u8; NONCE_LENGTH], expires_at: DateTime<Utc>, ceremony: Ceremony) -> [u8; CONTENT_LENGTH] {
    let (purpose, user_id, scope_id) = match ceremony {
        Ceremony::CreateAccount { user_id, form } => (1, user_id, Uuid::from_bytes(form.0)),
        Ceremony::Register { user_id, session_id } => (2, user_id, session_id),
        Ceremony::Login => (3, Uuid::nil(), Uuid::nil()),
        Ceremony::SecondFactor { user_id, challenge_id } => (4, user_id, challenge_id),
        Ceremony::Reauthenticate { user_id, session_id } => (5, user_id, session_id),
    };
    let parts: [&[u8]; 5] =
        [&nonce, &expires_at.timestamp().to_be_bytes(), &[purpose], user_id.as_bytes(), scope_id.as_bytes()];
    let mut content = [0; CONTENT_LENGTH];
    for (byte, part) in content.iter_mut().zip(parts.into_iter().flatten()) {
        *byte = *part;
    }
    content
}

type Content = ([u8; NONCE_LENGTH], DateTime<Utc>, Ceremony);

fn decode(content: &[u8; CONTENT_LENGTH]) -> Result<Content, VerificationError> {
    let (nonce, rest) = split::<NONCE_LENGTH, { CONTENT_LENGTH - NONCE_LENGTH }>(content)?;
    let (expires_at, rest) = split::<8, 33>(&rest)?;
    let ([purpose], ids) = split::<1, 32>(&rest)?;
    let (user_id, scope_id) = split::<16, 16>(&ids)?;
    let (user_id, scope_id) = (Uuid::from_bytes(user_id), Uuid::from_bytes(scope_id));
    let ceremony = match purpose {
        1 => Ceremony::CreateAccount { user_id, form: FormHash(scope_id.into_bytes()) },
        2 => Ceremony::Register { user_id, session_id: scope_id },
        3 => Ceremony::Login,
        4 => Ceremony::SecondFactor { user_id, challenge_id: scope_id },
        5 => Ceremony::Reauthenticate { user_id, session_id: scope_id },
        _ => return Err(VerificationError::InvalidCeremonyToken),
    };
    let expires_at = DateTime::from_timestamp(i64::from_be_bytes(expires_at), 0);
    Ok((nonce, expires_at.ok_or(VerificationError::InvalidCeremonyToken)?, ceremony))
}

/// Splits bytes into two arrays.
fn split<const A: usize, const B: usize>(bytes: &[u8]) -> Result<([u8; A], [u8; B]), VerificationError> {
    let parts =
        bytes.split_first_chunk::<A>().and_then(|(first, rest)| Some((*first, <[u8; B]>::try_from(rest).ok()?)));
    parts.ok_or(VerificationError::InvalidCeremonyToken)
}
