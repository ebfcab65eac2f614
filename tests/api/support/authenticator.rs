//! A software authenticator together with its client: creates and uses one passkey. It can lie about everything.

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    rsa,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hallpass::security::webauthn::{Algorithm, Flags};
use serde_json::{Map, Value, json};

use self::cbor::{bytes, integer, map, text};

/// A passkey: a key pair, and what an authenticator remembers of its registration.
pub struct Authenticator {
    /// The origin of the page that uses the passkey.
    pub origin: String,
    /// The counter of the next signature. An authenticator without a counter keeps zero.
    pub counter: u32,
    /// BE and BS.
    pub backup_flags: u8,
    pub credential_id: Vec<u8>,
    key: Key,
    user_handle: Vec<u8>,
}

/// What the client and the authenticator are about to state. A test changes it to lie; the signature covers the lie.
pub struct Statement {
    /// The members of `clientDataJSON`.
    pub client_data: Map<String, Value>,
    /// Replaces `clientDataJSON`.
    pub client_data_json: Option<Vec<u8>>,
    pub rp_id: String,
    pub flags: u8,
    pub counter: u32,
    pub credential_id: Vec<u8>,
    /// In attested credential data.
    pub cose_key: Vec<u8>,
    /// Bytes at the end of the authenticator data, where extensions belong.
    pub extensions: Vec<u8>,
    pub user_handle: Option<Vec<u8>>,
    pub attestation_format: String,
    /// The attestation statement, CBOR.
    pub attestation: Vec<u8>,
    /// Replaces the attestation by a self attestation that states this algorithm.
    pub self_attestation: Option<i64>,
}

enum Key {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(RsaKeyPair),
}

impl Authenticator {
    /// A new key pair. `origin` is that of the page.
    pub fn new(algorithm: Algorithm, origin: &str) -> Self {
        let key = match algorithm {
            Algorithm::Es256 => Key::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap()),
            Algorithm::EdDsa => Key::EdDsa(Ed25519KeyPair::generate().unwrap()),
            Algorithm::Rs256 => Key::Rs256(RsaKeyPair::generate(rsa::KeySize::Rsa2048).unwrap()),
        };
        let credential_id = digest(&SHA256, key.public_key()).as_ref()[..20].to_vec();
        Self { origin: origin.into(), counter: 0, backup_flags: 0, credential_id, key, user_handle: Vec::new() }
    }

    /// Creates the passkey by creation options, and returns the `RegistrationResponseJSON`.
    pub fn create(&mut self, options: &Value, lie: impl FnOnce(&mut Statement)) -> Value {
        self.user_handle = decode(&options["user"]["id"]);
        let mut statement = self.statement("webauthn.create", &options["challenge"], &options["rp"]["id"]);
        statement.flags |= Flags::ATTESTED_CREDENTIAL;
        lie(&mut statement);
        let authenticator_data = statement.authenticator_data();
        let (format, attestation) = match statement.self_attestation {
            Some(algorithm) => {
                let signed = [&authenticator_data, digest(&SHA256, &statement.client_data_json()).as_ref()].concat();
                let signature = self.key.sign(&signed);
                ("packed", map(&[(text("alg"), integer(algorithm)), (text("sig"), bytes(&signature))]))
            }
            None => (&*statement.attestation_format, statement.attestation.clone()),
        };
        let attestation_object = map(&[
            (text("fmt"), text(format)),
            (text("attStmt"), attestation),
            (text("authData"), bytes(&authenticator_data)),
        ]);
        let mut response = json!({
            "clientDataJSON": encode(&statement.client_data_json()),
            "attestationObject": encode(&attestation_object),
            "transports": ["internal", "hybrid"],
        });
        // Copies that a server must not trust.
        response["authenticatorData"] = encode(b"not the authenticator data");
        response["publicKeyAlgorithm"] = json!(-7);
        credential(&statement.credential_id, &response)
    }

    /// Uses the passkey by request options, and returns the `AuthenticationResponseJSON`.
    pub fn get(&mut self, options: &Value, lie: impl FnOnce(&mut Statement)) -> Value {
        if self.counter > 0 {
            self.counter += 1;
        }
        let mut statement = self.statement("webauthn.get", &options["challenge"], &options["rpId"]);
        lie(&mut statement);
        let (authenticator_data, client_data_json) = (statement.authenticator_data(), statement.client_data_json());
        let signed = [&authenticator_data, digest(&SHA256, &client_data_json).as_ref()].concat();
        let mut response = json!({
            "clientDataJSON": encode(&client_data_json),
            "authenticatorData": encode(&authenticator_data),
            "signature": encode(&self.key.sign(&signed)),
        });
        if let Some(user_handle) = &statement.user_handle {
            response["userHandle"] = encode(user_handle);
        }
        credential(&statement.credential_id, &response)
    }

    fn statement(&self, ceremony_type: &str, challenge: &Value, rp_id: &Value) -> Statement {
        let client_data = json!({
            "type": ceremony_type,
            "challenge": challenge,
            "origin": self.origin,
            "crossOrigin": false,
        });
        Statement {
            client_data: client_data.as_object().unwrap().clone(),
            client_data_json: None,
            rp_id: rp_id.as_str().unwrap().to_owned(),
            flags: Flags::USER_PRESENT | Flags::USER_VERIFIED | self.backup_flags,
            counter: self.counter,
            credential_id: self.credential_id.clone(),
            cose_key: self.key.to_cose(),
            extensions: Vec::new(),
            user_handle: Some(self.user_handle.clone()),
            attestation_format: "none".into(),
            attestation: map(&[]),
            self_attestation: None,
        }
    }
}

impl Statement {
    fn client_data_json(&self) -> Vec<u8> {
        self.client_data_json.clone().unwrap_or_else(|| serde_json::to_vec(&self.client_data).unwrap())
    }

    fn authenticator_data(&self) -> Vec<u8> {
        let mut data = digest(&SHA256, self.rp_id.as_bytes()).as_ref().to_vec();
        data.push(self.flags);
        data.extend(self.counter.to_be_bytes());
        if self.flags & Flags::ATTESTED_CREDENTIAL != 0 {
            data.extend([0; 16]);
            data.extend(u16::try_from(self.credential_id.len()).unwrap().to_be_bytes());
            data.extend(&self.credential_id);
            data.extend(&self.cose_key);
        }
        data.extend(&self.extensions);
        data
    }
}

impl Key {
    fn public_key(&self) -> &[u8] {
        match self {
            Self::Es256(key) => key.public_key().as_ref(),
            Self::EdDsa(key) => key.public_key().as_ref(),
            Self::Rs256(key) => key.public_key().as_ref(),
        }
    }

    fn to_cose(&self) -> Vec<u8> {
        let key = self.public_key();
        match self {
            Self::Es256(_) => map(&[
                (integer(1), integer(2)),
                (integer(3), integer(-7)),
                (integer(-1), integer(1)),
                (integer(-2), bytes(&key[1..33])),
                (integer(-3), bytes(&key[33..])),
            ]),
            Self::EdDsa(_) => map(&[
                (integer(1), integer(1)),
                (integer(3), integer(-8)),
                (integer(-1), integer(6)),
                (integer(-2), bytes(key)),
            ]),
            // In the DER of a key with 2,048 bits, the modulus follows nine bytes, and the exponent is 65,537.
            Self::Rs256(_) => map(&[
                (integer(1), integer(3)),
                (integer(3), integer(-257)),
                (integer(-1), bytes(&key[9..265])),
                (integer(-2), bytes(&[1, 0, 1])),
            ]),
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Es256(key) => key.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Self::EdDsa(key) => key.sign(message).as_ref().to_vec(),
            Self::Rs256(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
                signature
            }
        }
    }
}

fn credential(id: &[u8], response: &Value) -> Value {
    json!({
        "id": encode(id),
        "rawId": encode(id),
        "type": "public-key",
        "authenticatorAttachment": "platform",
        "clientExtensionResults": {},
        "response": response,
    })
}

pub fn encode(bytes: &[u8]) -> Value {
    URL_SAFE_NO_PAD.encode(bytes).into()
}

pub fn decode(text: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap()
}

/// Writes CBOR (RFC 8949 §3).
pub mod cbor {
    pub fn integer(number: i64) -> Vec<u8> {
        if number < 0 { head(1, number.unsigned_abs() - 1) } else { head(0, number.unsigned_abs()) }
    }

    pub fn bytes(bytes: &[u8]) -> Vec<u8> {
        [head(2, bytes.len() as u64), bytes.to_vec()].concat()
    }

    pub fn text(text: &str) -> Vec<u8> {
        [head(3, text.len() as u64), text.into()].concat()
    }

    pub fn array(items: &[Vec<u8>]) -> Vec<u8> {
        [head(4, items.len() as u64), items.concat()].concat()
    }

    pub fn map(entries: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
        let entries_in_order = entries.iter().flat_map(|(key, value)| [key.as_slice(), value]).collect::<Vec<_>>();
        [head(5, entries.len() as u64), entries_in_order.concat()].concat()
    }

    fn head(major_type: u8, argument: u64) -> Vec<u8> {
        let bytes = argument.to_be_bytes();
        let (short, length) = match argument {
            0..=23 => return vec![major_type << 5 | bytes[7]],
            24..=0xff => (24, 1),
            0x100..=0xffff => (25, 2),
            0x1_0000..=0xffff_ffff => (26, 4),
            _ => (27, 8),
        };
        [&[major_type << 5 | short], &bytes[8 - length..]].concat()
    }
}
