//! `hallpass audit`.

mod describe;

use std::{collections::BTreeSet, net::IpAddr, time::Duration};

use anyhow::{Context as _, Result};
use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use uuid::Uuid;

use self::describe::{Names, as_line, as_object, header};
use crate::{
    Error,
    cli::{error_for_operator, moment::Moment, output::Lines, serve::stop_signal, user::PAGE, with_context},
    config::Settings,
    domain::{
        Context,
        audit::{self, Event, Filter},
        page::{Page, Range},
        users::administration::{self, Administrator},
    },
    entity::audit_event::Action,
};

/// The delay between two reads of the log.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// How much later than its time an event may appear in the log. Its time is that of the beginning of its transaction, which
/// takes at most six seconds.
const MAX_DELAY: TimeDelta = TimeDelta::seconds(10);

/// Which events to print, and how. An event must meet all criteria. A TIME is an age such as 12h or 30d, or a date such
/// as 2026-01-31 or 2026-01-31T12:00:00Z.
#[derive(Clone, Debug, Args)]
pub struct AuditArguments {
    /// Events that affect this user: username, e-mail address, or the id, which a deleted user keeps.
    #[arg(long)]
    user: Option<String>,
    /// Events that this user caused: username, e-mail address or id.
    #[arg(long, value_name = "USER")]
    actor: Option<String>,
    /// Events with this action, such as USER_DISABLED; may be repeated.
    #[arg(long = "action", value_name = "ACTION", value_parser = parse_action)]
    actions: Vec<Action>,
    /// Events that were caused from this IP address.
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<IpAddr>,
    /// Events at this time or later.
    #[arg(long, value_name = "TIME")]
    since: Option<Moment>,
    /// Events before this time.
    #[arg(long, value_name = "TIME")]
    until: Option<Moment>,
    /// Print one JSON object per line, with the fields of the API and `actorId`.
    #[arg(long)]
    json: bool,
    /// Then print new events as they happen, until Ctrl-C.
    #[arg(long, conflicts_with = "until")]
    follow: bool,
}

fn parse_action(text: &str) -> Result<Action, String> {
    let expected = || format!("expected one of {}", Action::all().map(Action::name).collect::<Vec<_>>().join(", "));
    Action::all().find(|action| action.name().eq_ignore_ascii_case(text)).ok_or_else(expected)
}

pub(super) async fn run(settings: Settings, arguments: AuditArguments) -> Result<()> {
    with_context(settings, async |context| print(context, arguments).await).await
}

async fn print(context: &Context, arguments: AuditArguments) -> Result<()> {
    let AuditArguments { user, actor, actions, ip, since, until, json, follow } = arguments;
    let administrator = &Administrator::at_command_line();
    let filter = Filter {
        actions,
        user_id: find_id(context, administrator, user).await?,
        actor_id: find_id(context, administrator, actor).await?,
        ip_address: ip.map(|address| address.to_string()),
        after: since.map(|moment| moment.at(context.now())),
        before: until.map(|moment| moment.at(context.now())),
    };
    let mut log =
        Log { context, administrator, filter, as_json: json, lines: Lines::new(), printed: Printed::default() };
    if !json {
        log.lines.write(header())?;
    }
    if !follow {
        return log.print_new().await.map(drop);
    }
    let stop = stop_signal()?;
    tokio::select! {
        followed = log.follow() => followed,
        () = stop => Ok(()),
    }
}

/// Returns the id of a user. A text in the form of an id is one, even if a user has chosen it as the username.
async fn find_id(context: &Context, administrator: &Administrator, user: Option<String>) -> Result<Option<Uuid>> {
    let Some(user) = user else { return Ok(None) };
    if let Ok(id) = user.parse() {
        return Ok(Some(id));
    }
    let failed = |error: Error| error_for_operator(context.settings(), error);
    let user = administration::find(context, administrator, &user).await.map_err(failed)?;
    Ok(Some(user.id))
}

/// The audit log on its way to standard output.
struct Log<'a> {
    context: &'a Context,
    administrator: &'a Administrator,
    filter: Filter,
    as_json: bool,
    lines: Lines,
    printed: Printed,
}

impl Log<'_> {
    /// Prints new events until the reader closes the pipe.
    async fn follow(&mut self) -> Result<()> {
        while self.print_new().await? {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        Ok(())
    }

    /// Prints the events that were not printed before, oldest first. Returns false if the reader has closed the pipe.
    async fn print_new(&mut self) -> Result<bool> {
        let started_at = self.context.now();
        let mut range = Range { from_end: true, ..Range::first(PAGE) };
        loop {
            let page = audit::page(self.context, self.administrator, &self.filter, range.clone()).await;
            let Page { mut rows, has_previous, .. } = page.context("the audit log can't be read")?;
            // A page has the newest event first.
            rows.reverse();
            range.before = rows.last().map(audit::key);
            let new: Vec<&Event> = rows.iter().filter(|event| !self.printed.contains(event)).collect();
            let names = Names::find(self.context, self.administrator, &new).await?;
            for event in new {
                let is_open = if self.as_json {
                    self.lines.write(as_object(event, &names))?
                } else {
                    self.lines.write(as_line(event, &names))?
                };
                if !is_open {
                    return Ok(false);
                }
            }
            self.printed.add(&rows, started_at);
            if !has_previous {
                break;
            }
        }
        // The next read begins before the end of this one, because events do not appear in the order of their times.
        self.filter.after = self.filter.after.max(self.printed.complete_until);
        self.lines.flush()
    }
}

/// The events that were printed and that the next read will find again.
#[derive(Debug, Default)]
struct Printed {
    ids: BTreeSet<(DateTime<Utc>, Uuid)>,
    newest: Option<DateTime<Utc>>,
    /// All events before this time have been printed.
    complete_until: Option<DateTime<Utc>>,
}

impl Printed {
    fn contains(&self, event: &Event) -> bool {
        self.ids.contains(&(event.at, event.id))
    }

    /// Adds events of a read that started at `started_at`. Forgets those that are too old to be found again.
    fn add(&mut self, events: &[Event], started_at: DateTime<Utc>) {
        self.newest = self.newest.max(events.iter().map(|event| event.at).max());
        self.ids.extend(events.iter().map(|event| (event.at, event.id)));
        // The clocks of servers may be behind the clock of this machine.
        let Some(newest) = self.newest else { return };
        let complete_until = newest.min(started_at) - MAX_DELAY;
        self.ids = self.ids.split_off(&(complete_until, Uuid::nil()));
        self.complete_until = Some(complete_until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::audit_event::ActorType;

    const START: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn event(seconds: i64) -> Event {
        Event {
            id: Uuid::from_u128(u128::try_from(seconds).unwrap()),
            at: START + TimeDelta::seconds(seconds),
            action: Action::LoggedIn,
            actor_type: ActorType::Anonymous,
            actor_id: None,
            user_id: None,
            ip_address: None,
            user_agent: None,
            details: None,
        }
    }

    /// What is known after a read that started so many seconds after [`START`] and found these events.
    fn read(started: i64, events: &[Event]) -> Printed {
        let mut printed = Printed::default();
        for page in events.chunks(2) {
            printed.add(page, START + TimeDelta::seconds(started));
        }
        printed
    }

    #[test]
    fn next_read_finds_an_event_that_appears_after_later_ones() {
        let printed = read(100, &[event(98), event(99), event(100)]);
        let late = event(91);
        assert!(!printed.contains(&late));
        assert!(printed.complete_until.unwrap() <= late.at);
    }

    #[test]
    fn next_read_skips_all_events_that_it_finds_again() {
        let events: Vec<Event> = (0..200).map(event).collect();
        // The read took 99 seconds, during which others were written.
        let printed = read(100, &events);
        let found_again = events.iter().filter(|event| event.at >= printed.complete_until.unwrap());
        assert!(found_again.clone().count() > 0);
        assert!(found_again.into_iter().all(|event| printed.contains(event)));
    }

    #[test]
    fn events_that_are_not_found_again_are_forgotten() {
        let events: Vec<Event> = (0..200).map(event).collect();
        assert_eq!(read(200, &events).ids.len(), 11);
    }

    #[test]
    fn clock_that_is_ahead_of_the_servers_hides_no_event() {
        let printed = read(3600, &[event(100)]);
        assert!(printed.complete_until.unwrap() <= event(101).at);
    }
}
