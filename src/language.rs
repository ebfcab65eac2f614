//! The languages of user-facing text.

/// A language of messages, pages and mails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English, the default for unsupported languages.
    #[default]
    English,
    /// Russian.
    Russian,
}

impl Language {
    /// All languages.
    pub const ALL: [Self; 2] = [Self::English, Self::Russian];

    /// The language tag (RFC 5646).
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Russian => "ru",
        }
    }

    /// Selects the language with the highest weight among language ranges (RFC 9110 §12.5.4). Regions are ignored. Of
    /// equal weights, the first wins. Zero means "not acceptable".
    #[must_use]
    pub fn preferred<'a>(ranges: impl IntoIterator<Item = (&'a str, u16)>) -> Self {
        let mut best = (Self::default(), 0);
        for (range, weight) in ranges {
            let primary = range.split('-').next().unwrap_or_default();
            let language = Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary));
            if let Some(language) = language
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
    fn range_with_the_highest_weight_wins() {
        for (ranges, expected) in [
            (&[][..], Language::English),
            (&[("ru", 1000)], Language::Russian),
            (&[("RU-ru", 1000)], Language::Russian),
            (&[("ru-RU", 1000), ("ru", 900), ("en-US", 800), ("en", 700)], Language::Russian),
            (&[("en-US", 1000), ("en", 900), ("ru", 800)], Language::English),
            (&[("de", 1000), ("ru", 500), ("en", 400)], Language::Russian),
            (&[("ru", 0)], Language::English),
            (&[("*", 1000)], Language::English),
            (&[("rus", 1000), ("run", 1000)], Language::English),
        ] {
            assert_eq!(Language::preferred(ranges.iter().copied()), expected, "{ranges:?}");
        }
    }
}
