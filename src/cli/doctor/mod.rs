//! `hallpass doctor`: checks what a server with these settings needs, one line each. Creates and changes nothing.

mod addresses;
mod database;
mod files;
mod mail;

use std::ffi::OsString;

use anyhow::{Result, bail};

use crate::{
    cli::{block_on, output::print_line, serve::no_traces, settings},
    config::{Settings, SettingsError},
};

/// What the checks have found.
#[derive(Debug, Default)]
struct Report(Vec<Finding>);

#[derive(Debug)]
struct Finding {
    level: Level,
    subject: &'static str,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Ok,
    /// The server works, but not as most operators want it.
    Warning,
    /// The server does not start, or users cannot use a part of it.
    Failed,
}

impl Report {
    fn add(&mut self, level: Level, subject: &'static str, text: impl Into<String>) {
        self.0.push(Finding { level, subject, text: text.into() });
    }

    fn print(&self) -> Result<()> {
        for Finding { level, subject, text } in &self.0 {
            let level = match level {
                Level::Ok => "ok",
                Level::Warning => "warning",
                Level::Failed => "failed",
            };
            // An error of a driver may have several lines.
            print_line(format_args!(
                "{level:<7}  {subject:<9}  {}",
                text.split_whitespace().collect::<Vec<_>>().join(" ")
            ))?;
        }
        Ok(())
    }
}

/// Runs all checks. With `send_to`, also sends a mail to this address.
pub(super) fn run(environment: impl Iterator<Item = (OsString, OsString)>, send_to: Option<String>) -> Result<()> {
    let mut report = Report::default();
    match settings::read(environment) {
        Ok(loaded) => {
            for warning in &loaded.warnings {
                report.add(Level::Warning, "settings", warning);
            }
            if let Some(warning) = no_traces(&loaded.settings) {
                report.add(Level::Warning, "settings", warning);
            }
            report.add(Level::Ok, "settings", "valid; `hallpass config` prints them");
            block_on(async {
                check(&mut report, &loaded.settings, send_to).await;
                Ok(())
            })?;
        }
        Err(error) => match error.downcast::<SettingsError>() {
            Ok(SettingsError(mistakes)) => {
                for mistake in mistakes {
                    report.add(Level::Failed, "settings", mistake);
                }
            }
            Err(error) => return Err(error),
        },
    }
    report.print()?;
    match report.0.iter().filter(|finding| finding.level == Level::Failed).count() {
        0 => Ok(()),
        1 => bail!("1 check failed"),
        failed => bail!("{failed} checks failed"),
    }
}

async fn check(report: &mut Report, settings: &Settings, send_to: Option<String>) {
    addresses::check(report, settings);
    files::check(report, settings);
    database::check(report, settings).await;
    mail::check(report, settings, send_to).await;
}
