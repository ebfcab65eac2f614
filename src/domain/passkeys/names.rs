//! Default names of passkeys.

use uuid::{Uuid, uuid};

use crate::domain::sessions;

/// Published AAGUIDs of password managers and platforms: the providers state them in the list of the passkey developer community
/// (github.com/passkeydeveloper/passkey-authenticator-aaguids). Authenticators that are not listed are named after the device.
/// The AAGUID is not attested, so the name proves nothing.
const PROVIDERS: &[(Uuid, &str)] = &[
    // Platforms and browsers.
    (uuid!("fbfc3007-154e-4ecc-8c0b-6e020557d7bd"), "Apple Passwords"),
    (uuid!("dd4ec289-e01d-41c9-bb89-70fa845d4bf2"), "iCloud Keychain (managed)"),
    (uuid!("ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4"), "Google Password Manager"),
    (uuid!("adce0002-35bc-c60a-648b-0b25f1f05503"), "Chrome on macOS"),
    (uuid!("b5397666-4885-aa6b-cebf-e52262a439a2"), "Chromium"),
    (uuid!("08987058-cadc-4b81-b6e1-30de50dcbe96"), "Windows Hello"),
    (uuid!("9ddd1817-af5a-4672-a2b9-3e3dd95000a9"), "Windows Hello"),
    (uuid!("6028b017-b1d4-4c02-b4b3-afcdafc96bb2"), "Windows Hello"),
    (uuid!("d3452668-01fd-4c12-926c-83a4204853aa"), "Microsoft Password Manager"),
    (uuid!("771b48fd-d3d4-4f74-9232-fc157ab0507a"), "Edge on macOS"),
    (uuid!("53414d53-554e-4700-0000-000000000000"), "Samsung Pass"),
    // Password managers.
    (uuid!("bada5566-a7aa-401f-bd96-45619a55120d"), "1Password"),
    (uuid!("d548826e-79b4-db40-a3d8-11116f7e8349"), "Bitwarden"),
    (uuid!("531126d6-e717-415c-9320-3d9aa6981239"), "Dashlane"),
    (uuid!("f3809540-7f14-49c1-a8b3-8f813b225541"), "Enpass"),
    (uuid!("a10c6dd9-465e-4226-8198-c7c44b91c555"), "Kaspersky Password Manager"),
    (uuid!("eaecdef2-1c31-5634-8639-f1cbd9c00a08"), "KeePassDX"),
    (uuid!("fdb141b2-5d84-443e-8a35-4698c205a502"), "KeePassXC"),
    (uuid!("0ea242b4-43c4-4a1b-8b17-dd6d0b6baec6"), "Keeper"),
    (uuid!("b78a0a55-6ef8-d246-a042-ba0f6d55050c"), "LastPass"),
    (uuid!("b84e4048-15dc-4dd0-8640-f4f60813c8af"), "NordPass"),
    (uuid!("fa37f553-f9b6-4adb-ac53-8bbb57ebdf0d"), "Norton Password Manager"),
    (uuid!("50726f74-6f6e-5061-7373-50726f746f6e"), "Proton Pass"),
    (uuid!("b35a26b2-8f6e-4697-ab1d-d44db4da28c6"), "Zoho Vault"),
];

/// The name of a passkey for which the user gave none: that of its provider, or of the device that added it.
pub(super) fn default_name(aaguid: Uuid, user_agent: Option<&str>) -> String {
    let known = PROVIDERS.iter().find(|(known, _)| *known == aaguid);
    known.map_or_else(|| sessions::device(user_agent), |(_, name)| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passkey_is_named_after_its_provider_or_the_device() {
        let bitwarden = uuid!("d548826e-79b4-db40-a3d8-11116f7e8349");
        assert_eq!(default_name(bitwarden, Some("curl/8.11.0")), "Bitwarden");
        assert_eq!(default_name(Uuid::nil(), Some("Mozilla/5.0 (X11; Linux) Firefox/140.0")), "Firefox on Linux");
        assert_eq!(default_name(Uuid::nil(), None), "Unknown device");
    }
}
