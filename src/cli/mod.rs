//! The command line: `hallpass serve | health | doctor | migrate | copy | backup | restore | schema | config | key | user | audit | mail | completions | man`.
//!
//! Owns arguments, output and exit codes: 0 for success, 1 for failure, 2 for wrong usage or settings. Rules are in the
//! domain. Commands return [`anyhow::Error`]: the context says what failed, and the chain of causes why.

mod audit;
mod backup;
mod config;
mod copy;
mod doctor;
mod dotenv;
mod error;
mod generated;
mod health;
mod key;
mod log;
mod mail;
mod migrate;
mod moment;
mod open_files;
mod output;
mod password;
mod prerequisites;
mod serve;
mod settings;
mod supervisor;
mod user;

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Parser, Subcommand};

pub use audit::AuditArguments;
pub use copy::CopyArguments;
use error::{UsageError, describe, error_for_operator};
pub use key::{KeyAction, KeyToShow};
pub use mail::PreviewArguments;
use prerequisites::{
    app, connect, expect_database, expect_keys, expect_migrated, expect_templates, name_database, with_context,
};
use settings::Loaded;
use supervisor::Supervisor;
pub use user::{ExportArguments, Format, ImportArguments, UserAction};

use crate::{
    config::{Settings, SettingsError},
    graphql,
};

/// The version of the package, and the commit that it was built from, if the build knew it.
pub const VERSION: &str = env!("HALLPASS_VERSION");

/// A GraphQL API server for user accounts. Settings come from the environment and from ./.env; docs/configuration.md lists them.
#[derive(Debug, Parser)]
#[command(version = VERSION)]
pub struct Arguments {
    /// The command; `serve` if omitted.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// A command.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Apply missing migrations and serve the API. Waits up to five minutes while another process migrates;
    /// `/health/live` works meanwhile.
    Serve {
        /// Do not apply migrations; refuse to start if some are missing.
        #[arg(long)]
        no_migrate: bool,
    },
    /// Ask the server at LISTEN, on this machine, whether it is ready to serve requests. Exits with 0 if it is, otherwise 1.
    Health {
        /// Ask only whether it is live: whether the process responds.
        #[arg(long)]
        live: bool,
    },
    /// Check what a server with these settings needs: settings, addresses, keys, files, the database and the mail server. Creates and
    /// changes nothing. Exits with 1 if a check fails.
    Doctor {
        /// Also send a mail to this address.
        #[arg(long, value_name = "ADDRESS")]
        send_to: Option<String>,
    },
    /// Apply, list or revert migrations. If the command was interrupted, run it again.
    Migrate {
        /// What to do. `down` deletes the data in the tables and columns that the migration created.
        #[arg(value_enum, default_value_t)]
        action: MigrateAction,
        /// With `down`: how many migrations to revert.
        #[arg(long, default_value_t = 1)]
        steps: u32,
        /// With `down`: do not ask for confirmation. Required without a terminal.
        #[arg(long)]
        yes: bool,
    },
    /// Copy everything in DATABASE_URL to an empty database of any kind, and compare both. Stop Hallpass first. If the command was
    /// interrupted, run it again.
    Copy(CopyArguments),
    /// Write a backup of an SQLite database to a new file that only its owner can read. The server may run meanwhile.
    Backup {
        /// The new file.
        file: PathBuf,
    },
    /// Replace an SQLite database with a backup. Stop Hallpass first. The replaced database is kept under another name.
    Restore {
        /// The backup.
        file: PathBuf,
    },
    /// Print the GraphQL schema.
    Schema {
        /// Print JSON, the result of the introspection query, instead of the schema definition language.
        #[arg(long)]
        introspection: bool,
        /// Print the schema of the subgraph that a server with `FEDERATION=true` is, for the composition of a supergraph.
        #[arg(long, conflicts_with = "introspection")]
        federation: bool,
    },
    /// Print all settings, with their effective values and where these come from. Secrets are not shown.
    Config,
    /// Generate or show the keys that sign access tokens.
    Key {
        /// A command for keys.
        #[command(subcommand)]
        action: KeyAction,
    },
    /// Administer users, directly in the database. A running server applies changes at its next request.
    User {
        /// A command for users.
        #[command(subcommand)]
        action: UserAction,
    },
    /// Print the audit log, oldest event first.
    Audit(AuditArguments),
    /// Look at the mails that Hallpass sends.
    Mail {
        /// A command for mails.
        #[command(subcommand)]
        action: MailAction,
    },
    /// Print a script that completes commands in a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write the manual pages to a folder, one for each command.
    Man {
        /// The folder, which is created if it does not exist.
        folder: PathBuf,
    },
}

/// A command for mails.
#[derive(Clone, Debug, Subcommand)]
pub enum MailAction {
    /// Check the templates of MAIL_TEMPLATES, and print the mails with sample values. Nothing is sent.
    Preview(PreviewArguments),
}

/// What to do with migrations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum MigrateAction {
    /// Apply the missing migrations.
    #[default]
    Up,
    /// List all migrations and their states.
    Status,
    /// Revert the latest migrations.
    Down,
}

/// The context of errors of the keys and of [`crate::App::new`].
const NOT_STARTED: &str = "Hallpass can't start";

const FAILED: u8 = 1;
const WRONG_USAGE: u8 = 2;

/// Runs a command with the environment variables of the process.
pub fn run(command: Command, environment: impl Iterator<Item = (OsString, OsString)>) -> ExitCode {
    let result = match command {
        Command::Schema { federation: true, .. } => output::print(graphql::subgraph_sdl()),
        Command::Schema { introspection: false, .. } => output::print(graphql::sdl()),
        Command::Schema { introspection: true, .. } => {
            block_on(async { output::print(graphql::introspection().await?) })
        }
        Command::Completions { shell } => generated::completions(shell),
        Command::Man { folder } => generated::manual_pages(&folder),
        Command::Config => load(environment).and_then(|loaded| config::run(&loaded.effective)),
        Command::Serve { no_migrate } => {
            let environment: Vec<_> = environment.collect();
            with_settings(environment.iter().cloned(), |settings| {
                serve::run(settings, no_migrate, Supervisor::find(&environment))
            })
        }
        Command::Doctor { send_to } => doctor::run(environment, send_to),
        Command::Health { live } => with_settings(environment, |settings| health::run(settings, live)),
        Command::Key { action } => with_settings(environment, |settings| key::run(settings, action)),
        Command::User { action } => with_settings(environment, |settings| user::run(settings, action)),
        Command::Mail { action: MailAction::Preview(arguments) } => {
            load(environment).and_then(|loaded| mail::preview(&loaded.settings, &arguments))
        }
        Command::Copy(arguments) => with_settings(environment, |settings| copy::run(settings, arguments)),
        Command::Backup { file } => with_settings(environment, |settings| backup::run(settings, file)),
        Command::Restore { file } => with_settings(environment, |settings| backup::restore(settings, file)),
        Command::Audit(arguments) => with_settings(environment, |settings| audit::run(settings, arguments)),
        Command::Migrate { action, steps, yes } => {
            with_settings(environment, |settings| migrate::run(settings, action, steps, yes))
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::note_line(format_args!("hallpass: {}", describe(&error)));
            let is_usage = error.is::<UsageError>() || error.is::<SettingsError>();
            ExitCode::from(if is_usage { WRONG_USAGE } else { FAILED })
        }
    }
}

/// Prints the message of clap: the requested help, or an error in the arguments.
#[must_use]
pub fn explain(message: &clap::Error) -> ExitCode {
    match (message.print(), u8::try_from(message.exit_code())) {
        (Ok(()), Ok(exit_code)) => ExitCode::from(exit_code),
        _ => ExitCode::from(FAILED),
    }
}

/// Reads the settings, starts the log, and logs the warnings.
fn load(environment: impl Iterator<Item = (OsString, OsString)>) -> Result<Loaded> {
    let loaded = settings::read(environment)?;
    log::start(&loaded.settings);
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    Ok(loaded)
}

/// Reads the settings, starts the log, and runs `work` on a runtime.
fn with_settings<F: Future<Output = Result<()>>>(
    environment: impl Iterator<Item = (OsString, OsString)>,
    work: impl FnOnce(Settings) -> F,
) -> Result<()> {
    let Loaded { settings, .. } = load(environment)?;
    block_on(work(settings))
}

/// Runs `work` on a runtime.
fn block_on(work: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(work);
    // Does not wait for blocking threads, such as a DNS lookup.
    runtime.shutdown_background();
    result
}
