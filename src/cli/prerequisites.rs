//! What commands check before they begin, and how they open the database.

use std::sync::Arc;

use anyhow::{Context, Result, bail};

use crate::{
    App, Error,
    cli::{NOT_STARTED, output},
    clock::Clock,
    config::{DatabaseUrl, Settings},
    database::{self, Compatibility, Database},
    domain,
    security::access_token,
};

/// Prints which database a command works on. A relative path depends on the current folder, so it may not be the
/// server's database.
pub(super) fn name_database(settings: &Settings) {
    output::note_line(format_args!("database: {}", settings.database.url));
}

/// Fails without the key files of `JWT_KEYS`, before anything is created.
pub(super) fn expect_keys(settings: &Settings) -> Result<()> {
    access_token::check_key_files(settings, Clock::System.now()).context(NOT_STARTED)
}

/// Fails if there are mistakes in the templates of `MAIL_TEMPLATES`, before anything is created.
pub(super) fn expect_templates(settings: &Settings) -> Result<()> {
    crate::mail::check_templates(settings).map_err(Into::into)
}

/// Fails if the SQLite file does not exist. A new database would be empty, and most likely not the server's.
pub(super) fn expect_database(settings: &Settings) -> Result<()> {
    match &settings.database.url {
        DatabaseUrl::Sqlite(path) if !path.exists() => bail!(
            "{} does not exist; run `hallpass migrate` first, or set DATABASE_URL to the server's database",
            settings.database.url
        ),
        _ => Ok(()),
    }
}

pub(super) async fn connect(settings: &Settings) -> Result<Database> {
    Database::connect(&settings.database.url, Some(settings.database.max_connections))
        .await
        .map_err(Error::from)
        .context("the database can't be opened, look at DATABASE_URL")
}

/// Fails for a database that lacks migrations of this version, or has later ones that it is not compatible with.
pub(super) async fn expect_migrated(database: &Database) -> Result<()> {
    let compatibility = database.compatibility().await.map_err(Error::from);
    match compatibility.context("the database's migrations can't be read")? {
        Compatibility::Current | Compatibility::Newer(_) => Ok(()),
        Compatibility::Missing(_) => bail!("the database lacks migrations; run `hallpass migrate` first"),
        Compatibility::TooNew(names) => bail!(database::too_new(&names)),
        Compatibility::UnfinishedCopy => bail!(database::UNFINISHED_COPY),
    }
}

pub(super) fn app(settings: Settings, database: Database) -> Result<Arc<App>> {
    App::new(settings, database, Clock::System).map(Arc::new).context(NOT_STARTED)
}

/// Runs `work` in a context on the server's database, which must exist and have all migrations.
pub(super) async fn with_context(
    settings: Settings,
    work: impl AsyncFnOnce(&domain::Context) -> Result<()>,
) -> Result<()> {
    name_database(&settings);
    expect_database(&settings)?;
    let database = connect(&settings).await?;
    expect_migrated(&database).await?;
    let app = app(settings, database)?;
    let result = work(&domain::Context::of_command_line(&app)).await;
    app.database.close().await;
    result
}
