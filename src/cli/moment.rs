//! Times in arguments: an age, or a date.

use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};

const EXPECTED: &str = "expected an age such as 90m, 12h, 30d or 4w, or a date such as 2026-01-31 or \
                        2026-01-31T12:00:00Z";

/// The longest age. Older times are outside the range of some databases.
const MAX_AGE: TimeDelta = TimeDelta::days(36_500);

/// A point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// So long ago.
    Ago(TimeDelta),
    /// This time. A date is its first moment in UTC.
    At(DateTime<Utc>),
}

impl Moment {
    /// The time, if the command runs at `now`.
    pub(super) fn at(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Ago(age) => now - age,
            Self::At(at) => at,
        }
    }
}

impl FromStr for Moment {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let time = |text: &str| DateTime::parse_from_rfc3339(text).ok().map(|time| time.with_timezone(&Utc));
        let date = || time(&format!("{text}T00:00:00Z")).or_else(|| time(text));
        age(text).map(Self::Ago).or_else(|| date().map(Self::At)).ok_or(EXPECTED)
    }
}

fn age(text: &str) -> Option<TimeDelta> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    // Not the signs that numbers may have.
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = number.parse().ok()?;
    let age = match unit {
        "s" => TimeDelta::try_seconds(number),
        "m" => TimeDelta::try_minutes(number),
        "h" => TimeDelta::try_hours(number),
        "d" => TimeDelta::try_days(number),
        "w" => TimeDelta::try_weeks(number),
        _ => None,
    };
    age.filter(|age| *age <= MAX_AGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_one_number_and_one_unit() {
        for (text, age) in [
            ("90s", TimeDelta::seconds(90)),
            ("5m", TimeDelta::minutes(5)),
            ("12h", TimeDelta::hours(12)),
            ("30d", TimeDelta::days(30)),
            ("4w", TimeDelta::weeks(4)),
            ("0s", TimeDelta::zero()),
        ] {
            assert_eq!(text.parse(), Ok(Moment::Ago(age)), "{text}");
        }
        for text in
            ["", "d", "30", "-30d", "+30d", "1.5h", "30 d", "30D", "1d12h", "36501d", "9999999999999999999s", "3é"]
        {
            assert_eq!(text.parse::<Moment>(), Err(EXPECTED), "{text}");
        }
    }

    #[test]
    fn dates_are_in_utc_and_times_name_their_zone() {
        let at = |text: &str| text.parse::<Moment>().unwrap().at(DateTime::UNIX_EPOCH).to_rfc3339();
        assert_eq!(at("2026-01-31"), "2026-01-31T00:00:00+00:00");
        assert_eq!(at("2026-01-31T12:00:00Z"), "2026-01-31T12:00:00+00:00");
        assert_eq!(at("2026-01-31T12:00:00.5+02:00"), "2026-01-31T10:00:00.500+00:00");
        for text in ["2026-02-30", "2026-01-31T12:00:00", "yesterday", "31.01.2026", "+12026-01-31"] {
            assert_eq!(text.parse::<Moment>(), Err(EXPECTED), "{text}");
        }
    }

    #[test]
    fn age_counts_back_from_the_start_of_the_command() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(2);
        assert_eq!("1d".parse::<Moment>().unwrap().at(now), DateTime::UNIX_EPOCH + TimeDelta::days(1));
    }
}
