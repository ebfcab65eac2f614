//! Generation of key files for `JWT_KEYS`.

use std::{
    ffi::OsStr,
    fs::{self, DirBuilder},
    io::ErrorKind,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    error::Unspecified,
    rsa::KeySize,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair},
};
use chrono::{DateTime, Utc};
use pem::Pem;

use crate::{Error, Result, config::JwtAlgorithm, security::private_file};

/// The format of a key's file name: the UTC time at which it starts to sign.
pub(super) const FILE_NAME: &str = "%Y%m%dT%H%M%SZ.pem";

/// Generates a private key in `folder`, which is created if it does not exist. Only the owner can read the folder and
/// the file.
///
/// # Errors
/// Internal, with a cause for the operator, if the algorithm is HS256, or if the file already exists or cannot be
/// written.
pub fn generate(folder: &Path, algorithm: JwtAlgorithm, starts_at: DateTime<Utc>) -> Result<PathBuf> {
    let der = private_key(algorithm)?;
    let path = folder.join(starts_at.format(FILE_NAME).to_string());
    let pem = pem::encode(&Pem::new("PRIVATE KEY", der));
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .and_then(|()| private_file::create(&path, pem.as_bytes()))
        .map_err(|error| Error::internal(format!("cannot write the key file {}: {error}", path.display())))?;
    Ok(path)
}

/// Whether a folder contains no key. A folder that does not exist counts as empty.
///
/// # Errors
/// Internal, with a cause for the operator, if the folder cannot be read.
pub fn is_empty(folder: &Path) -> Result<bool> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
        Err(error) => {
            return Err(Error::internal(format!("cannot read the folder {}: {error}", folder.display())));
        }
    };
    Ok(!entries.flatten().any(|entry| entry.path().extension() == Some(OsStr::new("pem"))))
}

/// Generates a private key in PKCS#8 (RFC 5208), which all common tools read.
fn private_key(algorithm: JwtAlgorithm) -> Result<Vec<u8>> {
    let generation_failed = |_: Unspecified| Error::internal("failed to generate a key");
    match algorithm {
        JwtAlgorithm::Hs256 => Err(Error::internal(
            "HS256 has no key files because its key is derived from SECRET_KEY; set JWT_ALGORITHM to EdDSA, ES256 \
             or RS256",
        )),
        JwtAlgorithm::EdDsa => {
            let key = Ed25519KeyPair::generate().and_then(|key| key.to_pkcs8v1()).map_err(generation_failed)?;
            Ok(key.as_ref().to_vec())
        }
        JwtAlgorithm::Es256 => {
            let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
            Ok(key.and_then(|key| key.to_pkcs8v1()).map_err(generation_failed)?.as_ref().to_vec())
        }
        JwtAlgorithm::Rs256 => {
            let key = RsaKeyPair::generate(KeySize::Rsa2048).map_err(generation_failed)?;
            let der: Pkcs8V1Der<'_> = key.as_der().map_err(generation_failed)?;
            Ok(der.as_ref().to_vec())
        }
    }
}
