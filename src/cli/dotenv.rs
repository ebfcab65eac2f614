//! `./.env`, read without changing the process's environment.

use std::{
    fs,
    io::ErrorKind,
    path::{self, Path},
};

use rustix::process::geteuid;

/// Replaces `$` while dotenvy parses. Files that contain this character are rejected before.
const DOLLAR: &str = "\0";

/// Reads the variables of a file in dotenv's format. A file that does not exist has none.
///
/// `$` is literal everywhere. dotenvy would replace `$name` with the value of that variable, which silently changes
/// passwords and secrets, and it has no option to turn that off.
///
/// # Errors
/// A message that does not quote the line, because it may contain a secret.
pub(super) fn read(path: impl AsRef<Path>) -> Result<Vec<(String, String)>, String> {
    let path = path.as_ref();
    let invalid = |message: &str| format!("{}: {message}", path.display());
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) if error.kind() == ErrorKind::IsADirectory => return Err(invalid("expected a file, got a folder")),
        // The whole path and the user, because the folder may be a volume that belongs to another user.
        Err(error) => {
            let path = path::absolute(path).unwrap_or_else(|_| path.to_owned());
            return Err(format!("{}: cannot be read by the user {}: {error}", path.display(), geteuid().as_raw()));
        }
    };
    parse(&bytes).map_err(|message| invalid(&message))
}

fn parse(bytes: &[u8]) -> Result<Vec<(String, String)>, String> {
    // In UTF-16, every other byte of ASCII text is NUL, with or without a byte order mark.
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") || bytes.contains(&0) {
        return Err("expected text in UTF-8, got UTF-16 or binary data; save the file as UTF-8".to_owned());
    }
    let text = str::from_utf8(bytes).map_err(|_| "expected text in UTF-8; save the file as UTF-8".to_owned())?;
    let text = without_substitution(text.trim_start_matches('\u{feff}'));
    let mut variables: Vec<(String, String)> = Vec::new();
    for line in dotenvy::Iter::new(text.as_bytes()) {
        let (name, value) = line.map_err(|_| {
            let line = variables.last().map_or("at its start".to_owned(), |(name, _)| format!("after {name}"));
            format!("expected NAME=value in the line {line}; put quotes around values with spaces or #")
        })?;
        variables.push((name, value.replace(DOLLAR, "$")));
    }
    Ok(variables)
}

/// Replaces each `$` that dotenvy would substitute. A `$` after an odd number of backslashes is left alone: in single
/// quotes all characters are literal, and elsewhere `\$` is dotenvy's escape for `$`.
fn without_substitution(text: &str) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut is_escaped = false;
    for c in text.chars() {
        if c == '$' && !is_escaped {
            replaced.push_str(DOLLAR);
        } else {
            replaced.push(c);
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    replaced
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(text: &str) -> String {
        let variables = parse(format!("A=1\nNAME={text}\n").as_bytes()).unwrap();
        assert_eq!(variables.len(), 2, "{text}");
        variables[1].1.clone()
    }

    #[test]
    fn a_dollar_is_literal() {
        for (written, expected) in [
            ("pa$A", "pa$A"),
            ("pa${A}x", "pa${A}x"),
            ("pa$PATH$", "pa$PATH$"),
            ("$", "$"),
            ("$$A", "$$A"),
            ("\"pa$A ${A}\"", "pa$A ${A}"),
            ("'pa$A ${A}'", "pa$A ${A}"),
            ("${", "${"),
            ("\"${\"", "${"),
            // The escape of dotenvy keeps working.
            ("pa\\$A", "pa$A"),
            ("\"pa\\$A\"", "pa$A"),
            ("pa\\\\$A", "pa\\$A"),
            ("pa\\\\\\$A", "pa\\$A"),
            ("'pa\\$A'", "pa\\$A"),
            ("'pa\\\\$A'", "pa\\\\$A"),
            ("'a'$A\"$A\"", "a$A$A"),
            ("\"two\n$A lines\"", "two\n$A lines"),
            ("a # $A", "a"),
        ] {
            assert_eq!(value(written), expected, "{written}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_skipped() {
        assert_eq!(parse(b"\xef\xbb\xbfA=1\n").unwrap(), [("A".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn error_for_other_encodings_does_not_quote_the_content() {
        let utf_16: Vec<u8> = "SECRET_KEY=hunter2\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [&[b"\xff\xfe", &utf_16[..]].concat()[..], &utf_16, b"SECRET_KEY=hunter2\0", b"A=hunter2\xe9"] {
            let error = parse(bytes).unwrap_err();
            assert!(error.starts_with("expected text in UTF-8") && !error.contains("hunter2"), "{error}");
        }
        assert!(parse(&utf_16).unwrap_err().contains("UTF-16"));
    }

    /// How a part of a value is quoted.
    #[derive(Clone, Copy, Debug)]
    enum Quotes {
        None,
        Single,
        Double,
    }

    /// Quotes a text for `.env`, so that it is read back unchanged.
    fn quote(quotes: Quotes, text: &str) -> String {
        let escape = |special: &str| {
            text.chars().flat_map(|c| special.contains(c).then_some('\\').into_iter().chain([c])).collect::<String>()
        };
        match quotes {
            Quotes::None => escape("\\'\""),
            Quotes::Single => format!("'{text}'"),
            Quotes::Double => format!("\"{}\"", escape("\\\"")),
        }
    }

    /// A kind of quotes, and a text that can be written in it.
    fn part() -> impl Strategy<Value = (Quotes, String)> {
        prop_oneof![
            "[$$$A{}PATH\\\\'\"é#=-]{0,12}".prop_map(|text| (Quotes::None, text)),
            "[$$$A{}PATH\" é#=-]{0,12}".prop_map(|text| (Quotes::Single, text)),
            "[$$$A{}PATH\\\\'\" é#=-]{0,12}".prop_map(|text| (Quotes::Double, text)),
        ]
    }

    proptest! {
        #[test]
        fn quoted_values_are_read_back_unchanged(parts in prop::collection::vec(part(), 1..4)) {
            let text: String = parts.iter().map(|(quotes, text)| quote(*quotes, text)).collect();
            prop_assume!(!text.starts_with('#'));
            prop_assert_eq!(value(&text), parts.into_iter().map(|(_, text)| text).collect::<String>());
        }

        #[test]
        fn without_dollars_the_result_is_that_of_dotenvy(text in "[AB_=\\\\'\" #\n-]{0,40}") {
            let expected: Result<Vec<_>, _> = dotenvy::Iter::new(text.as_bytes()).collect();
            prop_assert_eq!(parse(text.as_bytes()).ok(), expected.ok());
        }

        #[test]
        fn a_dollar_is_read_like_any_other_character(text in "(A=[B$\\{\\}'\"#=-]{0,6}\n){1,3}") {
            let expected: Result<Vec<_>, _> = dotenvy::Iter::new(text.replace('$', "€").as_bytes()).collect();
            let expected = expected.ok().map(|variables: Vec<(String, String)>| {
                variables.into_iter().map(|(name, value)| (name, value.replace('€', "$"))).collect::<Vec<_>>()
            });
            prop_assert_eq!(parse(text.as_bytes()).ok(), expected);
        }
    }
}
