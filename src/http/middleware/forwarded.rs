//! A strict parser for the header `Forwarded` (RFC 7239 §4).
//!
//! A proxy may append its element to a line that the client has started. If the client's part had an open quote, a lenient
//! parser would read the proxy's element as part of the quoted string. So a malformed line is ignored as a whole.

use std::net::IpAddr;

use crate::http::middleware::peer::hop;

/// Returns the `for` addresses of a line's elements, from left to right. An element without an address, or with an
/// obfuscated identifier (§6.3), is `None`. Returns `None` if the line does not match the grammar.
pub(in crate::http) fn hops(line: &[u8]) -> Option<Vec<Option<IpAddr>>> {
    let mut rest = line.trim_ascii();
    let mut hops = Vec::new();
    loop {
        let (forwarded_for, after) = element(rest)?;
        hops.push(forwarded_for.and_then(|node| hop(&node)));
        match after.split_first() {
            None => return Some(hops),
            Some((_, after)) => rest = after.trim_ascii_start(),
        }
    }
}

/// Parses the element at the start. Returns its value of `for` and the rest of the line, which is empty or starts with
/// a comma. Accepts white space around all separators, not only commas as in the grammar. A second `for` (§4) is an
/// error.
fn element(mut rest: &[u8]) -> Option<(Option<String>, &[u8])> {
    let mut forwarded_for = None;
    loop {
        if !matches!(rest.first(), None | Some(b',' | b';')) {
            let (name, after) = token(rest)?;
            let (value, after) = value(after.strip_prefix(b"=")?)?;
            if name.eq_ignore_ascii_case(b"for") && forwarded_for.replace(value).is_some() {
                return None;
            }
            rest = after.trim_ascii_start();
        }
        match rest.split_first() {
            Some((b';', after)) => rest = after.trim_ascii_start(),
            None | Some((b',', _)) => return Some((forwarded_for, rest)),
            Some(_) => return None,
        }
    }
}

/// Parses a token or a quoted string (RFC 9110 §5.6.2, §5.6.4). Returns it and the rest of the text.
fn value(text: &[u8]) -> Option<(String, &[u8])> {
    let Some(mut rest) = text.strip_prefix(b"\"") else {
        let (token, rest) = token(text)?;
        return Some((String::from_utf8_lossy(token).into_owned(), rest));
    };
    let mut value = Vec::new();
    loop {
        let (byte, after) = match rest.split_first()? {
            (b'"', after) => return Some((String::from_utf8_lossy(&value).into_owned(), after)),
            (b'\\', after) => after.split_first()?,
            (byte, after) => (byte, after),
        };
        value.push(*byte);
        rest = after;
    }
}

fn token(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let length = text.iter().position(|byte| !is_token(byte)).unwrap_or(text.len());
    (length > 0).then(|| text.split_at(length))
}
