//! CBOR of authenticators: each accepted value has exactly one spelling, and keys are accepted only as they are.
#![no_main]

use hallpass::security::webauthn::{
    AttestationObject, AuthenticatorData, PublicKey,
    cbor::{CborError, MAX_LENGTH, Value, read, read_first},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    match read_first(input) {
        Ok((value, rest)) => {
            let (item, _) = input.split_at(input.len() - rest.len());
            let mut written = Vec::new();
            write(&value, &mut written);
            assert_eq!(written, item);
            assert_eq!(read(item), Ok(value));
            assert_eq!(read(input).is_ok(), rest.is_empty());
            let (_, shorter) = item.split_last().unwrap();
            assert_eq!(read(shorter), Err(CborError::Truncated));
        }
        Err(CborError::TooLarge) if input.len() > MAX_LENGTH => {}
        Err(error) => assert_eq!(read(input), Err(error)),
    }
    if let Ok(data) = AuthenticatorData::parse(input) {
        check_credential(&data);
    }
    if let Ok(object) = AttestationObject::parse(input) {
        assert!(input.len() > object.authenticator_data.len() + object.format.len());
        if let Ok(data) = AuthenticatorData::parse(object.authenticator_data) {
            check_credential(&data);
        }
    }
    check_key(input);
});

fn check_credential(data: &AuthenticatorData<'_>) {
    if let Some(credential) = data.credential {
        assert!((1..=1023).contains(&credential.id.len()));
        assert!(read(credential.public_key).is_ok());
        check_key(credential.public_key);
    }
}

fn check_key(key: &[u8]) {
    if let Ok(parsed) = PublicKey::parse(key) {
        assert!(parsed.verify(b"message", b"no signature").is_err());
        assert!(PublicKey::parse(&[key, &[0]].concat()).is_err());
    }
}

fn write(value: &Value<'_>, output: &mut Vec<u8>) {
    match value {
        Value::Integer(number) if *number < 0 => write_head(1, !number, output),
        Value::Integer(number) => write_head(0, *number, output),
        Value::Bytes(bytes) => {
            write_head(2, length(bytes.len()), output);
            output.extend_from_slice(bytes);
        }
        Value::Text(text) => {
            write_head(3, length(text.len()), output);
            output.extend_from_slice(text.as_bytes());
        }
        Value::Array(items) => {
            write_head(4, length(items.len()), output);
            for item in items {
                write(item, output);
            }
        }
        Value::Map(map) => {
            write_head(5, length(map.entries().len()), output);
            for (key, value) in map.entries() {
                write(key, output);
                write(value, output);
            }
        }
        Value::Bool(false) => output.push(0xf4),
        Value::Bool(true) => output.push(0xf5),
        Value::Null => output.push(0xf6),
    }
}

/// Writes the shortest head (RFC 8949 §4.2.1).
fn write_head(major_type: u8, argument: i64, output: &mut Vec<u8>) {
    let bytes = argument.to_be_bytes();
    let (short, length) = match argument {
        0..=23 => (bytes[7], 0),
        24..=0xff => (24, 1),
        0x100..=0xffff => (25, 2),
        0x1_0000..=0xffff_ffff => (26, 4),
        _ => (27, 8),
    };
    output.push(major_type << 5 | short);
    output.extend_from_slice(&bytes[8 - length..]);
}

fn length(length: usize) -> i64 {
    i64::try_from(length).unwrap()
}
