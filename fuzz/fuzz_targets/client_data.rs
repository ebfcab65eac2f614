//! `clientDataJSON`: an accepted one means the same to every JSON parser, and only the expected values pass the check.
#![no_main]

use hallpass::security::webauthn::{CeremonyType, ClientData, RelyingParty};
use libfuzzer_sys::{Corpus, fuzz_target};
use serde_json::Value;

const CHALLENGE: &[u8] = b"challenge";
/// [`CHALLENGE`] in base64url.
const ENCODED: &str = "Y2hhbGxlbmdl";
const RELYING_PARTY: RelyingParty<'_> = RelyingParty { id: "example.org", origins: &["https://example.org"] };

fuzz_target!(|json: &[u8]| -> Corpus {
    let Ok(data) = ClientData::parse(json) else { return Corpus::Keep };
    assert!(json.len() <= 4096);
    let json = json.strip_prefix("\u{feff}".as_bytes()).unwrap_or(json);
    // A general parser has other limits for members that are ignored here.
    let Ok(value) = serde_json::from_slice::<Value>(json) else { return Corpus::Keep };
    assert_eq!(value["type"], *data.ceremony_type);
    assert_eq!(value["challenge"], *data.challenge);
    assert_eq!(value["origin"], *data.origin);
    assert_eq!(value.get("crossOrigin").unwrap_or(&Value::Bool(false)), data.is_cross_origin);
    assert_eq!(value.get("topOrigin").is_some(), data.has_top_origin);
    for (ceremony_type, name) in [(CeremonyType::Create, "webauthn.create"), (CeremonyType::Get, "webauthn.get")] {
        let is_expected = value["type"] == name
            && value["challenge"] == ENCODED
            && value["origin"] == "https://example.org"
            && !data.is_cross_origin
            && !data.has_top_origin;
        assert_eq!(data.check(ceremony_type, CHALLENGE, RELYING_PARTY).is_ok(), is_expected);
    }
    // A repeated member makes the meaning depend on the parser.
    let repeated = [&json[..json.len() - after_last_brace(json)], b",\"type\":\"webauthn.get\"}"].concat();
    assert!(ClientData::parse(&repeated).is_err());
    Corpus::Keep
});

/// The number of bytes from the last closing brace.
fn after_last_brace(json: &[u8]) -> usize {
    json.len() - json.iter().rposition(|byte| *byte == b'}').unwrap()
}
