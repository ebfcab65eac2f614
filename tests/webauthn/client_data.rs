use hallpass::security::webauthn::{ClientData, VerificationError};

fn parse(json: &str) -> Result<ClientData<'_>, VerificationError> {
    ClientData::parse(json.as_bytes())
}

fn is_malformed(json: &str) -> bool {
    parse(json) == Err(VerificationError::MalformedClientData)
}

const HONEST: &str = r#"{"type":"webauthn.get","challenge":"AA","origin":"https://example.org"}"#;

#[test]
fn unknown_members_are_ignored() {
    let extended = HONEST.replace('}', r#","extra":{"a":[1,null]},"tokenBinding":{"status":"supported"}}"#);
    assert_eq!(parse(&extended), parse(HONEST));
}

#[test]
fn byte_order_mark_is_ignored() {
    assert_eq!(parse(&format!("\u{feff}{HONEST}")), parse(HONEST));
}

#[test]
fn duplicate_keys_are_refused() {
    for duplicate in [
        r#""type":"webauthn.get""#,
        r#""challenge":"AA""#,
        r#""origin":"https://example.org""#,
        r#""or\u0069gin":"https://example.org""#,
        r#""crossOrigin":false,"crossOrigin":false"#,
        r#""topOrigin":1,"topOrigin":1"#,
        r#""extra":1,"extra":1"#,
    ] {
        let json = HONEST.replace('}', &format!(",{duplicate}}}"));
        assert!(is_malformed(&json), "{json}");
    }
}

#[test]
fn type_challenge_and_origin_are_required() {
    for member in [r#""type":"webauthn.get","#, r#""challenge":"AA","#, r#","origin":"https://example.org""#] {
        assert!(is_malformed(&HONEST.replace(member, "")), "{member}");
    }
}

#[test]
fn malformed_json_is_refused() {
    for json in [
        "",
        "null",
        "[]",
        r#"["webauthn.get","AA","https://example.org"]"#,
        &format!("{HONEST}x"),
        &format!("{HONEST}{HONEST}"),
        &HONEST.replace("\"AA\"", "1"),
        &HONEST.replace('}', r#","crossOrigin":"false"}"#),
        &HONEST.replace('}', r#","crossOrigin":null}"#),
        &HONEST.replace('}', ",}"),
    ] {
        assert!(is_malformed(json), "{json}");
    }
    assert_eq!(ClientData::parse(b"\xff"), Err(VerificationError::MalformedClientData));
}

#[test]
fn unknown_members_are_skipped_without_recursion() {
    let json = HONEST.replace('}', &format!(",\"extra\":{}{}}}", "[".repeat(2000), "]".repeat(2000)));
    assert_eq!(parse(&json), parse(HONEST));
}

#[test]
fn length_is_limited() {
    let padded = |length: usize| {
        let padding = length - HONEST.len();
        format!("{}{HONEST}", " ".repeat(padding))
    };
    assert!(parse(&padded(4096)).is_ok());
    assert!(is_malformed(&padded(4097)));
}
