use hallpass::security::webauthn::cbor::{CborError, MAX_LENGTH, Value, read, read_first};

use crate::authenticator::cbor::{array, bytes, integer, map, text};

fn nested_arrays(levels: usize) -> Vec<u8> {
    (0..levels).fold(integer(1), |item, _| array(&[item]))
}

fn error(input: &[u8]) -> CborError {
    read(input).unwrap_err()
}

#[test]
fn all_supported_types_are_read() {
    for number in [0, 23, 24, 255, 256, 65_535, 65_536, 4_294_967_295, 4_294_967_296, i64::MAX, -1, -24, -25, i64::MIN]
    {
        assert_eq!(read(&integer(number)), Ok(Value::Integer(number)));
    }
    assert_eq!(read(&bytes(&[7; 300])), Ok(Value::Bytes(&[7; 300])));
    assert_eq!(read(&text("né")), Ok(Value::Text("né")));
    assert_eq!(read(&array(&[integer(1), vec![0xf6]])), Ok(Value::Array(vec![Value::Integer(1), Value::Null])));
    assert_eq!((read(&[0xf4]), read(&[0xf5])), (Ok(Value::Bool(false)), Ok(Value::Bool(true))));
}

#[test]
fn map_is_read_by_key_in_any_order() {
    let input = map(&[(text("b"), integer(1)), (integer(-2), integer(2)), (text("a"), integer(3))]);
    let value = read(&input).unwrap();
    let map = value.as_map().unwrap();
    assert_eq!(map.entries().len(), 3);
    let of = |value: Option<&Value<'_>>| value.and_then(Value::as_integer);
    assert_eq!((of(map.text_key("a")), of(map.text_key("b")), of(map.integer_key(-2))), (Some(3), Some(1), Some(2)));
    assert_eq!((of(map.text_key("c")), of(map.integer_key(1))), (None, None));
}

#[test]
fn indefinite_lengths_are_refused() {
    for input in [&[0x5f, 0x41, 1, 0xff][..], &[0x7f, 0x61, b'a', 0xff], &[0x9f, 1, 0xff], &[0xbf, 1, 1, 0xff]] {
        assert_eq!(error(input), CborError::IndefiniteLength, "{input:02x?}");
    }
}

#[test]
fn four_levels_of_nesting_are_accepted_and_five_refused() {
    assert!(read(&nested_arrays(4)).is_ok());
    assert_eq!(error(&nested_arrays(5)), CborError::TooDeep);
    assert_eq!(error(&nested_arrays(10_000)), CborError::TooDeep);
    let nested_maps = (0..5).fold(integer(1), |item, _| map(&[(integer(1), item)]));
    assert_eq!(error(&nested_maps), CborError::TooDeep);
}

#[test]
fn duplicate_keys_are_refused() {
    let one = || integer(1);
    assert_eq!(error(&map(&[(one(), one()), (integer(2), one()), (one(), integer(3))])), CborError::DuplicateKey);
    assert_eq!(error(&map(&[(text("a"), one()), (text("a"), one())])), CborError::DuplicateKey);
}

#[test]
fn keys_must_be_integers_or_texts() {
    for key in [bytes(b"a"), array(&[]), vec![0xf5]] {
        assert_eq!(error(&map(&[(key, integer(1))])), CborError::UnsupportedKey);
    }
}

#[test]
fn trailing_bytes_are_refused_or_returned() {
    assert_eq!(error(&[1, 2]), CborError::TrailingBytes);
    assert_eq!(read_first(&[1, 2]), Ok((Value::Integer(1), &[2][..])));
}

#[test]
fn numbers_and_lengths_must_have_the_shortest_form() {
    for input in [
        &[0x18, 23][..],
        &[0x19, 0, 0xff],
        &[0x1a, 0, 0, 0xff, 0xff],
        &[0x1b, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
        &[0x38, 0],
        &[0x58, 1, 7],
        &[0x79, 0, 1, b'a'],
        &[0x98, 1, 1],
        &[0xb8, 1, 1, 1],
        // Reserved heads.
        &[0x1c],
        &[0x5d],
        &[0xfe],
    ] {
        assert_eq!(error(input), CborError::NotMinimal, "{input:02x?}");
    }
}

#[test]
fn every_shortened_input_is_refused() {
    let input = map(&[
        (text("key"), bytes(&[7; 300])),
        (integer(-257), array(&[text("a"), integer(65_536)])),
        (text("map"), map(&[(integer(1), vec![0xf5])])),
    ]);
    read(&input).unwrap();
    for length in 0..input.len() {
        assert_eq!(error(&input[..length]), CborError::Truncated, "{length}");
    }
}

#[test]
fn huge_lengths_are_refused_without_allocating() {
    for (first, expected) in [
        (0x5b, CborError::Truncated),
        (0x7b, CborError::Truncated),
        (0x9b, CborError::TooLarge),
        (0xbb, CborError::TooLarge),
    ] {
        for length in [u64::MAX, u64::MAX / 2, 1 << 32] {
            assert_eq!(error(&[&[first][..], &length.to_be_bytes()].concat()), expected, "{first:02x} {length}");
        }
    }
}

#[test]
fn size_is_limited() {
    let entries = |number| (0..number).map(|key| (integer(key), integer(0))).collect::<Vec<_>>();
    assert!(read(&map(&entries(64))).is_ok());
    assert_eq!(error(&map(&entries(65))), CborError::TooLarge);
    assert!(read(&array(&vec![integer(0); 64])).is_ok());
    assert_eq!(error(&array(&vec![integer(0); 65])), CborError::TooLarge);
    assert!(read(&bytes(&vec![0; MAX_LENGTH - 3])).is_ok());
    assert_eq!(error(&bytes(&vec![0; MAX_LENGTH - 2])), CborError::TooLarge);
}

#[test]
fn invalid_text_is_refused() {
    assert_eq!(error(&[0x62, 0xc3, 0x28]), CborError::InvalidText);
}

#[test]
fn tags_floats_and_other_simple_values_are_refused() {
    for input in [
        &[0xc0, 0x61, b'a'][..],
        &[0xf9, 0x3c, 0],
        &[0xfa, 0, 0, 0, 0],
        &[0xfb, 0, 0, 0, 0, 0, 0, 0, 0],
        &[0xf7],
        &[0xe0],
        &[0xf8, 32],
    ] {
        assert_eq!(error(input), CborError::Unsupported, "{input:02x?}");
    }
    // 2^63, and −1 − 2^63.
    for first in [0x1b, 0x3b] {
        assert_eq!(error(&[first, 0x80, 0, 0, 0, 0, 0, 0, 0]), CborError::Unsupported);
    }
    assert_eq!(error(&[0xff]), CborError::IndefiniteLength);
}
