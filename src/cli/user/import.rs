//! `hallpass user import`.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use futures_util::{FutureExt, StreamExt, future::LocalBoxFuture, stream::FuturesOrdered};
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    cli::user::{
        UsageError,
        output::{note_line, print_line},
        source::{Companions, Format, Source, System},
    },
    domain::{
        Context,
        users::{
            administration::Administrator,
            import::{self, Batch, BatchResult, Known},
        },
    },
};

/// What to import, and from where.
#[derive(Clone, Debug, clap::Args)]
pub struct ImportArguments {
    /// A file, or `-` for standard input. Columns: username, hashed_password; optional: email, email_verified or
    /// email_verified_at, pending_email, full_name or first_name and last_name, has_password, is_active or disabled, roles,
    /// unknown_roles, created_at, updated_at, last_login, identities, id.
    file: Option<PathBuf>,
    /// The format. By default, the extension of the file decides, otherwise JSON Lines. An export by `--from` may also be a JSON array.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Read the export of another system: `auth0`, `authorizer`, `django`, `firebase`, `keycloak` or `supabase`, and a file. Or the users
    /// table of another system's database: `sqlalchemy` and its database URL. Put the password into PGPASSWORD instead of the URL,
    /// because all users of the machine can see arguments.
    #[arg(long, num_args = 2, value_names = ["SYSTEM", "FILE|URL"], conflicts_with = "file")]
    from: Option<Vec<String>>,
    /// The name of the table, by default `users`.
    #[arg(long, requires = "from", conflicts_with = "file")]
    table: Option<String>,
    #[command(flatten)]
    companions: Companions,
    /// Write nothing; print which users would be refused.
    #[arg(long)]
    dry_run: bool,
}

/// The context of database errors. Users that were imported stay, and are skipped when the command runs again.
const STOPPED: &str = "the import stopped before the end; run the same command to continue";

/// Imports users, and prints the refused ones.
pub(super) async fn run(context: &Context, administrator: &Administrator, arguments: ImportArguments) -> Result<()> {
    let ImportArguments { file, format, from, table, companions, dry_run } = arguments;
    let mut source = match from.as_deref() {
        None => Source::file(file.as_deref(), format)?,
        Some([system, url]) if system == "sqlalchemy" && format.is_none() && !companions.is_given() => {
            Source::table(url, table.as_deref().unwrap_or("users")).await?
        }
        Some([system, file]) if table.is_none() && System::named(system).is_some() => {
            let system = System::named(system).context(STOPPED)?;
            Source::export(context, (system, Path::new(file)), format, &companions)?
        }
        Some(_) => {
            bail!(UsageError(
                "--from: expected auth0, authorizer, django, firebase, keycloak or supabase and a file, or `sqlalchemy` and a URL, such \
                 as sqlite:///./app.db; --format is for files, --table for a URL"
            ));
        }
    };
    let mut tally =
        Tally { unit: source.unit(), bar: progress_bar(source.total()), imported: 0, already_there: 0, refused: 0 };
    let mut checked = Known::default();
    // Batches that are being written, and their users.
    let mut running: FuturesOrdered<LocalBoxFuture<'_, crate::Result<BatchResult>>> = FuturesOrdered::new();
    let mut users = VecDeque::new();
    let max_running = import::max_parallel_batches(&context.app);
    let mut read_result = Ok(());
    loop {
        let lines = source.batch().await.unwrap_or_else(|error| {
            read_result = Err(error);
            Vec::new()
        });
        if lines.is_empty() {
            break;
        }
        let batch = Batch::parse(context, lines).context(STOPPED)?;
        if dry_run {
            let result = import::dry_run(context, administrator, &mut checked, batch).await.context(STOPPED)?;
            tally.add(&result, source.position());
            continue;
        }
        while running.len() >= max_running || users.iter().any(|others| batch.conflicts_with(others)) {
            let Some(result) = running.next().await else { break };
            users.pop_front();
            tally.add(&result.context(STOPPED)?, source.position());
        }
        users.push_back(batch.known_users());
        running.push_back(import::import(context, administrator, batch).boxed_local());
    }
    while let Some(result) = running.next().await {
        tally.add(&result.context(STOPPED)?, source.position());
    }
    let Tally { bar, imported, already_there, refused, .. } = tally;
    bar.finish_and_clear();
    // Escaped, because the names come from the file.
    let ignored: Vec<String> = source.ignored().map(|name| name.escape_debug().to_string()).collect();
    if !ignored.is_empty() {
        note_line(format_args!("ignored columns: {}", ignored.join(", ")));
    }
    for note in source.notes() {
        note_line(format_args!("does not come along: {note}"));
    }
    let would_be = if dry_run { "would be " } else { "" };
    let printed = print_line(format_args!(
        "{imported} {would_be}imported, {already_there} already there, {refused} {would_be}refused"
    ));
    read_result?;
    match refused {
        0 => printed,
        _ if dry_run => bail!("some users would be refused; the dry run wrote nothing"),
        _ => bail!("some users were not imported"),
    }
}

/// Counts of users, and the progress bar.
struct Tally {
    unit: &'static str,
    bar: ProgressBar,
    imported: u64,
    already_there: u64,
    refused: u64,
}

impl Tally {
    /// Adds the result of a batch, and prints its refused lines. `position` is the position in the source.
    fn add(&mut self, batch: &BatchResult, position: u64) {
        self.bar.suspend(|| {
            for (line, refusals) in &batch.refused {
                for refusal in refusals {
                    note_line(format_args!("{} {line}: {refusal}", self.unit));
                }
            }
        });
        self.imported += batch.imported;
        self.already_there += batch.already_there;
        self.refused += batch.refused.len() as u64;
        let count = self.imported + self.already_there + self.refused;
        let per_second = count / self.bar.elapsed().as_secs().max(1);
        self.bar.set_message(format!("{count} users, {per_second} per second"));
        self.bar.set_position(position);
    }
}

/// A progress bar on standard error, hidden unless that is a terminal. Without a total, it shows only the message.
fn progress_bar(total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (ProgressBar::new(total), "[{bar:30}] {percent:>3} %  {msg}"),
        None => (ProgressBar::no_length(), "{msg}"),
    };
    let style = ProgressStyle::with_template(template).map(|style| style.progress_chars("##."));
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
