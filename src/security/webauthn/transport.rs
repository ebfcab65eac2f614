//! How clients reach an authenticator.

use serde::{Serialize, Serializer};

/// A transport (WebAuthn §5.8.4). Clients use it to find the authenticator of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Removable, over USB.
    Usb,
    /// Removable, over NFC.
    Nfc,
    /// Removable, over Bluetooth Low Energy.
    Ble,
    /// Removable, a contact smart card.
    SmartCard,
    /// Another device, such as a phone whose user scanned a QR code.
    Hybrid,
    /// Built into the client's device.
    Internal,
}

impl Transport {
    const ALL: [Self; 6] = [Self::Usb, Self::Nfc, Self::Ble, Self::SmartCard, Self::Hybrid, Self::Internal];

    /// The value in the Web Authentication API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Usb => "usb",
            Self::Nfc => "nfc",
            Self::Ble => "ble",
            Self::SmartCard => "smart-card",
            Self::Hybrid => "hybrid",
            Self::Internal => "internal",
        }
    }

    /// Parses values of the Web Authentication API. Ignores unknown values, as the standard demands, and duplicates.
    pub fn parse_known<'a>(values: impl IntoIterator<Item = &'a str>) -> Vec<Self> {
        let mut transports = Vec::new();
        for value in values {
            let transport = Self::ALL.into_iter().find(|transport| transport.as_str() == value);
            if let Some(transport) = transport.filter(|transport| !transports.contains(transport)) {
                transports.push(transport);
            }
        }
        transports
    }
}

impl Serialize for Transport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
