//! Time-based one-time passwords (RFC 6238): codes of an authenticator app.
//!
//! SHA-1, 6 digits and steps of 30 seconds, the only parameters that all authenticator apps support. Codes of the previous
//! and the next step are accepted too, because clocks differ and typing takes time (RFC 6238 §5.2).

use std::fmt;

use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};
use chrono::{DateTime, Utc};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::{
    Error, Result,
    config::{ExposeSecret, SecretString},
    security::random,
};

/// Length of a secret in bytes: the output of SHA-1, as RFC 4226 §4 recommends.
const SECRET_LENGTH: usize = 20;

/// Length of a step in seconds.
const STEP_SECONDS: i64 = 30;

/// Number of digits of a code.
const DIGITS: usize = 6;

/// The alphabet of RFC 4648 §6.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// All characters except the unreserved ones of RFC 3986 §2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The secret that the server shares with an authenticator app.
#[derive(Clone)]
pub struct TotpSecret(Zeroizing<[u8; SECRET_LENGTH]>);

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(…)")
    }
}

/// A typed code with the correct number of digits.
pub struct TotpCode([u8; DIGITS]);

impl fmt::Debug for TotpCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpCode(…)")
    }
}

impl TotpCode {
    /// Parses a typed code. Ignores white space, because many apps show two groups of three digits.
    #[must_use]
    pub fn parse(text: &SecretString) -> Option<Self> {
        // Bounds the work for a long text.
        let mut digits = text.expose_secret().chars().take(64).filter(|c| !c.is_whitespace());
        let mut code = [0; DIGITS];
        for digit in &mut code {
            *digit = digits.next().filter(char::is_ascii_digit).and_then(|c| u8::try_from(c).ok())?;
        }
        digits.next().is_none().then_some(Self(code))
    }
}

impl TotpSecret {
    /// Generates a secret.
    ///
    /// # Errors
    /// As [`random::bytes`].
    pub fn generate() -> Result<Self> {
        Ok(Self(Zeroizing::new(random::bytes()?)))
    }

    /// The secret with these bytes. `None` if their number is wrong.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// The bytes of the secret.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &*self.0
    }

    /// The secret in Base32 (RFC 4648 §6), for users who type it into their app. It needs no padding.
    #[must_use]
    pub fn to_base32(&self) -> SecretString {
        let (chunks, _) = self.0.as_chunks::<5>();
        let characters = chunks.iter().flat_map(|chunk| {
            let bits = chunk.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
            (0..8).rev().filter_map(move |index| {
                let position = usize::try_from(bits >> (5 * index) & 31).ok()?;
                BASE32.get(position).copied().map(char::from)
            })
        });
        characters.collect::<String>().into()
    }

    /// The URI that an authenticator app reads from a QR code, in the Key URI format. `issuer` is the name of the service.
    ///
    /// The format separates both names by a colon and forbids others, even encoded ones, so they are removed.
    #[must_use]
    pub fn otpauth_uri(&self, issuer: &str, account: &str) -> SecretString {
        let encoded = |text: &str| utf8_percent_encode(&text.replace(':', ""), RESERVED).to_string();
        let (issuer, account) = (encoded(issuer), encoded(account));
        let secret = self.to_base32();
        let secret = secret.expose_secret();
        format!(
            "otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={STEP_SECONDS}"
        )
        .into()
    }

    /// Returns the latest step whose code this is, among the accepted steps after `last_step`, the last one that was used.
    ///
    /// All accepted steps are compared, in constant time. The codes of two adjacent steps can be equal. If the first match
    /// decided, the code of the current step would be refused because the previous step is used.
    ///
    /// If the clock is set back, codes are refused until it reaches the last used step again.
    #[must_use]
    pub fn matching_step(&self, code: &TotpCode, now: DateTime<Utc>, last_step: Option<i64>) -> Option<i64> {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.as_bytes());
        let current = step_at(now);
        (current - 1..=current + 1).fold(None, |matching, step| {
            let is_match = code_of(&key, step).is_ok_and(|of_step| verify_slices_are_equal(&of_step, &code.0).is_ok());
            if is_match && last_step.is_none_or(|last_step| step > last_step) { Some(step) } else { matching }
        })
    }

    /// The code at this time, as an authenticator app shows it.
    ///
    /// # Errors
    /// Internal if the time precedes 1970.
    pub fn code_at(&self, now: DateTime<Utc>) -> Result<SecretString> {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.as_bytes());
        let code = code_of(&key, step_at(now))?;
        Ok(code.into_iter().map(char::from).collect::<String>().into())
    }
}

/// The number of the step at a time (RFC 6238 §4.2).
fn step_at(now: DateTime<Utc>) -> i64 {
    now.timestamp().div_euclid(STEP_SECONDS)
}

/// The code of a step: HOTP with the step as counter (RFC 4226 §5.3).
fn code_of(key: &hmac::Key, step: i64) -> Result<[u8; DIGITS]> {
    let counter = u64::try_from(step).map_err(Error::internal)?;
    let tag = hmac::sign(key, &counter.to_be_bytes());
    let tag = tag.as_ref();
    let offset = tag.last().map_or(0, |last| usize::from(last & 0xf));
    let truncated = tag.get(offset..).and_then(|rest| rest.first_chunk()).copied();
    let mut number = u32::from_be_bytes(truncated.ok_or_else(|| Error::internal("a short HMAC"))?) & 0x7fff_ffff;
    let mut code = [0; DIGITS];
    for digit in code.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
    Ok(code)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    /// The secret of the test vectors in RFC 4226 and RFC 6238.
    fn rfc_secret() -> TotpSecret {
        TotpSecret::from_bytes(b"12345678901234567890").unwrap()
    }

    fn at_step(step: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(step * STEP_SECONDS, 0).unwrap()
    }

    /// The code of a step of [`rfc_secret`].
    fn code(step: i64) -> TotpCode {
        TotpCode::parse(&rfc_secret().code_at(at_step(step)).unwrap()).unwrap()
    }

    #[test]
    fn codes_match_the_vectors_of_rfc_6238() {
        for (seconds, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let now = DateTime::from_timestamp(seconds, 0).unwrap();
            assert_eq!(rfc_secret().code_at(now).unwrap().expose_secret(), expected, "{seconds}");
        }
    }

    #[test]
    fn codes_match_the_vectors_of_rfc_4226() {
        let expected =
            ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
        for (step, expected) in (0..).zip(expected) {
            assert_eq!(rfc_secret().code_at(at_step(step)).unwrap().expose_secret(), expected, "{step}");
        }
    }

    #[test]
    fn codes_of_the_current_and_the_adjacent_steps_are_accepted() {
        let now = at_step(1000) + TimeDelta::seconds(29);
        for (step, expected) in [(998, None), (999, Some(999)), (1000, Some(1000)), (1001, Some(1001)), (1002, None)] {
            assert_eq!(rfc_secret().matching_step(&code(step), now, None), expected, "{step}");
        }
    }

    #[test]
    fn code_is_accepted_only_after_the_last_used_step() {
        let matching_step = |step, last_step| rfc_secret().matching_step(&code(step), at_step(1000), Some(last_step));
        assert_eq!(matching_step(1000, 999), Some(1000));
        assert_eq!(matching_step(1000, 1000), None);
        assert_eq!(matching_step(999, 1000), None, "an older code after a newer one");
        assert_eq!(matching_step(1001, 1000), Some(1001));
    }

    #[test]
    fn no_code_is_accepted_again_after_the_clock_was_set_back() {
        let used = 1000;
        for now in [990, 998, 999, 1000] {
            for step in now - 1..=used {
                assert_eq!(rfc_secret().matching_step(&code(step), at_step(now), Some(used)), None, "{step} at {now}");
            }
        }
        assert_eq!(rfc_secret().matching_step(&code(1001), at_step(1000), Some(used)), Some(1001));
    }

    #[test]
    fn equal_codes_of_adjacent_steps_count_as_the_latest_one() {
        // The first pair of adjacent steps with equal codes.
        let (first, second) = (910_737, 910_738);
        assert_eq!(code(first).0, code(second).0);
        for now in [first, second] {
            assert_eq!(rfc_secret().matching_step(&code(second), at_step(now), Some(first)), Some(second));
            assert_eq!(rfc_secret().matching_step(&code(first), at_step(now), None), Some(second));
        }
        assert_eq!(rfc_secret().matching_step(&code(first), at_step(second), Some(second)), None);
    }

    #[test]
    fn times_before_1970_match_no_code() {
        let code = TotpCode::parse(&"755224".into()).unwrap();
        assert_eq!(rfc_secret().matching_step(&code, at_step(-2), None), None);
        assert_eq!(rfc_secret().matching_step(&code, at_step(-1), None), Some(0));
    }

    #[test]
    fn typed_code_may_contain_white_space_only() {
        for text in ["755224", " 755 224 ", "755\u{a0}224", "7 5 5 2 2 4\n"] {
            assert_eq!(TotpCode::parse(&text.into()).unwrap().0, *b"755224", "{text}");
        }
        let long = "7".repeat(100_000);
        for text in ["", "75522", "7552244", "75522a", "755-224", "７５５２２４", "-55224", &long] {
            assert!(TotpCode::parse(&text.into()).is_none(), "{text}");
        }
    }

    #[test]
    fn secret_is_encoded_in_base32_without_padding() {
        assert_eq!(rfc_secret().to_base32().expose_secret(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        let secret = TotpSecret::from_bytes(&[0xff; SECRET_LENGTH]).unwrap();
        assert_eq!(secret.to_base32().expose_secret(), "7".repeat(32));
        assert!(TotpSecret::from_bytes(&[0; 19]).is_none());
    }

    #[test]
    fn uri_encodes_the_names() {
        let uri = rfc_secret().otpauth_uri("Ada & Söhne: Ltd", "ada:lovelace+test@example.org");
        assert_eq!(
            uri.expose_secret(),
            "otpauth://totp/Ada%20%26%20S%C3%B6hne%20Ltd:adalovelace%2Btest%40example.org\
             ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Ada%20%26%20S%C3%B6hne%20Ltd\
             &algorithm=SHA1&digits=6&period=30"
        );
    }

    #[test]
    fn generated_secrets_differ_and_are_not_logged() {
        let secret = TotpSecret::generate().unwrap();
        assert_ne!(secret.as_bytes(), TotpSecret::generate().unwrap().as_bytes());
        assert_eq!(format!("{secret:?} {:?}", code(1)), "TotpSecret(…) TotpCode(…)");
    }
}
