//! Session generations that were replaced before they were confirmed.

use std::{fmt, num::ParseIntError, ops::RangeInclusive, str::FromStr};

use chrono::{DateTime, Utc};
use sea_orm::DeriveValueType;

/// Maximum number of ranges. The column holds this many at their maximum length.
const MAX_RANGES: usize = 24;

/// Generations that were issued and then replaced, because their predecessor's token was presented again. Either the
/// client never received them, or two clients use the session. They are stored until their access tokens have expired.
/// Their refresh tokens are recognized without this list.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveValueType)]
#[sea_orm(value_type = "String")]
pub struct BurntGenerations(Vec<Burnt>);

/// Consecutive generations, and the time in seconds since 1970 after which they may be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Burnt {
    first: i32,
    last: i32,
    until: i64,
}

impl BurntGenerations {
    /// Whether a generation was burnt.
    #[must_use]
    pub fn contains(&self, generation: i32) -> bool {
        self.0.iter().any(|range| (range.first..=range.last).contains(&generation))
    }

    /// Returns the list with `generations` added until `until`, and without expired entries. Returns `None` if the list
    /// would have too many entries.
    #[must_use]
    pub fn with(&self, generations: RangeInclusive<i32>, until: DateTime<Utc>, now: DateTime<Utc>) -> Option<Self> {
        let (first, last) = generations.into_inner();
        let until = until.timestamp();
        let mut ranges: Vec<Burnt> = self.0.iter().filter(|range| range.until >= now.timestamp()).cloned().collect();
        match ranges.last_mut() {
            Some(range) if range.last + 1 == first => (range.last, range.until) = (last, until),
            _ => ranges.push(Burnt { first, last, until }),
        }
        (ranges.len() <= MAX_RANGES).then_some(Self(ranges))
    }
}

/// Formats as `1-3@1790000000,5-5@1790000060`.
impl fmt::Display for BurntGenerations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Burnt { first, last, until }) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "," };
            write!(f, "{separator}{first}-{last}@{until}")?;
        }
        Ok(())
    }
}

impl FromStr for BurntGenerations {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let range = |text: &str| {
            let (range, until) = text.split_once('@').unwrap_or_default();
            let (first, last) = range.split_once('-').unwrap_or_default();
            Ok(Burnt { first: first.parse()?, last: last.parse()?, until: until.parse()? })
        };
        text.split(',').filter(|text| !text.is_empty()).map(range).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn consecutive_ranges_are_merged_and_expired_ones_are_removed() {
        let burnt = BurntGenerations::default().with(1..=1, at(100), at(0)).unwrap();
        let burnt = burnt.with(2..=2, at(200), at(100)).unwrap();
        assert_eq!(burnt.to_string(), "1-2@200");
        let burnt = burnt.with(5..=7, at(300), at(200)).unwrap();
        assert_eq!(burnt.to_string(), "1-2@200,5-7@300");
        assert_eq!(burnt.to_string().parse(), Ok(burnt.clone()));
        assert_eq!((0..9).filter(|generation| burnt.contains(*generation)).collect::<Vec<_>>(), [1, 2, 5, 6, 7]);
        assert_eq!(burnt.with(9..=9, at(400), at(201)).unwrap().to_string(), "5-7@300,9-9@400");
    }

    #[test]
    fn the_longest_list_fits_its_column_and_a_longer_one_is_rejected() {
        let mut burnt = BurntGenerations::default();
        for index in 1..=24 {
            let generation = i32::MAX - 100 + 2 * index;
            burnt = burnt.with(generation..=generation, at(9_999_999_999), at(0)).unwrap();
        }
        assert!(burnt.to_string().len() <= 1024);
        assert_eq!(burnt.with(i32::MAX..=i32::MAX, at(9_999_999_999), at(0)), None);
    }

    #[test]
    fn a_damaged_list_is_an_error() {
        for text in ["1", "1-2", "1@2", "a-b@c", "1-2@x", "1-2@3,x"] {
            assert!(text.parse::<BurntGenerations>().is_err(), "{text}");
        }
    }
}
