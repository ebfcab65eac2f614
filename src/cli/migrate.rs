//! `hallpass migrate`.

use std::io::{self, BufRead, IsTerminal};

use anyhow::{Context, Result, bail, ensure};

use crate::{
    Error,
    cli::{
        MigrateAction, connect, expect_database, name_database,
        output::{print, print_line},
    },
    config::Settings,
    database::{Database, MigrationState},
};

/// The context of errors of migrations.
pub(super) const NOT_MIGRATED: &str = "the database can't be migrated";

pub(super) async fn run(settings: Settings, action: MigrateAction, steps: u32, yes: bool) -> Result<()> {
    name_database(&settings);
    if action != MigrateAction::Up {
        expect_database(&settings)?;
    }
    let database = connect(&settings).await?;
    let result = match action {
        MigrateAction::Up => database.migrate().await.map(drop).context(NOT_MIGRATED),
        MigrateAction::Down => revert(&settings, &database, steps, yes).await,
        MigrateAction::Status => Ok(()),
    };
    let result = match result {
        Ok(()) => list(&database).await,
        error => error,
    };
    database.close().await;
    result
}

async fn list(database: &Database) -> Result<()> {
    for (name, state) in database.migrations().await.map_err(Error::from).context(NOT_MIGRATED)? {
        match state {
            MigrationState::Applied => print_line(format_args!("applied  {name}"))?,
            MigrationState::Partial => print_line(format_args!("partial  {name}"))?,
            MigrationState::Pending => print_line(format_args!("pending  {name}"))?,
            MigrationState::Unknown { is_additive: true } => print_line(format_args!("unknown  {name} (additive)"))?,
            MigrationState::Unknown { is_additive: false } => print_line(format_args!("unknown  {name}"))?,
        }
    }
    Ok(())
}

async fn revert(settings: &Settings, database: &Database, steps: u32, yes: bool) -> Result<()> {
    let names = database.migrations_to_revert(steps).await.context(NOT_MIGRATED)?;
    if names.is_empty() {
        return Ok(());
    }
    if !yes {
        confirm(settings, &names)?;
    }
    database.revert(&names).await.context(NOT_MIGRATED)
}

/// Asks at the terminal whether to revert these migrations.
fn confirm(settings: &Settings, names: &[String]) -> Result<()> {
    let names = names.join("\n  ");
    if !io::stdin().is_terminal() {
        bail!(
            "nothing was changed: `migrate down` deletes the data in the tables and columns of these migrations, and there is no \
             terminal to ask for confirmation. Run it with --yes to continue:\n  {names}"
        );
    }
    print(format_args!(
        "This reverts these migrations of the database {}:\n  {names}\nand deletes the data in the tables and columns that \
         they created. Type yes to continue: ",
        settings.database.url
    ))?;
    expect_yes(io::stdin().lock())
}

fn expect_yes(mut input: impl BufRead) -> Result<()> {
    let mut typed = String::new();
    input.read_line(&mut typed)?;
    ensure!(typed.trim() == "yes", "nothing was changed: the answer was not yes");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_confirms() {
        for (typed, is_yes) in
            [("yes\n", true), (" yes\r\n", true), ("yes", true), ("", false), ("\n", false), ("y\n", false)]
        {
            assert_eq!(expect_yes(typed.as_bytes()).is_ok(), is_yes, "{typed:?}");
        }
    }
}
