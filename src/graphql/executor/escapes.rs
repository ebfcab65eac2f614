//! Rewrites escape sequences of strings (GraphQL specification, §2.9.4) that the engine's parser does not support.

use std::borrow::Cow;

/// Replaces surrogate pairs and escapes in braces with their characters. `string` includes its quotes. Returns `None`
/// if it is not a valid string.
pub(in crate::graphql) fn rewritten(string: &str) -> Option<Cow<'_, str>> {
    let mut rest = string.strip_prefix('"')?.strip_suffix('"')?;
    if !rest.contains(['\\', '\n', '\r']) {
        return Some(string.into());
    }
    let mut result = String::from('"');
    while let Some(c) = rest.chars().next() {
        let escape = rest.strip_prefix('\\');
        let (length, escaped) = match (c, escape.and_then(|escape| escape.chars().next())) {
            ('\\', Some('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't')) => (2, None),
            ('\\', Some('u')) => unicode_escape(rest)?,
            ('\\' | '\n' | '\r', _) => return None,
            _ => (c.len_utf8(), None),
        };
        let (this, after) = rest.split_at_checked(length)?;
        rest = after;
        match escaped {
            None => result.push_str(this),
            Some('\n') => result.push_str("\\n"),
            Some('\r') => result.push_str("\\r"),
            Some(c @ ('"' | '\\')) => result.extend(['\\', c]),
            Some(c) => result.push(c),
        }
    }
    result.push('"');
    Some(result.into())
}

/// Returns the length of an escape sequence, and its character if the parser does not support the sequence.
fn unicode_escape(text: &str) -> Option<(usize, Option<char>)> {
    if let Some(braced) = text.strip_prefix("\\u{") {
        let (digits, _) = braced.split_once('}')?;
        let is_hex = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let value = is_hex.then(|| digits.trim_start_matches('0')).filter(|digits| digits.len() <= 6)?;
        let value = if value.is_empty() { 0 } else { u32::from_str_radix(value, 16).ok()? };
        return Some((digits.len() + 4, Some(char::from_u32(value)?)));
    }
    let first = unit(text)?;
    if char::from_u32(first.into()).is_some() {
        return Some((6, None));
    }
    let pair = [first, unit(text.get(6..)?)?];
    Some((12, Some(char::decode_utf16(pair).next()?.ok()?)))
}

/// The UTF-16 code unit of an escape sequence with four digits.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surrogate_pairs_and_braces_become_characters() {
        for (string, expected) in [
            (r#""""#, r#""""#),
            (r#""a\u0041\"\\\/\n""#, r#""a\u0041\"\\\/\n""#),
            (r#""\ud83d\ude00""#, "\"😀\""),
            (r#""a\uD83D\uDE00\uD83D\uDE00b""#, "\"a😀😀b\""),
            (r#""\u{1F600}\u{0001f600}\u{e9}""#, "\"😀😀é\""),
            (r#""\u{0}\u{000000000000000041}""#, "\"\u{0}A\""),
            (r#""\u{22}\u{5C}\u{A}\u{d}""#, r#""\"\\\n\r""#),
            (r#""\\u{22}\\ud83d\\ude00""#, r#""\\u{22}\\ud83d\\ude00""#),
        ] {
            assert_eq!(rewritten(string).as_deref(), Some(expected), "{string}");
        }
    }

    #[test]
    fn invalid_strings_are_not_rewritten() {
        for string in [
            r#"""#,
            r#""a"#,
            r#""\""#,
            "\"a\nb\"",
            "\"a\rb\"",
            r#""\x""#,
            r#""\u""#,
            r#""\u12""#,
            r#""\u{}""#,
            r#""\u{110000}""#,
            r#""\u{d83d}""#,
            r#""\u{d83d}\u{de00}""#,
            r#""\u{1F600""#,
            r#""\u{+41}""#,
            r#""\ud83d""#,
            r#""\ud83dx""#,
            r#""\ude00\ud83d""#,
            r#""\ud83d\u0041""#,
            r#""\ud83d\u{de00}""#,
            r#""\u00é0""#,
        ] {
            assert_eq!(rewritten(string), None, "{string}");
        }
    }
}
