//! Making key files for `JWT_KEYS`.

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

/// The name of a key's file: when it starts to sign, in UTC.
pub(super) const FILE_NAME: &str = "%Y%m%dT%H%M%SZ.pem";

/// Makes a new private key in `folder`, which is made if it is not there. Both are for their owner's eyes alone.
///
/// # Errors
/// Internal, with a cause for whoever is at the command line: HS256 has no key files; the file can't be written, or is
/// there already.
pub fn generate(folder: &Path, algorithm: JwtAlgorithm, starts_at: DateTime<Utc>) -> Result<PathBuf> {
    let der = private_key(algorithm)?;
    let path = folder.join(starts_at.format(FILE_NAME).to_string());
    let pem = pem::encode(&Pem::new("PRIVATE KEY", der));
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .and_then(|()| private_file::create(&path, pem.as_bytes()))
        .map_err(|error| Error::internal(format!("the key {} can't be written: {error}", path.display())))?;
    Ok(path)
}

/// Whether a folder has no key yet; one that is not there has none.
///
/// # Errors
/// Internal, with a cause: it can't be read.
pub fn is_empty(folder: &Path) -> Result<bool> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
        Err(error) => {
            return Err(Error::internal(format!("the folder {} can't be read: {error}", folder.display())));
        }
    };
    Ok(!entries.flatten().any(|entry| entry.path().extension() == Some(OsStr::new("pem"))))
}

/// PKCS#8 (RFC 5208), which every tool reads.
fn private_key(algorithm: JwtAlgorithm) -> Result<Vec<u8>> {
    let failed = |_: Unspecified| Error::internal("no key could be made");
    match algorithm {
        JwtAlgorithm::Hs256 => Err(Error::internal(
            "HS256 has no key files, its key comes from SECRET_KEY; set JWT_ALGORITHM to EdDSA, ES256 or RS256",
        )),
        JwtAlgorithm::EdDsa => {
            let key = Ed25519KeyPair::generate().and_then(|key| key.to_pkcs8v1()).map_err(failed)?;
            Ok(key.as_ref().to_vec())
        }
        JwtAlgorithm::Es256 => {
            let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
            Ok(key.and_then(|key| key.to_pkcs8v1()).map_err(failed)?.as_ref().to_vec())
        }
        JwtAlgorithm::Rs256 => {
            let key = RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
            let der: Pkcs8V1Der<'_> = key.as_der().map_err(failed)?;
            Ok(der.as_ref().to_vec())
        }
    }
}
