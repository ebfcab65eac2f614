//! Durations in hours, minutes and seconds.

/// A time to wait. It is rounded up: to seconds below a minute, to minutes above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wait {
    pub(super) hours: u32,
    pub(super) minutes: u32,
    pub(super) seconds: u32,
}

impl Wait {
    /// Converts a number of seconds. The result is at least one second.
    pub(super) const fn from_seconds(seconds: u32) -> Self {
        if seconds == 0 {
            return Self { hours: 0, minutes: 0, seconds: 1 };
        }
        if seconds < 60 {
            return Self { hours: 0, minutes: 0, seconds };
        }
        let minutes = seconds.div_ceil(60);
        Self { hours: minutes / 60, minutes: minutes % 60, seconds: 0 }
    }

    /// The numbers that are not zero, largest unit first, each with the item for its unit.
    pub(super) fn parts<T>(self, [hours, minutes, seconds]: [T; 3]) -> impl Iterator<Item = (u32, T)> {
        let parts = [(self.hours, hours), (self.minutes, minutes), (self.seconds, seconds)];
        parts.into_iter().filter(|(number, _)| *number > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_rounded_up() {
        for (seconds, expected) in [
            (0, (0, 0, 1)),
            (1, (0, 0, 1)),
            (59, (0, 0, 59)),
            (60, (0, 1, 0)),
            (61, (0, 2, 0)),
            (3448, (0, 58, 0)),
            (3540, (0, 59, 0)),
            (3541, (1, 0, 0)),
            (3600, (1, 0, 0)),
            (3601, (1, 1, 0)),
            (86_400, (24, 0, 0)),
            (u32::MAX, (1_193_046, 29, 0)),
        ] {
            let (hours, minutes, rest) = expected;
            assert_eq!(Wait::from_seconds(seconds), Wait { hours, minutes, seconds: rest }, "{seconds}");
        }
    }
}
