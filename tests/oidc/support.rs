//! A provider with real keys. It can lie about everything.

use std::sync::LazyLock;

use aws_lc_rs::{
    rand::SystemRandom,
    rsa,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
        RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use hallpass::{
    config::SecretString,
    security::oidc::{ExpectedToken, Identity, Issuer, KeySet, OidcError, ProviderMetadata, verify_id_token},
};
use serde_json::{Value, json};

pub const ISSUER: &str = "https://id.example.org";
pub const CLIENT_ID: &str = "hallpass";
pub const NONCE: &str = "the nonce of the flow";
pub const ACCESS_TOKEN: &str = "the access token";

/// The algorithms that are accepted.
pub const ALGORITHMS: [&str; 7] = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"];

pub static RSA: LazyLock<Key> = LazyLock::new(Key::rsa);
pub static P256: LazyLock<Key> = LazyLock::new(Key::p256);
pub static P384: LazyLock<Key> = LazyLock::new(Key::p384);
pub static ED25519: LazyLock<Key> = LazyLock::new(Key::ed25519);

/// The time at which tokens are verified.
pub fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

pub enum Key {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Key {
    pub fn rsa() -> Self {
        Self::Rsa(RsaKeyPair::generate(rsa::KeySize::Rsa2048).unwrap())
    }

    pub fn p256() -> Self {
        Self::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub fn p384() -> Self {
        Self::P384(EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap())
    }

    pub fn ed25519() -> Self {
        Self::Ed25519(Ed25519KeyPair::generate().unwrap())
    }

    /// The key of the provider that signs with an algorithm.
    pub fn of(algorithm: &str) -> &'static Self {
        match algorithm {
            "ES256" => &P256,
            "ES384" => &P384,
            "EdDSA" | "Ed25519" => &ED25519,
            _ => &RSA,
        }
    }

    pub fn public_key(&self) -> &[u8] {
        match self {
            Self::Rsa(key) => key.public_key().as_ref(),
            Self::P256(key) | Self::P384(key) => key.public_key().as_ref(),
            Self::Ed25519(key) => key.public_key().as_ref(),
        }
    }

    /// The public key as a JWK.
    pub fn jwk(&self, id: &str) -> Value {
        let public = self.public_key();
        let mut jwk = match self {
            // In the DER of a key with 2,048 bits, the modulus follows nine bytes, and the exponent is 65,537.
            Self::Rsa(_) => json!({ "kty": "RSA", "n": encode(&public[9..265]), "e": "AQAB" }),
            Self::P256(_) => {
                json!({ "kty": "EC", "crv": "P-256", "x": encode(&public[1..33]), "y": encode(&public[33..]) })
            }
            Self::P384(_) => {
                json!({ "kty": "EC", "crv": "P-384", "x": encode(&public[1..49]), "y": encode(&public[49..]) })
            }
            Self::Ed25519(_) => json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(public) }),
        };
        jwk["kid"] = id.into();
        jwk["use"] = "sig".into();
        jwk
    }

    pub fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(key) => {
                let encoding: &'static dyn RsaEncoding = match algorithm {
                    "RS384" => &RSA_PKCS1_SHA384,
                    "RS512" => &RSA_PKCS1_SHA512,
                    "PS256" => &RSA_PSS_SHA256,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(encoding, &random, message, &mut signature).unwrap();
                signature
            }
            Self::P256(key) | Self::P384(key) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Ed25519(key) => key.sign(message).as_ref().to_vec(),
        }
    }
}

/// A token that the provider is about to sign. A test changes it to lie; the signature covers the lie.
pub struct Statement {
    pub header: Value,
    pub claims: Value,
    /// Replaces the JSON of the claims.
    pub claims_json: Option<String>,
    /// Replaces the key of the provider.
    pub key: &'static Key,
    /// The algorithm that makes the signature, whatever the header states.
    pub algorithm: String,
}

impl Statement {
    /// A correct token.
    pub fn new(algorithm: &str) -> Self {
        let header = json!({ "alg": algorithm, "kid": algorithm, "typ": "JWT" });
        let claims = json!({
            "iss": ISSUER,
            "sub": "248289761001",
            "aud": CLIENT_ID,
            "exp": now().timestamp() + 3600,
            "iat": now().timestamp(),
            "nonce": NONCE,
            "email": "ada@example.org",
            "email_verified": true,
        });
        Self { header, claims, claims_json: None, key: Key::of(algorithm), algorithm: algorithm.to_owned() }
    }

    pub fn message(&self) -> String {
        let claims = self.claims_json.clone().unwrap_or_else(|| self.claims.to_string());
        format!("{}.{}", encode(self.header.to_string().as_bytes()), encode(claims.as_bytes()))
    }

    pub fn sign(&self) -> String {
        let message = self.message();
        format!("{message}.{}", encode(&self.key.sign(&self.algorithm, message.as_bytes())))
    }
}

/// A token of which nothing is wrong except what the provider lies about.
pub fn token_with(lie: impl FnOnce(&mut Statement)) -> String {
    let mut statement = Statement::new("ES256");
    lie(&mut statement);
    statement.sign()
}

/// The result of a token of which nothing is wrong except what the provider lies about.
pub fn verify_with(lie: impl FnOnce(&mut Statement)) -> Result<Identity, OidcError> {
    verify(&token_with(lie))
}

/// The result of a token with these claims instead of the correct ones.
pub fn verify_claims(claims: &Value) -> Result<Identity, OidcError> {
    verify_with(|token| {
        for (name, value) in claims.as_object().unwrap() {
            token.claims[name] = value.clone();
        }
    })
}

/// The result of a token without a claim.
pub fn verify_without(claim: &str) -> Result<Identity, OidcError> {
    verify_with(|token| {
        token.claims.as_object_mut().unwrap().remove(claim).unwrap();
    })
}

/// The result of a token with the provider's keys: one for each algorithm, whose id is the algorithm's name.
pub fn verify(token: &str) -> Result<Identity, OidcError> {
    static KEYS: LazyLock<KeySet> = LazyLock::new(|| {
        let keys = ALGORITHMS.map(|algorithm| {
            let mut jwk = Key::of(algorithm).jwk(algorithm);
            jwk["alg"] = algorithm.into();
            jwk
        });
        key_set(&keys)
    });
    verify_by(token, &KEYS)
}

pub fn verify_by(token: &str, keys: &KeySet) -> Result<Identity, OidcError> {
    let provider = metadata(&json!({}));
    let expected = ExpectedToken { algorithms: &provider.algorithms, ..expected(&provider.issuer) };
    verify_id_token(&token.into(), keys, expected)
}

/// What a token must be, with all algorithms.
pub fn expected(issuer: &Issuer) -> ExpectedToken<'_> {
    static SECRETS: LazyLock<[SecretString; 2]> = LazyLock::new(|| [NONCE.into(), ACCESS_TOKEN.into()]);
    static PROVIDER: LazyLock<ProviderMetadata> = LazyLock::new(|| metadata(&json!({})));
    let [nonce, access_token] = &*SECRETS;
    ExpectedToken { issuer, client_id: CLIENT_ID, algorithms: &PROVIDER.algorithms, nonce, access_token, now: now() }
}

pub fn key_set(keys: &[Value]) -> KeySet {
    KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

/// The metadata of the provider with some members replaced.
pub fn metadata(members: &Value) -> ProviderMetadata {
    parse_metadata(members).unwrap()
}

pub fn parse_metadata(members: &Value) -> Result<ProviderMetadata, OidcError> {
    ProviderMetadata::parse(metadata_json(members).to_string().as_bytes(), ISSUER)
}

/// A correct document with some members replaced; `null` removes one.
pub fn metadata_json(members: &Value) -> Value {
    let mut document = json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://id.example.org/authorize",
        "token_endpoint": "https://id.example.org/token",
        "jwks_uri": "https://id.example.org/keys",
        "response_types_supported": ["code", "id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ALGORITHMS,
        "code_challenge_methods_supported": ["plain", "S256"],
    });
    for (name, value) in members.as_object().unwrap() {
        document[name] = value.clone();
    }
    document.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    document
}

pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
