//! Keys, and who can read the files that contain secrets.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use crate::{
    cli::doctor::{Level, Report},
    clock::Clock,
    config::{DatabaseUrl, SecretKey, Settings},
    security::access_token,
};

/// The permissions of other users than the owner.
const OTHERS: u32 = 0o077;

pub(super) fn check(report: &mut Report, settings: &Settings) {
    match &settings.tokens.secret_key {
        SecretKey::File(path) if !path.exists() => {
            let text = format!("SECRET_KEY is not set; the first start generates one in {}", path.display());
            report.add(Level::Ok, "keys", text);
        }
        SecretKey::File(path) => report.add(Level::Ok, "keys", format!("the secret is in {}", path.display())),
        SecretKey::Given(_) => report.add(Level::Ok, "keys", "SECRET_KEY is set"),
    }
    match access_token::check_key_files(settings, Clock::System.now()) {
        Ok(()) => {
            let algorithm = settings.tokens.jwt_algorithm;
            report.add(Level::Ok, "keys", format!("access tokens can be signed with {algorithm}"));
        }
        Err(error) => report.add(Level::Failed, "keys", error.cause().unwrap_or("the keys cannot be read").to_owned()),
    }
    let files = secret_files(settings);
    let readable: Vec<_> = files.iter().filter(|path| is_readable_by_others(path)).collect();
    for path in &readable {
        let path = path.display();
        report.add(
            Level::Warning,
            "files",
            format!("other users of this machine can read {path}; run `chmod 600 {path}`"),
        );
    }
    if readable.is_empty() {
        report.add(Level::Ok, "files", "no other user of this machine can read the files with secrets");
    }
}

/// The files that contain secrets or personal data, if they exist.
fn secret_files(settings: &Settings) -> Vec<PathBuf> {
    let mut files = vec![PathBuf::from(".env")];
    if let DatabaseUrl::Sqlite(path) = &settings.database.url {
        files.push(path.clone());
    }
    if let SecretKey::File(path) = &settings.tokens.secret_key {
        files.push(path.clone());
    }
    if let Some(folder) = &settings.tokens.jwt_keys {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        files.extend(entries.map(|entry| entry.path()));
    }
    files
}

fn is_readable_by_others(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & OTHERS != 0)
}
