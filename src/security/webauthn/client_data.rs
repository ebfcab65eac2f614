//! Client data: what the client says about a ceremony (WebAuthn §5.8.1). The authenticator signs its hash.

use std::{borrow::Cow, collections::BTreeSet, fmt};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny, MapAccess, Visitor},
};

use super::{RelyingParty, VerificationError};

/// Maximum length of `clientDataJSON` in bytes. Clients may add keys to it.
pub(super) const MAX_LENGTH: usize = 4096;

/// The type of a ceremony, as client data states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CeremonyType {
    /// Registration.
    Create,
    /// Authentication.
    Get,
}

impl CeremonyType {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "webauthn.create",
            Self::Get => "webauthn.get",
        }
    }
}

/// Parsed client data. Unknown keys are ignored, as the standard demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientData<'a> {
    /// `type`: the type of the ceremony.
    pub ceremony_type: Cow<'a, str>,
    /// `challenge`: the challenge in base64url.
    pub challenge: Cow<'a, str>,
    /// `origin`: the origin of the page, or the app, that used the credential.
    pub origin: Cow<'a, str>,
    /// `crossOrigin`: whether the page was in a frame of another origin.
    pub is_cross_origin: bool,
    /// Whether there is a `topOrigin`, the origin of the page around the frame.
    pub has_top_origin: bool,
}

impl<'a> ClientData<'a> {
    /// Parses `clientDataJSON`. Ignores a byte order mark, as the standard demands. Refuses duplicate keys, whose meaning
    /// would depend on the parser.
    ///
    /// # Errors
    /// MalformedClientData.
    pub fn parse(json: &'a [u8]) -> Result<Self, VerificationError> {
        if json.len() > MAX_LENGTH {
            return Err(VerificationError::MalformedClientData);
        }
        let json = json.strip_prefix("\u{feff}".as_bytes()).unwrap_or(json);
        serde_json::from_slice(json).map_err(|_| VerificationError::MalformedClientData)
    }

    /// Checks the client data (§7.1 steps 7 to 11, §7.2 steps 10 to 14).
    ///
    /// # Errors
    /// ClientDataType, Challenge, Origin or CrossOrigin.
    pub fn check(
        &self,
        ceremony_type: CeremonyType,
        challenge: &[u8],
        relying_party: RelyingParty<'_>,
    ) -> Result<(), VerificationError> {
        if self.ceremony_type != ceremony_type.as_str() {
            return Err(VerificationError::ClientDataType);
        }
        let challenge = URL_SAFE_NO_PAD.encode(challenge);
        verify_slices_are_equal(self.challenge.as_bytes(), challenge.as_bytes())
            .map_err(|_| VerificationError::Challenge)?;
        if !relying_party.origins.contains(&&*self.origin) {
            return Err(VerificationError::Origin);
        }
        if self.is_cross_origin || self.has_top_origin {
            return Err(VerificationError::CrossOrigin);
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for ClientData<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ClientDataVisitor)
    }
}

/// A text that is borrowed from the input if it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

struct ClientDataVisitor;

/// A derived implementation would accept duplicates of unknown keys.
impl<'de> Visitor<'de> for ClientDataVisitor {
    type Value = ClientData<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("client data")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut ceremony_type, mut challenge, mut origin) = (None, None, None);
        let (mut is_cross_origin, mut has_top_origin) = (false, false);
        let mut keys = BTreeSet::new();
        while let Some(Text(key)) = map.next_key()? {
            match &*key {
                "type" => ceremony_type = Some(map.next_value::<Text<'de>>()?.0),
                "challenge" => challenge = Some(map.next_value::<Text<'de>>()?.0),
                "origin" => origin = Some(map.next_value::<Text<'de>>()?.0),
                "crossOrigin" => is_cross_origin = map.next_value()?,
                "topOrigin" => {
                    map.next_value::<IgnoredAny>()?;
                    has_top_origin = true;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            if !keys.insert(key) {
                return Err(A::Error::custom("duplicate key"));
            }
        }
        Ok(ClientData {
            ceremony_type: ceremony_type.ok_or_else(|| A::Error::missing_field("type"))?,
            challenge: challenge.ok_or_else(|| A::Error::missing_field("challenge"))?,
            origin: origin.ok_or_else(|| A::Error::missing_field("origin"))?,
            is_cross_origin,
            has_top_origin,
        })
    }
}
