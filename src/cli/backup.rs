//! `hallpass backup` and `hallpass restore`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::{
    cli::{expect_database, name_database, output::print_line},
    clock::Clock,
    config::{DatabaseUrl, Settings},
    database::backup,
};

/// Writes a backup of the SQLite file.
pub(super) async fn run(settings: Settings, file: PathBuf) -> Result<()> {
    name_database(&settings);
    let path = sqlite_file(&settings)?.to_owned();
    expect_database(&settings)?;
    let to = file.clone();
    tokio::task::spawn_blocking(move || backup::backup(&path, &to)).await??;
    let bytes = fs::metadata(&file).with_context(|| format!("{} can't be read", file.display()))?.len();
    print_line(format_args!("{} has {bytes} bytes. Keep SECRET_KEY or its file in another place", file.display()))
}

/// Replaces the SQLite file with a backup.
pub(super) async fn restore(settings: Settings, file: PathBuf) -> Result<()> {
    name_database(&settings);
    let path = sqlite_file(&settings)?;
    let suffix = format!(".before-{}", Clock::System.now().format("%Y%m%dT%H%M%S%6fZ"));
    let kept = backup::restore(&file, path, &suffix).await?;
    print_line(format_args!("{} is restored to {}", file.display(), path.display()))?;
    match kept {
        Some(kept) => print_line(format_args!(
            "The replaced database is {}. Delete it when you no longer need it",
            kept.display()
        )),
        None => Ok(()),
    }
}

/// The SQLite file. Fails for a server, whose own tools make backups.
fn sqlite_file(settings: &Settings) -> Result<&Path> {
    match &settings.database.url {
        DatabaseUrl::Sqlite(path) => Ok(path),
        DatabaseUrl::Postgres(_) => {
            bail!("this command is for SQLite. Use pg_dump and pg_restore; docs/operations/backup.md has the commands")
        }
        DatabaseUrl::MySql(_) => {
            bail!(
                "this command is for SQLite. Use mysqldump --single-transaction, or mariadb-dump; docs/operations/backup.md has the \
                 commands"
            )
        }
    }
}
