//! The languages that Hallpass speaks to people.

/// A language of messages, pages and mails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English, also for everybody whose language is not here.
    #[default]
    English,
    /// Russian.
    Russian,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::English, Self::Russian];

    /// Its tag, by RFC 5646.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Russian => "ru",
        }
    }

    /// The language that somebody likes best, from a header `Accept-Language` (RFC 9110 §12.5.4). A region does not
    /// matter; of several that are liked as much, the first counts.
    #[must_use]
    pub fn of_accept_language(header: &str) -> Self {
        let mut best = (Self::default(), 0.0_f32);
        for range in header.split(',') {
            let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
            let weight = parameters.trim().strip_prefix("q=").map_or(Some(1.0), |weight| weight.trim().parse().ok());
            let primary = tag.split('-').next().unwrap_or_default().trim();
            let language = Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary));
            if let (Some(language), Some(weight)) = (language, weight)
                && weight > best.1
            {
                best = (language, weight);
            }
        }
        best.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_spoken_to_in_the_language_they_like_best() {
        for (header, expected) in [
            ("", Language::English),
            ("ru", Language::Russian),
            ("RU-ru", Language::Russian),
            ("ru-RU,ru;q=0.9,en-US;q=0.8,en;q=0.7", Language::Russian),
            ("en-US,en;q=0.9,ru;q=0.8", Language::English),
            ("de, ru;q=0.5, en;q=0.4", Language::Russian),
            ("en;q=0.4,ru; q=0.5", Language::Russian),
            ("ru;q=0", Language::English),
            ("ru;q=broken", Language::English),
            ("*", Language::English),
            ("rus, run", Language::English),
            (",;q=1,", Language::English),
        ] {
            assert_eq!(Language::of_accept_language(header), expected, "{header}");
        }
    }
}
