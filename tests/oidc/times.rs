//! The times of ID tokens. The clocks may differ by one minute.

use hallpass::security::oidc::OidcError;
use serde_json::{Value, json};

use crate::support::{now, verify_claims};

/// Claims with a time relative to that of the verification.
fn at(claim: &str, seconds: i64) -> Value {
    json!({ claim: now().timestamp() + seconds })
}

#[test]
fn token_is_valid_until_its_expiry() {
    for seconds in [1, 0, -59] {
        assert!(verify_claims(&at("exp", seconds)).is_ok(), "{seconds}");
    }
    for seconds in [-60, -61, -3600] {
        assert_eq!(verify_claims(&at("exp", seconds)), Err(OidcError::Expired), "{seconds}");
    }
}

#[test]
fn token_was_issued_within_ten_minutes() {
    for seconds in [0, 60, -1, -300, -600] {
        assert!(verify_claims(&at("iat", seconds)).is_ok(), "{seconds}");
    }
    for seconds in [61, 3600, -601, -86_400] {
        assert_eq!(verify_claims(&at("iat", seconds)), Err(OidcError::IssuedAt), "{seconds}");
    }
}

#[test]
fn token_is_not_valid_before_its_time() {
    for seconds in [-3600, 0, 60] {
        assert!(verify_claims(&at("nbf", seconds)).is_ok(), "{seconds}");
    }
    for seconds in [61, 3600] {
        assert_eq!(verify_claims(&at("nbf", seconds)), Err(OidcError::NotYetValid), "{seconds}");
    }
}

#[test]
fn times_are_numbers() {
    for claim in ["exp", "iat", "nbf"] {
        for value in [json!("1800000000"), Value::Null, json!(true), json!([1_800_000_000])] {
            assert_eq!(verify_claims(&json!({ claim: value })), Err(OidcError::Claim(claim)), "{value}");
        }
    }
}

#[test]
fn times_may_have_fractions() {
    let now = now().timestamp();
    assert!(verify_claims(&json!({ "iat": serde_json::from_str::<Value>(&format!("{now}.5")).unwrap() })).is_ok());
    let expired = serde_json::from_str::<Value>(&format!("{}.5", now - 61)).unwrap();
    assert_eq!(verify_claims(&json!({ "exp": expired })), Err(OidcError::Expired));
}

#[test]
fn extreme_times_are_refused_or_accepted_without_overflow() {
    assert!(verify_claims(&json!({ "exp": u64::MAX })).is_ok());
    assert!(verify_claims(&json!({ "exp": 1e300 })).is_ok());
    assert_eq!(verify_claims(&json!({ "exp": i64::MIN })), Err(OidcError::Expired));
    for time in [json!(0), json!(i64::MIN), json!(u64::MAX), json!(1e300), json!(-1e300)] {
        assert_eq!(verify_claims(&json!({ "iat": time })), Err(OidcError::IssuedAt), "{time}");
    }
    assert_eq!(verify_claims(&json!({ "nbf": u64::MAX })), Err(OidcError::NotYetValid));
}
