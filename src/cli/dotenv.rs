//! `./.env`, read without changing the process's environment.

use std::{fs, io::ErrorKind, path::Path};

/// Stands for a `$` while dotenvy parses. A file that contains it is refused before.
const DOLLAR: &str = "\0";

/// Reads the variables of a file in dotenv's format. A file that does not exist has none.
///
/// `$` is literal everywhere. dotenvy would replace `$name` by the value of that variable, which silently changes
/// passwords and secrets; it has no option against that.
///
/// # Errors
/// A sentence that does not show the line, which may hold a secret.
pub(super) fn read(path: impl AsRef<Path>) -> Result<Vec<(String, String)>, String> {
    let path = path.as_ref();
    let refused = |what: &str| format!("{}: {what}", path.display());
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) if error.kind() == ErrorKind::IsADirectory => return Err(refused("expected a file, got a folder")),
        Err(error) => return Err(refused(&format!("cannot be read: {error}"))),
    };
    parse(&bytes).map_err(|error| refused(&error))
}

fn parse(bytes: &[u8]) -> Result<Vec<(String, String)>, String> {
    // ASCII has a NUL in every other byte as UTF-16, with or without a byte order mark.
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

/// Hides each `$` that dotenvy would take for the start of a name. After an odd number of backslashes it never is: in
/// single quotes all characters are literal, and elsewhere `\$` is dotenvy's own way to write a `$`.
fn without_substitution(text: &str) -> String {
    let mut hidden = String::with_capacity(text.len());
    let mut is_escaped = false;
    for c in text.chars() {
        if c == '$' && !is_escaped {
            hidden.push_str(DOLLAR);
        } else {
            hidden.push(c);
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    hidden
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
            // dotenvy's own escape, which people needed until now.
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
    fn what_is_not_utf_8_is_refused_without_its_content() {
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

    /// The reference: how a text must be written so that it is read back unchanged.
    fn written(quotes: Quotes, text: &str) -> String {
        let escape = |special: &str| {
            text.chars().flat_map(|c| special.contains(c).then_some('\\').into_iter().chain([c])).collect::<String>()
        };
        match quotes {
            Quotes::None => escape("\\'\""),
            Quotes::Single => format!("'{text}'"),
            Quotes::Double => format!("\"{}\"", escape("\\\"")),
        }
    }

    /// Text that can be written so, and its quotes.
    fn part() -> impl Strategy<Value = (Quotes, String)> {
        prop_oneof![
            "[$$$A{}PATH\\\\'\"é#=-]{0,12}".prop_map(|text| (Quotes::None, text)),
            "[$$$A{}PATH\" é#=-]{0,12}".prop_map(|text| (Quotes::Single, text)),
            "[$$$A{}PATH\\\\'\" é#=-]{0,12}".prop_map(|text| (Quotes::Double, text)),
        ]
    }

    proptest! {
        #[test]
        fn every_value_is_read_as_it_was_written(parts in prop::collection::vec(part(), 1..4)) {
            let text: String = parts.iter().map(|(quotes, text)| written(*quotes, text)).collect();
            prop_assume!(!text.starts_with('#'));
            prop_assert_eq!(value(&text), parts.into_iter().map(|(_, text)| text).collect::<String>());
        }

        /// All but `$` is dotenvy's.
        #[test]
        fn a_file_without_dollars_is_read_as_dotenvy_reads_it(text in "[AB_=\\\\'\" #\n-]{0,40}") {
            let theirs: Result<Vec<_>, _> = dotenvy::Iter::new(text.as_bytes()).collect();
            prop_assert_eq!(parse(text.as_bytes()).ok(), theirs.ok());
        }

        /// A dollar is a character like any other, wherever it is.
        #[test]
        fn a_dollar_is_read_as_another_character_would_be(text in "(A=[B$\\{\\}'\"#=-]{0,6}\n){1,3}") {
            let theirs: Result<Vec<_>, _> = dotenvy::Iter::new(text.replace('$', "€").as_bytes()).collect();
            let theirs = theirs.ok().map(|variables: Vec<(String, String)>| {
                variables.into_iter().map(|(name, value)| (name, value.replace('€', "$"))).collect::<Vec<_>>()
            });
            prop_assert_eq!(parse(text.as_bytes()).ok(), theirs);
        }
    }
}
