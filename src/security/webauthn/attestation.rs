//! Attestation objects: the result of creating a credential (WebAuthn §6.5.4).

use super::{
    VerificationError,
    cbor::{self, Value},
};

/// A parsed attestation object. It borrows from the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttestationObject<'a> {
    /// `fmt`: the attestation format.
    pub format: &'a str,
    /// Whether `attStmt`, the attestation statement, is empty.
    pub has_empty_statement: bool,
    /// `authData`: the authenticator data, as bytes.
    pub authenticator_data: &'a [u8],
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
                has_empty_statement: object.text_key("attStmt").and_then(Value::as_map)?.entries().is_empty(),
                authenticator_data: object.text_key("authData")?.as_bytes()?,
            })
        });
        parsed.ok_or(VerificationError::MalformedAttestation)
    }

    /// Checks that the format is `none` with an empty statement (§8.7).
    ///
    /// The creation options request no attestation, and clients then replace the statement of the authenticator by this
    /// one (§5.1.3). Statements of other formats contain certificates and signatures, which would have to be verified
    /// for a result that is not used. Accepting them unverified would mean that a client can send anything. A client may
    /// also keep a self attestation of an authenticator without a model, which says nothing that the credential does not
    /// say; it is refused like the others.
    ///
    /// # Errors
    /// AttestationFormat.
    pub(super) fn check_format(&self) -> Result<(), VerificationError> {
        let is_none = self.format == "none" && self.has_empty_statement;
        is_none.then_some(()).ok_or(VerificationError::AttestationFormat)
    }
}
