//! A blocklist of about eighteen thousand common passwords that have a permitted length.
//!
//! `list.txt` is embedded in the binary and searched in place, so it needs no startup time and no additional memory.
//! `make.py` creates the list; `LICENSES.txt` names its sources.

use std::cmp::Ordering;

/// One lowercase password per line, sorted by bytes.
const LIST: &str = include_str!("list.txt");

/// Whether `password` is a common one, ignoring case.
#[must_use]
pub fn contain(password: &str) -> bool {
    has_line(LIST.as_bytes(), password.to_lowercase().as_bytes())
}

/// Binary search by byte offset. Each step compares the line that contains the middle byte.
fn has_line(mut sorted: &[u8], needle: &[u8]) -> bool {
    while !sorted.is_empty() {
        let (left, _) = sorted.split_at(sorted.len() / 2);
        let start = left.iter().rposition(|byte| *byte == b'\n').map_or(0, |end_before| end_before + 1);
        let (before, rest) = sorted.split_at(start);
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        match needle.cmp(line) {
            Ordering::Equal => return true,
            Ordering::Less => sorted = before,
            Ordering::Greater => sorted = after.get(1..).unwrap_or_default(),
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_line_is_found_and_nothing_else() {
        let lines: Vec<&str> = LIST.lines().collect();
        let set: HashSet<&str> = lines.iter().copied().collect();
        assert!(lines.len() >= 3000);
        for pair in lines.windows(2) {
            assert!(pair[0] < pair[1], "{pair:?}: not sorted");
        }
        for line in lines {
            assert!((8..=128).contains(&line.chars().count()) && line == line.to_lowercase(), "{line}");
            assert!(contain(line), "{line}");
            let cut = &line[..line.char_indices().last().unwrap().0];
            for other in [format!("{line}\u{1}"), format!("{line}\n"), format!("\n{line}"), cut.to_owned()] {
                assert_eq!(contain(&other), set.contains(&*other), "{other:?}");
            }
        }
    }

    #[test]
    fn short_lists_are_searched_to_both_ends() {
        for list in ["", "b\n", "b\nd\n", "b\nd\nf\n", "b\nd\nf"] {
            for needle in ["a", "b", "c", "d", "e", "f", "g", "bb", "b\nd"] {
                let expected = list.lines().any(|line| line == needle);
                assert_eq!(has_line(list.as_bytes(), needle.as_bytes()), expected, "{needle} in {list:?}");
            }
        }
    }

    #[test]
    fn common_passwords_are_listed_and_rare_ones_are_not() {
        for common in
            "password 12345678 qwertyuiop iloveyou password1 password123 123456789 1234567890 sunshine princess \
                       football baseball superman trustno1 starwars whatever qwerty123 1q2w3e4r passw0rd letmein1 \
                       welcome1 PassWord йцукенгш пароль123 ПРИВЕТ123 gfhjkm123"
                .split_whitespace()
        {
            assert!(contain(common), "{common}");
        }
        for rare in ["vkqzjwmxpfhtlrbd", "correct horse", "", "a", "zzzzzzzzzzzzzzzzzzzzzzzzzzzz", "😀😀😀😀😀😀😀😀"]
        {
            assert!(!contain(rare), "{rare}");
        }
    }
}
