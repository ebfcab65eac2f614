use hallpass::security::webauthn::{Algorithm, PublicKey, VerificationError, cbor::CborError};

use crate::{
    authenticator::cbor::{bytes, integer, map, text},
    support::{authenticator, creation_options, verify_registration_json},
};

type Entries = Vec<(Vec<u8>, Vec<u8>)>;

/// The point G of P-256 (SEC 2 §2.4.2).
const X: &str = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
const Y: &str = "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

fn es256(x: &[u8], y: &[u8]) -> Entries {
    vec![
        (integer(1), integer(2)),
        (integer(3), integer(-7)),
        (integer(-1), integer(1)),
        (integer(-2), bytes(x)),
        (integer(-3), bytes(y)),
    ]
}

fn valid_es256() -> Entries {
    es256(&hex::decode(X).unwrap(), &hex::decode(Y).unwrap())
}

fn ed25519(x: &[u8]) -> Entries {
    vec![(integer(1), integer(1)), (integer(3), integer(-8)), (integer(-1), integer(6)), (integer(-2), bytes(x))]
}

fn rs256(n: &[u8], e: &[u8]) -> Entries {
    vec![(integer(1), integer(3)), (integer(3), integer(-257)), (integer(-1), bytes(n)), (integer(-2), bytes(e))]
}

/// An odd number with this many bits.
fn modulus(bits: usize) -> Vec<u8> {
    let mut modulus = vec![0xff; bits.div_ceil(8)];
    modulus[0] = 0xff >> (modulus.len() * 8 - bits);
    modulus
}

fn parse(entries: &Entries) -> Result<Algorithm, VerificationError> {
    PublicKey::parse(&map(entries)).map(|key| key.algorithm())
}

#[test]
fn keys_of_all_offered_algorithms_are_parsed() {
    assert_eq!(parse(&valid_es256()), Ok(Algorithm::Es256));
    assert_eq!(parse(&ed25519(&[9; 32])), Ok(Algorithm::EdDsa));
    assert_eq!(parse(&rs256(&modulus(2048), &[1, 0, 1])), Ok(Algorithm::Rs256));
}

#[test]
fn point_must_be_on_the_curve() {
    let (x, mut y) = (hex::decode(X).unwrap(), hex::decode(Y).unwrap());
    y[31] ^= 1;
    assert_eq!(parse(&es256(&x, &y)), Err(VerificationError::PublicKey));
    assert_eq!(parse(&es256(&[0; 32], &[0; 32])), Err(VerificationError::PublicKey));
    assert_eq!(parse(&es256(&[0xff; 32], &[0xff; 32])), Err(VerificationError::PublicKey));
}

#[test]
fn coordinates_have_32_bytes() {
    let (x, y) = (hex::decode(X).unwrap(), hex::decode(Y).unwrap());
    assert_eq!(parse(&es256(&x[1..], &y)), Err(VerificationError::PublicKey));
    assert_eq!(parse(&es256(&x, &[&[0], &y[..]].concat())), Err(VerificationError::PublicKey));
    // The bytes of a valid point, divided elsewhere.
    let point = [x, y].concat();
    assert_eq!(parse(&es256(&point[..31], &point[31..])), Err(VerificationError::PublicKey));
    for length in [0, 31, 33] {
        assert_eq!(parse(&ed25519(&vec![9; length])), Err(VerificationError::PublicKey));
    }
}

#[test]
fn compressed_points_are_refused() {
    let mut key = valid_es256();
    key[4].1 = vec![0xf5];
    assert_eq!(parse(&key), Err(VerificationError::PublicKey));
}

#[test]
fn rsa_modulus_has_2048_to_4096_bits() {
    for (bits, is_valid) in [(1024, false), (2047, false), (2048, true), (4096, true), (4097, false), (8192, false)] {
        assert_eq!(parse(&rs256(&modulus(bits), &[1, 0, 1])).is_ok(), is_valid, "{bits}");
    }
}

#[test]
fn rsa_numbers_have_no_leading_zeros() {
    let n = modulus(2048);
    assert_eq!(parse(&rs256(&[&[0], &n[..]].concat(), &[1, 0, 1])), Err(VerificationError::PublicKey));
    assert_eq!(parse(&rs256(&n, &[0, 1, 0, 1])), Err(VerificationError::PublicKey));
}

#[test]
fn invalid_rsa_exponents_are_refused() {
    assert!(parse(&rs256(&modulus(2048), &[3])).is_ok());
    for exponent in [&[][..], &[1], &[2], &[1, 0, 0], &[1, 0, 0, 0, 1]] {
        assert_eq!(parse(&rs256(&modulus(2048), exponent)), Err(VerificationError::PublicKey), "{exponent:02x?}");
    }
}

#[test]
fn algorithms_that_were_not_offered_are_refused() {
    // ES384, ES512, Ed448 and others, ESP256, RS1.
    for algorithm in [-35, -36, -53, -9, -65535, 0, 7] {
        let mut key = valid_es256();
        key[1].1 = integer(algorithm);
        assert_eq!(parse(&key), Err(VerificationError::Algorithm), "{algorithm}");
    }
}

#[test]
fn key_type_and_curve_must_belong_to_the_algorithm() {
    for (index, value) in [(0, 1), (0, 3), (1, -8), (1, -257), (2, 2), (2, 6)] {
        let mut key = valid_es256();
        key[index].1 = integer(value);
        assert_eq!(parse(&key), Err(VerificationError::PublicKey), "{index} {value}");
    }
    for (index, value) in [(0, 2), (1, -7), (2, 1), (2, 7)] {
        let mut key = ed25519(&[9; 32]);
        key[index].1 = integer(value);
        assert_eq!(parse(&key), Err(VerificationError::PublicKey), "{index} {value}");
    }
}

#[test]
fn key_has_exactly_the_required_parameters() {
    for key in [valid_es256(), ed25519(&[9; 32]), rs256(&modulus(2048), &[1, 0, 1])] {
        for index in 0..key.len() {
            let mut shorter = key.clone();
            shorter.remove(index);
            assert_eq!(parse(&shorter), Err(VerificationError::PublicKey));
        }
        // `key_ops` and a private key.
        for additional in [(integer(4), integer(1)), (integer(-4), bytes(&[1; 32])), (text("x"), integer(1))] {
            let longer = [key.clone(), vec![additional]].concat();
            assert_eq!(parse(&longer), Err(VerificationError::PublicKey));
        }
    }
}

#[test]
fn key_is_one_map() {
    assert_eq!(PublicKey::parse(&integer(1)).unwrap_err(), VerificationError::PublicKey);
    let trailing = [map(&valid_es256()), vec![0]].concat();
    assert_eq!(PublicKey::parse(&trailing).unwrap_err(), VerificationError::Cbor(CborError::TrailingBytes));
    let duplicate = [valid_es256(), vec![(integer(3), integer(-7))]].concat();
    assert_eq!(parse(&duplicate), Err(VerificationError::Cbor(CborError::DuplicateKey)));
}

#[test]
fn invalid_keys_cannot_be_registered() {
    let mut off_curve = valid_es256();
    off_curve[3].1 = bytes(&[7; 32]);
    let mut not_offered = valid_es256();
    not_offered[1].1 = integer(-35);
    for (key, expected) in [(off_curve, VerificationError::PublicKey), (not_offered, VerificationError::Algorithm)] {
        let mut authenticator = authenticator(Algorithm::Es256);
        let credential = authenticator.create(&creation_options(), |statement| statement.cose_key = map(&key));
        assert_eq!(verify_registration_json(&credential), Err(expected));
    }
}
