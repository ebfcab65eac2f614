//! `hallpass migrate`.

use super::{Failure, MigrateAction, connect, name_database, output::print_line};
use crate::{Error, config::Settings};

pub(super) async fn run(settings: Settings, action: MigrateAction, steps: u32) -> Result<(), Failure> {
    let failed = |error: Error| Failure::of("the database can't be migrated", &error);
    name_database(&settings);
    let database = connect(&settings).await?;
    match action {
        MigrateAction::Up => database.migrate().await.map_err(failed)?,
        MigrateAction::Down => database.migrate_down(steps).await.map_err(failed)?,
        MigrateAction::Status => {}
    }
    let applied = database.applied_migrations().await.map_err(|error| failed(error.into()))?;
    let pending = database.pending_migrations().await.map_err(|error| failed(error.into()))?;
    for name in applied {
        print_line(format_args!("applied  {name}"))?;
    }
    for name in pending {
        print_line(format_args!("pending  {name}"))?;
    }
    database.close().await;
    Ok(())
}
