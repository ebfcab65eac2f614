//! `JWT_ALGORITHM` and `JWT_KEYS`.

use std::path::PathBuf;

use crate::config::{JwtAlgorithm, vars::Vars};

pub(super) fn read(vars: &mut Vars) -> (JwtAlgorithm, Option<PathBuf>) {
    let algorithm = vars.get("JWT_ALGORITHM", JwtAlgorithm::Hs256, "HS256, EdDSA, ES256 or RS256", |text| match text {
        "HS256" => Some(JwtAlgorithm::Hs256),
        "EdDSA" => Some(JwtAlgorithm::EdDsa),
        "ES256" => Some(JwtAlgorithm::Es256),
        "RS256" => Some(JwtAlgorithm::Rs256),
        _ => None,
    });
    let folder = vars.get("JWT_KEYS", None, "a folder", |text| Some(Some(PathBuf::from(text))));
    match (algorithm, &folder) {
        (JwtAlgorithm::Hs256, Some(_)) => vars.mistake(
            "JWT_KEYS: expected no folder with JWT_ALGORITHM=HS256, which has no key files. Set JWT_ALGORITHM to EdDSA, ES256 or RS256"
                .to_owned(),
        ),
        (JwtAlgorithm::EdDsa | JwtAlgorithm::Es256 | JwtAlgorithm::Rs256, None) => vars.mistake(
            "JWT_KEYS: required with this JWT_ALGORITHM. Set it to a folder, and run `hallpass key generate`".to_owned(),
        ),
        _ => {}
    }
    (algorithm, folder)
}
