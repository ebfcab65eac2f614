//! Lists with weights: `Accept`, `Accept-Encoding`, `Accept-Language` (RFC 9110 §12.4.2).

use axum::http::HeaderValue;

/// Maximum number of members that are parsed. Browsers send at most eight.
const MAX_MEMBERS: usize = 64;

/// The default and maximum weight, in thousandths.
const MAX_WEIGHT: u16 = 1000;

/// Parses the members of a list, in lower case, with their weights in thousandths. Zero means "not acceptable". Other
/// parameters are ignored, and so is a weight that is not a number from 0 to 1.
pub(super) fn parse<'a>(lines: impl IntoIterator<Item = &'a HeaderValue>) -> Vec<(String, u16)> {
    parse_with(lines, |text| Some(member(text)).filter(|(name, _)| !name.is_empty()))
}

/// Parses the members of a list. Leaves out those for which `parse` returns `None`.
pub(super) fn parse_with<'a, T>(
    lines: impl IntoIterator<Item = &'a HeaderValue>,
    parse: impl Fn(&str) -> Option<T>,
) -> Vec<T> {
    let mut members = Vec::new();
    for line in lines {
        let line = String::from_utf8_lossy(line.as_bytes());
        let remaining = MAX_MEMBERS - members.len();
        members.extend(line.split(',').take(remaining).filter_map(&parse));
    }
    members
}

/// Parses a member: its name in lower case, and its weight in thousandths.
pub(super) fn member(text: &str) -> (String, u16) {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default().to_ascii_lowercase();
    let weight = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| weight(value.trim()))
    });
    (name, weight.flatten().unwrap_or(MAX_WEIGHT))
}

fn weight(text: &str) -> Option<u16> {
    let weight = text.parse::<f32>().ok().filter(|weight| (0.0..=1.0).contains(weight))?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is within 0 and 1000")]
    Some((weight * f32::from(MAX_WEIGHT)).round() as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_64_members_are_parsed() {
        let line: HeaderValue = format!("{}*/*", "a/b,".repeat(10_000)).parse().unwrap();
        assert_eq!(parse([&line, &line]).len(), MAX_MEMBERS);
    }

    #[test]
    fn weights_are_parsed() {
        for (line, expected) in [
            ("gzip", &[("gzip", 1000)][..]),
            ("GZIP;q=0.5, br ; Q=0", &[("gzip", 500), ("br", 0)]),
            ("text/html;level=1;q=0.75;x=y", &[("text/html", 750)]),
            ("ru-RU; q = 0.1", &[("ru-ru", 100)]),
            ("a;q=0.000, b;q=1.000", &[("a", 0), ("b", 1000)]),
            (
                "a;q=broken, b;q=2, c;q=-1, d;q, e;q=NaN",
                &[("a", 1000), ("b", 1000), ("c", 1000), ("d", 1000), ("e", 1000)],
            ),
            (",;q=1,", &[]),
            ("", &[]),
        ] {
            let found = parse([&HeaderValue::from_static(line)]);
            assert_eq!(
                found.iter().map(|(name, weight)| (name.as_str(), *weight)).collect::<Vec<_>>(),
                expected,
                "{line}"
            );
        }
    }

    #[test]
    fn several_lines_are_one_list() {
        let lines = ["a;q=0.5, b", "c"].map(HeaderValue::from_static);
        assert_eq!(parse(&lines), [("a".to_owned(), 500), ("b".to_owned(), 1000), ("c".to_owned(), 1000)]);
    }
}
