//! The database: whether it can be opened, its version, privileges, migrations and clock.

use std::time::Duration;

use chrono::TimeDelta;

use crate::{
    cli::{
        connect, describe,
        doctor::{Level, Report},
        expect_database,
    },
    clock::Clock,
    config::Settings,
    database::{Compatibility, Database, UNFINISHED_COPY, too_new},
};

const TIMEOUT: Duration = Duration::from_secs(20);

/// Instances whose clocks differ by more disagree about the expiry of tokens and codes.
const MAX_CLOCK_DIFFERENCE: TimeDelta = TimeDelta::seconds(5);

pub(super) async fn check(report: &mut Report, settings: &Settings) {
    let url = &settings.database.url;
    if expect_database(settings).is_err() {
        return report.add(Level::Ok, "database", format!("{url} does not exist; the first start creates it"));
    }
    let opened = tokio::time::timeout(TIMEOUT, connect(settings)).await;
    let database = match opened {
        Ok(Ok(database)) => database,
        Ok(Err(error)) => return report.add(Level::Failed, "database", format!("{url}: {}", describe(&error))),
        Err(_) => return report.add(Level::Failed, "database", format!("{url} did not respond; look at DATABASE_URL")),
    };
    check_opened(report, &database, settings).await;
    database.close().await;
}

async fn check_opened(report: &mut Report, database: &Database, settings: &Settings) {
    let diagnosis = match database.diagnose(Clock::System.now()).await {
        Ok(diagnosis) => diagnosis,
        Err(error) => return report.add(Level::Failed, "database", format!("{}: {error}", settings.database.url)),
    };
    report.add(Level::Ok, "database", format!("{} is {}", settings.database.url, diagnosis.server));
    if !diagnosis.missing_privileges.is_empty() {
        let missing = diagnosis.missing_privileges.join(", ");
        if database.is_postgres() {
            report.add(Level::Failed, "database", format!("the user lacks privileges: {missing}; grant them"));
        } else {
            let text = format!("unless a role has them, the user lacks privileges: {missing}; grant them");
            report.add(Level::Warning, "database", text);
        }
    }
    if let Some(difference) = diagnosis.clock_difference.filter(|difference| difference.abs() > MAX_CLOCK_DIFFERENCE) {
        let seconds = difference.num_seconds();
        let text =
            format!("its clock and this machine's differ by {seconds} s; synchronize both, for example with chrony");
        report.add(Level::Warning, "database", text);
    }
    match database.compatibility().await {
        Ok(Compatibility::Current | Compatibility::Newer(_)) if !database.is_ready().await => {
            report.add(
                Level::Failed,
                "database",
                "it accepts no writes: it is read-only, full, or locked by another process",
            );
        }
        Ok(Compatibility::Current) => report.add(Level::Ok, "database", "it has all migrations, and accepts writes"),
        Ok(Compatibility::Newer(_)) => {
            report.add(Level::Ok, "database", "a later version has migrated it, with which this one is compatible");
        }
        Ok(Compatibility::Missing(names)) => {
            let text =
                format!("it lacks {} migrations, which `hallpass serve` or `hallpass migrate` applies", names.len());
            report.add(Level::Ok, "database", text);
        }
        Ok(Compatibility::TooNew(names)) => report.add(Level::Failed, "database", too_new(&names)),
        Ok(Compatibility::UnfinishedCopy) => report.add(Level::Failed, "database", UNFINISHED_COPY),
        Err(error) => report.add(Level::Failed, "database", format!("its migrations cannot be read: {error}")),
    }
}
