//! Attestation objects: the result of creating a credential (WebAuthn §6.5.4).

use aws_lc_rs::digest::{SHA256, digest};

use super::{
    PublicKey, VerificationError,
    cbor::{self, Map, Value},
};

/// A parsed attestation object. It borrows from the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttestationObject<'a> {
    /// `fmt`: the attestation format.
    pub format: &'a str,
    /// `attStmt`: the attestation statement.
    pub statement: AttestationStatement<'a>,
    /// `authData`: the authenticator data, as bytes.
    pub authenticator_data: &'a [u8],
}

/// An attestation statement, as far as it can be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttestationStatement<'a> {
    /// No members.
    Empty,
    /// `alg` and `sig`, and no certificates.
    SelfSigned {
        /// The COSE identifier of the algorithm.
        algorithm: i64,
        /// The signature.
        signature: &'a [u8],
    },
    /// Anything else.
    Other,
}

impl<'a> AttestationObject<'a> {
    /// Parses an attestation object. It must have exactly the three keys of the standard.
    ///
    /// # Errors
    /// MalformedAttestation or Cbor.
    pub fn parse(input: &'a [u8]) -> Result<Self, VerificationError> {
        let object = cbor::read(input)?;
        let object = object.as_map().filter(|object| object.entries().len() == 3);
        let parsed = object.and_then(|object| {
            Some(Self {
                format: object.text_key("fmt")?.as_text()?,
                statement: AttestationStatement::of(object.text_key("attStmt")?.as_map()?),
                authenticator_data: object.text_key("authData")?.as_bytes()?,
            })
        });
        parsed.ok_or(VerificationError::MalformedAttestation)
    }

    /// Checks the attestation statement of a credential with this public key. Two formats are accepted:
    ///
    /// - `none` with an empty statement (§8.7). The creation options request no attestation, and clients then replace the statement
    ///   of the authenticator by this one (§5.1.3).
    /// - `packed` with a self attestation (§8.2), which clients keep. It is signed with the credential's own key.
    ///
    /// Statements of other formats contain certificates, which would have to be verified for a result that is not used. Accepting
    /// them unverified would mean that a client can send anything.
    ///
    /// # Errors
    /// AttestationFormat, or Signature.
    pub(super) fn verify(&self, public_key: &PublicKey, client_data_json: &[u8]) -> Result<(), VerificationError> {
        match (self.format, self.statement) {
            ("none", AttestationStatement::Empty) => Ok(()),
            ("packed", AttestationStatement::SelfSigned { algorithm, signature })
                if algorithm == public_key.algorithm().identifier() =>
            {
                public_key.verify(&signed_message(self.authenticator_data, client_data_json), signature)
            }
            _ => Err(VerificationError::AttestationFormat),
        }
    }
}

impl<'a> AttestationStatement<'a> {
    fn of(statement: &Map<'a>) -> Self {
        let entries = statement.entries().len();
        let algorithm = statement.text_key("alg").and_then(Value::as_integer);
        let signature = statement.text_key("sig").and_then(Value::as_bytes);
        match (entries, algorithm, signature) {
            (0, ..) => Self::Empty,
            (2, Some(algorithm), Some(signature)) => Self::SelfSigned { algorithm, signature },
            _ => Self::Other,
        }
    }
}

/// What an authenticator signs: the authenticator data and the hash of the client data (§6.5.6 and §6.3.3).
pub(super) fn signed_message(authenticator_data: &[u8], client_data_json: &[u8]) -> Vec<u8> {
    [authenticator_data, digest(&SHA256, client_data_json).as_ref()].concat()
}
