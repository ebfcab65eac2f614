//! `hallpass copy`.

use std::{
    fs,
    io::{self, BufRead},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    Error,
    cli::{
        UsageError, name_database,
        output::{note_line, print_line},
    },
    config::{DatabaseUrl, ExposeSecret, SecretKey, SecretString, Settings, SettingsError},
    database::copy::{self, Event},
    entity::tables,
};

/// Where to copy the database.
#[derive(Clone, Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub struct CopyArguments {
    /// The database to copy to, in the format of DATABASE_URL. All users of the machine can see arguments, so put a URL with a
    /// password into a file.
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// A file whose first line is the URL of the database to copy to; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    to_file: Option<PathBuf>,
}

pub(super) async fn run(settings: Settings, arguments: CopyArguments) -> Result<()> {
    let from = &settings.database.url;
    let to = target(arguments)?;
    name_database(&settings);
    super::expect_database(&settings)?;
    note_line(format_args!("copying to: {to}"));
    let tables = tables::all().map_err(Error::from)?;
    let bar = progress_bar();
    let copied = copy::copy(from, &to, &tables, |event| show(&bar, event)).await;
    bar.finish_and_clear();
    let copied = copied?;
    let total: u64 = copied.iter().map(|(_, rows)| rows).sum();
    for (table, rows) in copied.into_iter().filter(|(_, rows)| *rows > 0) {
        print_line(format_args!("{rows:>9}  {table}"))?;
    }
    print_line(format_args!("{total:>9}  rows were copied to {to}. They are equal to those of {from}"))?;
    let secret = match &settings.tokens.secret_key {
        SecretKey::File(path) => format!("set SECRET_KEY_FILE={}", path.display()),
        SecretKey::Given(_) => "keep SECRET_KEY".to_owned(),
    };
    print_line(format_args!(
        "Set DATABASE_URL to the copy, and {secret}: with another secret, all users must sign in again, and authenticator apps stop \
         working"
    ))
}

/// Reads the URL of the target.
fn target(arguments: CopyArguments) -> Result<DatabaseUrl> {
    let CopyArguments { to, to_file } = arguments;
    let (url, origin) = match (to, to_file) {
        (Some(url), _) => (url, "--to"),
        (None, Some(path)) if path == Path::new("-") => {
            let mut line = String::new();
            io::stdin().lock().read_line(&mut line).context("standard input can't be read")?;
            (line, "--to-file")
        }
        (None, Some(path)) => {
            let text = fs::read_to_string(&path).with_context(|| format!("{} can't be read", path.display()))?;
            (text.lines().next().unwrap_or_default().to_owned(), "--to-file")
        }
        (None, None) => bail!(UsageError("name the database to copy to, with --to or --to-file")),
    };
    let url = SecretString::from(url.trim());
    let parsed = DatabaseUrl::parse(&url).map_err(|mistake| SettingsError(vec![format!("{origin}: {mistake}")]))?;
    let has_password = url::Url::parse(url.expose_secret()).is_ok_and(|url| url.password().is_some());
    if origin == "--to" && has_password {
        note_line("all users of this machine can see the password in --to; use --to-file instead");
    }
    Ok(parsed)
}

fn show(bar: &ProgressBar, event: Event<'_>) {
    let position = |action: &str, table: &str, rows: u64, total: u64| {
        bar.set_length(total);
        bar.set_position(rows);
        let per_second = rows / bar.elapsed().as_secs().max(1);
        bar.set_message(format!("{action} {table}: {rows} of {total} rows, {per_second} per second"));
    };
    match event {
        Event::SourceInUse(sessions) => bar.suspend(|| {
            note_line(format_args!(
                "{sessions} other sessions use the source. If one is of a running Hallpass, stop it: the copy fails if the source changes"
            ));
        }),
        Event::Continuing => bar.suspend(|| note_line("continuing an interrupted copy")),
        Event::Copied { table, rows, total } => position("copying", table, rows, total),
        Event::Compared { table, rows, total } => position("comparing", table, rows, total),
    }
}

/// A progress bar on standard error, hidden unless that is a terminal.
fn progress_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("[{bar:30}] {percent:>3} %  {msg}");
    let style = style.map(|style| style.progress_chars("##."));
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
