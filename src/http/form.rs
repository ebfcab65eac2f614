//! Forms: `application/x-www-form-urlencoded` as in OAuth (RFC 6749, appendix B).

use percent_encoding::percent_decode;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::http::fields::{self, FieldError, Source};

/// Maximum number of parameters in a form or query string. No valid request has more than six.
pub(super) const MAX_PARAMETERS: usize = 32;

/// The parameters of a form; none is repeated. A parameter without a value counts as omitted (RFC 6749 §3.2).
#[derive(Debug, Default)]
pub(super) struct Form(Vec<(String, String)>);

/// Why a form is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadForm(pub(super) &'static str);

impl BadForm {
    /// The message for more than [`MAX_PARAMETERS`].
    pub(super) const TOO_MANY_PARAMETERS: &str = "There are too many parameters: at most 32 are accepted.";
}

impl Form {
    /// Parses a body.
    ///
    /// # Errors
    /// The body is not UTF-8, has too many parameters, or repeats a parameter.
    pub(super) fn parse(body: &[u8]) -> Result<Self, BadForm> {
        Self::from_pairs(body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()))
    }

    /// Stops at the first pair over the limit, so that comparing each name with all previous ones stays cheap.
    fn from_pairs<'a>(pairs: impl Iterator<Item = &'a [u8]>) -> Result<Self, BadForm> {
        let mut form = Self(Vec::new());
        for pair in pairs {
            if form.0.len() == MAX_PARAMETERS {
                return Err(BadForm(BadForm::TOO_MANY_PARAMETERS));
            }
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let mut half = || decode(halves.next().unwrap_or_default());
            let (Some(name), Some(value)) = (half(), half()) else {
                return Err(BadForm("The form is not UTF-8."));
            };
            if form.0.iter().any(|(known, _)| *known == name) {
                return Err(BadForm("The form contains a parameter twice."));
            }
            form.0.push((name, value));
        }
        Ok(form)
    }

    /// Removes and returns a parameter.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        let (_, value) = self.0.iter_mut().find(|(known, value)| known == name && !value.is_empty())?;
        Some(std::mem::take(value))
    }

    /// Deserializes a request.
    ///
    /// # Errors
    /// All parameters that are missing or contain NUL.
    pub(super) fn read<T: DeserializeOwned>(self) -> Result<T, Vec<FieldError>> {
        let given = self.0.into_iter().filter(|(_, value)| !value.is_empty());
        fields::read(Source::Form, given.map(|(name, value)| (name, Value::String(value))).collect())
    }
}

/// Decodes a name or value. A `%` that does not start an escape is kept, as browsers do.
fn decode(text: &[u8]) -> Option<String> {
    let with_spaces: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    String::from_utf8(percent_decode(&with_spaces).collect()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_is_decoded_as_browsers_encode_it() {
        let mut form = Form::parse("a=1+2%2B&b=%D0%96=%&&c=&d&%C3%A9=%zz%4".as_bytes()).unwrap();
        assert_eq!(form.take("a").as_deref(), Some("1 2+"));
        assert_eq!(form.take("b").as_deref(), Some("Ж=%"));
        assert_eq!(form.take("c"), None);
        assert_eq!(form.take("d"), None);
        assert_eq!(form.take("é").as_deref(), Some("%zz%4"));
    }

    #[test]
    fn ambiguous_forms_are_rejected() {
        for bad in [b"a=1&a=1".as_slice(), b"a=1&%61=2", b"a=&a=1", b"a=\xff", b"a=%ff", b"%c3=a", b"a=%ed%a0%80"] {
            assert!(Form::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn parsing_stops_after_32_parameters() {
        let names: Vec<String> = (0..10_000).map(|number| number.to_string()).collect();
        let mut read = 0;
        let pairs = names.iter().inspect(|_| read += 1).map(String::as_bytes);
        assert!(Form::from_pairs(pairs).unwrap_err().0.contains("too many parameters"));
        assert_eq!(read, MAX_PARAMETERS + 1);
        assert!(Form::from_pairs(names.iter().take(MAX_PARAMETERS).map(String::as_bytes)).is_ok());
    }
}
