//! The formats of other software, recognized by how the text begins.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{
    ForeignHash, OtherHash,
    bcrypt::{Bcrypt, Prehash},
    parse_number,
    pbkdf2::{Algorithm, Pbkdf2},
    scrypt::Scrypt,
};

/// Parses a hash in any format.
pub(super) fn parse(text: &str) -> Option<ForeignHash> {
    if let Some(rest) = text.strip_prefix('$') {
        return passlib(rest);
    }
    let end = text.find(['$', ':'])?;
    let (scheme, rest) = text.split_at_checked(end)?;
    match (scheme, rest.strip_prefix('$'), rest.strip_prefix(':')) {
        (_, Some(rest), _) => django(scheme, rest),
        (_, _, Some(rest)) => werkzeug(scheme, rest),
        _ => None,
    }
}

/// Parses what follows the first `$` of a hash by passlib, or by other software in a format of passlib.
fn passlib(text: &str) -> Option<ForeignHash> {
    let (scheme, rest) = text.split_once('$')?;
    match scheme {
        // These versions are equivalent, except for bugs in some implementations, which Python's did not have.
        // Hashes made with such a bug are marked `2x`; each of them matches several passwords.
        "2a" | "2b" | "2y" => Bcrypt::parse(rest, Prehash::None).map(ForeignHash::Bcrypt),
        "bcrypt-sha256" => bcrypt_sha256_version_1(rest),
        "pbkdf2" => pbkdf2(Algorithm::Sha1, rest),
        "pbkdf2-sha256" => pbkdf2(Algorithm::Sha256, rest),
        "pbkdf2-sha512" => pbkdf2(Algorithm::Sha512, rest),
        "argon2id" => ForeignHash::argon2id(rest),
        "scrypt" => Scrypt::phc(rest).map(of_scrypt),
        "firebase-scrypt" => Scrypt::firebase(rest).map(of_scrypt),
        _ => None,
    }
}

fn pbkdf2(algorithm: Algorithm, text: &str) -> Option<ForeignHash> {
    Pbkdf2::passlib(algorithm, text).map(OtherHash::Pbkdf2).map(ForeignHash::Other)
}

fn of_scrypt(hash: Scrypt) -> ForeignHash {
    ForeignHash::Other(OtherHash::Scrypt(hash))
}

/// Parses `2b,12$<salt>$<digest>`, the first version of passlib's `bcrypt-sha256`. The second one is Hallpass's own.
fn bcrypt_sha256_version_1(text: &str) -> Option<ForeignHash> {
    let rest = text.strip_prefix("2b,").or_else(|| text.strip_prefix("2a,"))?;
    let (cost, rest) = rest.split_once('$')?;
    let (salt, digest) = rest.split_once('$')?;
    // Joined, these have the form of a bcrypt hash. Their lengths are checked, so that the parts cannot be shifted.
    let is_split = salt.len() == 22 && digest.len() == 31;
    let cost = parse_number(cost).filter(|_| is_split)?;
    Bcrypt::parse(&format!("{cost:02}${salt}{digest}"), Prehash::Base64).map(ForeignHash::Bcrypt)
}

/// Parses a hash by Django: the name of a hasher, `$`, and what the hasher writes.
fn django(scheme: &str, text: &str) -> Option<ForeignHash> {
    let bcrypt = |prehash| {
        let (version, rest) = text.strip_prefix('$')?.split_once('$')?;
        ["2a", "2b", "2y"].contains(&version).then(|| Bcrypt::parse(rest, prehash)).flatten().map(ForeignHash::Bcrypt)
    };
    match scheme {
        "argon2" => ForeignHash::argon2id(text.strip_prefix("argon2id$")?),
        "bcrypt" => bcrypt(Prehash::None),
        "bcrypt_sha256" => bcrypt(Prehash::Hex),
        "pbkdf2_sha1" => django_pbkdf2(Algorithm::Sha1, text),
        "pbkdf2_sha256" => django_pbkdf2(Algorithm::Sha256, text),
        // `<N>$<salt>$<r>$<p>$<digest>`.
        "scrypt" => {
            let [n, salt, r, p, digest] = parts(text)?;
            Scrypt::new([n, r, p], salt.as_bytes(), STANDARD.decode(digest).ok()?).map(of_scrypt)
        }
        _ => None,
    }
}

/// Parses `<rounds>$<salt>$<digest>`. The salt is text.
fn django_pbkdf2(algorithm: Algorithm, text: &str) -> Option<ForeignHash> {
    let [rounds, salt, digest] = parts(text)?;
    let hash = Pbkdf2::new(algorithm, rounds, salt.as_bytes(), STANDARD.decode(digest).ok()?)?;
    Some(ForeignHash::Other(OtherHash::Pbkdf2(hash)))
}

/// Parses a hash by Werkzeug, without the scheme: `32768:8:1$<salt>$<digest>` or `sha256:600000$<salt>$<digest>`. The salt is
/// text, the digest is hexadecimal.
fn werkzeug(scheme: &str, text: &str) -> Option<ForeignHash> {
    let [parameters, salt, digest] = parts(text)?;
    let digest = hex::decode(digest).ok()?;
    let mut parameters = parameters.split(':');
    let mut next = || parameters.next();
    let hash = match scheme {
        "scrypt" => OtherHash::Scrypt(Scrypt::new([next()?, next()?, next()?], salt.as_bytes(), digest)?),
        "pbkdf2" => {
            let algorithm = match next()? {
                "sha1" => Algorithm::Sha1,
                "sha256" => Algorithm::Sha256,
                "sha512" => Algorithm::Sha512,
                _ => return None,
            };
            OtherHash::Pbkdf2(Pbkdf2::new(algorithm, next()?, salt.as_bytes(), digest)?)
        }
        _ => return None,
    };
    next().is_none().then_some(ForeignHash::Other(hash))
}

/// Splits a text at each `$`. Returns `None` if it has another number of parts.
fn parts<const COUNT: usize>(text: &str) -> Option<[&str; COUNT]> {
    text.split('$').collect::<Vec<_>>().try_into().ok()
}
