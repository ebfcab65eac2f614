use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Duration, Utc};
use hallpass::{
    config::SecretKey,
    security::{
        keys::Keys,
        webauthn::{Ceremony, CeremonyTokens, FormHash, VerificationError},
    },
};
use uuid::Uuid;

const ADA: Uuid = Uuid::from_u128(1);
const BO: Uuid = Uuid::from_u128(2);
const ONE: Uuid = Uuid::from_u128(3);
const OTHER: Uuid = Uuid::from_u128(4);
const RP_ID: &str = "example.org";

fn tokens(secret: &str, previous: Option<&str>) -> CeremonyTokens {
    let previous = previous.map(Into::into);
    let keys = Keys::load(&SecretKey::Given(secret.into()), previous.as_ref()).unwrap();
    CeremonyTokens::new(&keys).unwrap()
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

/// Ceremonies of each purpose, of two users, and in two sessions or challenges.
fn ceremonies() -> Vec<Ceremony> {
    let mut ceremonies = vec![Ceremony::Login];
    for user_id in [ADA, BO] {
        for name in ["ada", "bo"] {
            ceremonies.push(Ceremony::CreateAccount { user_id, form: FormHash::of(&[name]) });
        }
        for id in [ONE, OTHER] {
            ceremonies.push(Ceremony::Register { user_id, session_id: id });
            ceremonies.push(Ceremony::SecondFactor { user_id, challenge_id: id });
            ceremonies.push(Ceremony::Reauthenticate { user_id, session_id: id });
        }
    }
    ceremonies
}

#[test]
fn token_is_valid_for_its_ceremony_only() {
    let tokens = tokens("one secret", None);
    for ceremony in ceremonies() {
        let started = tokens.start(ceremony, RP_ID, now()).unwrap();
        for other in ceremonies() {
            let result = tokens.verify(&started.token, other, RP_ID, now());
            if other == ceremony {
                let verified = result.unwrap();
                assert_eq!((verified.ceremony, verified.challenge), (ceremony, started.challenge));
            } else {
                assert_eq!(result, Err(VerificationError::OtherCeremony), "{ceremony:?} as {other:?}");
            }
        }
    }
}

#[test]
fn token_for_a_new_account_contains_the_user_id() {
    let tokens = tokens("one secret", None);
    for ceremony in ceremonies() {
        let started = tokens.start(ceremony, RP_ID, now()).unwrap();
        let form = FormHash::of(&["ada"]);
        let result = tokens.verify_new_account(&started.token, form, RP_ID, now()).map(|(user_id, _)| user_id);
        match ceremony {
            Ceremony::CreateAccount { user_id, form: started } if started == form => assert_eq!(result, Ok(user_id)),
            _ => assert_eq!(result, Err(VerificationError::OtherCeremony)),
        }
    }
}

#[test]
fn hash_of_a_form_depends_on_each_value() {
    let forms: [&[&str]; 6] = [&["ada", ""], &["", "ada"], &["ad", "a"], &["ada"], &["ada", "x"], &["bo", ""]];
    for (index, form) in forms.iter().enumerate() {
        for (other_index, other) in forms.iter().enumerate() {
            assert_eq!(FormHash::of(form) == FormHash::of(other), index == other_index, "{form:?} {other:?}");
        }
    }
}

#[test]
fn each_ceremony_has_its_own_nonce_and_challenge() {
    let tokens = tokens("one secret", None);
    let [one, other] = [(); 2].map(|()| tokens.start(Ceremony::Login, RP_ID, now()).unwrap());
    assert_ne!(one.challenge, other.challenge);
    let nonce = |token: &str| tokens.verify(token, Ceremony::Login, RP_ID, now()).unwrap().nonce;
    assert_ne!(nonce(&one.token), nonce(&other.token));
    assert_eq!(nonce(&one.token), nonce(&one.token));
}

#[test]
fn token_expires_after_15_minutes() {
    let tokens = tokens("one secret", None);
    let token = tokens.start(Ceremony::Login, RP_ID, now()).unwrap().token;
    let expires_at = now() + Duration::minutes(15);
    let verify = |at| tokens.verify(&token, Ceremony::Login, RP_ID, at);
    assert_eq!(verify(expires_at - Duration::seconds(1)).unwrap().expires_at, expires_at);
    assert_eq!(verify(expires_at), Err(VerificationError::ExpiredCeremonyToken));
}

#[test]
fn token_of_another_rp_id_is_refused() {
    let tokens = tokens("one secret", None);
    let token = tokens.start(Ceremony::Login, RP_ID, now()).unwrap().token;
    for rp_id in ["example.com", "example.or", "example.org.", ""] {
        let result = tokens.verify(&token, Ceremony::Login, rp_id, now());
        assert_eq!(result, Err(VerificationError::InvalidCeremonyToken));
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    let tokens = tokens("one secret", None);
    let ceremony = Ceremony::Register { user_id: ADA, session_id: ONE };
    let honest = URL_SAFE_NO_PAD.decode(tokens.start(ceremony, RP_ID, now()).unwrap().token).unwrap();
    for bit in 0..honest.len() * 8 {
        let mut flipped = honest.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let result = tokens.verify(&URL_SAFE_NO_PAD.encode(&flipped), ceremony, RP_ID, now());
        assert_eq!(result, Err(VerificationError::InvalidCeremonyToken), "{bit}");
    }
}

#[test]
fn token_has_exactly_one_spelling() {
    let tokens = tokens("one secret", None);
    let token = tokens.start(Ceremony::Login, RP_ID, now()).unwrap().token;
    let bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
    for other in [
        format!("{token}="),
        format!("{token}AAAA"),
        format!(" {token}"),
        token[..token.len() - 1].into(),
        URL_SAFE_NO_PAD.encode([&bytes[..], &[0]].concat()),
        String::new(),
        "A".repeat(100_000),
    ] {
        let result = tokens.verify(&other, Ceremony::Login, RP_ID, now());
        assert_eq!(result, Err(VerificationError::InvalidCeremonyToken), "{other}");
    }
}

#[test]
fn token_outlives_a_change_of_the_secret_while_the_previous_one_is_known() {
    let token = tokens("one secret", None).start(Ceremony::Login, RP_ID, now()).unwrap().token;
    let verify = |tokens: CeremonyTokens| tokens.verify(&token, Ceremony::Login, RP_ID, now());
    assert!(verify(tokens("another secret", Some("one secret"))).is_ok());
    assert_eq!(verify(tokens("another secret", None)), Err(VerificationError::InvalidCeremonyToken));
}
