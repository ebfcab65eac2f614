//! Flows: what is sealed in a cookie between the start and the callback.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use hallpass::{
    config::{ExposeSecret, SecretKey},
    security::{
        cursor::Cursors,
        keys::Keys,
        oidc::{Flow, FlowCookie, FlowSealer, MAX_RETURN_TO_LENGTH, NewFlow, OidcError, Purpose, s256_challenge},
        sealed::Sealer,
    },
};
use uuid::Uuid;

use crate::support::now;

const LINK: Purpose = Purpose::Link { user_id: Uuid::from_u128(1), session_id: Uuid::from_u128(2) };

fn keys(secret: &str, previous: Option<&str>) -> Keys {
    let previous = previous.map(Into::into);
    Keys::load(&SecretKey::Given(secret.into()), previous.as_ref()).unwrap()
}

fn sealer() -> FlowSealer {
    FlowSealer::new(&keys("one secret", None)).unwrap()
}

fn new_flow(purpose: Purpose) -> NewFlow {
    NewFlow {
        provider_id: "google".into(),
        return_to: "https://app.example.org/in?a=b".into(),
        app_challenge: [7; 32],
        purpose,
    }
}

fn start(purpose: Purpose) -> Flow {
    Flow::start(new_flow(purpose), now()).unwrap()
}

fn open(flow: &Flow, cookie: &FlowCookie) -> Result<Flow, OidcError> {
    sealer().open(&flow.state(), &cookie.value, "google", now())
}

#[test]
fn opened_flow_is_the_one_that_was_sealed() {
    for purpose in [Purpose::SignIn, LINK] {
        let flow = start(purpose);
        let opened = open(&flow, &sealer().seal(&flow).unwrap()).unwrap();
        assert_eq!(opened.state(), flow.state());
        assert_eq!(opened.nonce().expose_secret(), flow.nonce().expose_secret());
        assert_eq!(opened.code_verifier().expose_secret(), flow.code_verifier().expose_secret());
        assert_eq!(opened.started_at, now());
        assert_eq!(opened.request.provider_id, "google");
        assert_eq!(opened.request.return_to, "https://app.example.org/in?a=b");
        assert_eq!(opened.request.app_challenge, [7; 32]);
        assert_eq!(opened.request.purpose, purpose);
    }
}

#[test]
fn random_values_differ_and_have_256_bits() {
    let [one, other] = [(); 2].map(|()| start(Purpose::SignIn));
    let values = |flow: &Flow| {
        [flow.state(), flow.nonce().expose_secret().to_owned(), flow.code_verifier().expose_secret().to_owned()]
    };
    let all = [values(&one), values(&other)].concat();
    for (index, value) in all.iter().enumerate() {
        assert_eq!(value.len(), 43);
        assert!(!all[index + 1..].contains(value), "{index}");
    }
    assert_eq!(one.code_challenge(), s256_challenge(one.code_verifier().expose_secret()));
}

#[test]
fn state_opens_its_own_cookie_only() {
    let [one, other] = [(); 2].map(|()| start(Purpose::SignIn));
    let [cookie, other_cookie] = [&one, &other].map(|flow| sealer().seal(flow).unwrap());
    assert_eq!(open(&one, &other_cookie).unwrap_err(), OidcError::UnknownFlow);
    assert_eq!(open(&other, &cookie).unwrap_err(), OidcError::UnknownFlow);
    assert!(open(&one, &cookie).is_ok() && open(&other, &other_cookie).is_ok());
}

#[test]
fn malformed_states_and_cookies_are_refused() {
    let flow = start(Purpose::SignIn);
    let cookie = sealer().seal(&flow).unwrap().value;
    let state = flow.state();
    for wrong in [String::new(), state[..42].to_owned(), format!("{state}A"), format!("{state}="), "x".repeat(43)] {
        let result = sealer().open(&wrong, &cookie, "google", now());
        assert_eq!(result.unwrap_err(), OidcError::UnknownFlow, "{wrong}");
    }
    for wrong in [String::new(), "AAAA".into(), format!("{cookie}="), format!("{cookie}AAAA"), "A".repeat(4096)] {
        let result = sealer().open(&state, &wrong, "google", now());
        assert_eq!(result.unwrap_err(), OidcError::UnknownFlow, "{wrong}");
    }
}

/// Among others, the purpose, the user and the time cannot be changed.
#[test]
fn every_changed_byte_is_refused() {
    let flow = start(LINK);
    let cookie = sealer().seal(&flow).unwrap();
    let mut bytes = URL_SAFE_NO_PAD.decode(&cookie.value).unwrap();
    for index in 0..bytes.len() {
        for bit in 0..8 {
            bytes[index] ^= 1 << bit;
            let changed = FlowCookie { value: URL_SAFE_NO_PAD.encode(&bytes), ..cookie.clone() };
            assert_eq!(open(&flow, &changed).unwrap_err(), OidcError::UnknownFlow, "{index} {bit}");
            bytes[index] ^= 1 << bit;
        }
        let cut = FlowCookie { value: URL_SAFE_NO_PAD.encode(&bytes[..index]), ..cookie.clone() };
        assert_eq!(open(&flow, &cut).unwrap_err(), OidcError::UnknownFlow, "{index}");
    }
}

#[test]
fn flow_expires_after_ten_minutes() {
    let flow = start(Purpose::SignIn);
    let cookie = sealer().seal(&flow).unwrap();
    let open_at = |seconds| {
        let now = now() + TimeDelta::seconds(seconds);
        sealer().open(&flow.state(), &cookie.value, "google", now).map(drop)
    };
    assert_eq!(open_at(599), Ok(()));
    assert_eq!(open_at(600), Err(OidcError::ExpiredFlow));
    assert_eq!(FlowCookie::MAX_AGE_SECONDS, 600);
}

#[test]
fn flow_ends_at_the_callback_of_its_provider() {
    let flow = start(Purpose::SignIn);
    let cookie = sealer().seal(&flow).unwrap();
    for other in ["github", "google2", ""] {
        let result = sealer().open(&flow.state(), &cookie.value, other, now());
        assert_eq!(result.unwrap_err(), OidcError::OtherProvider, "{other}");
    }
}

#[test]
fn flow_outlives_a_change_of_the_secret_while_the_previous_one_is_known() {
    let flow = start(Purpose::SignIn);
    let cookie = sealer().seal(&flow).unwrap().value;
    let open = |secret, previous| {
        let sealer = FlowSealer::new(&keys(secret, previous)).unwrap();
        sealer.open(&flow.state(), &cookie, "google", now()).map(drop)
    };
    assert_eq!(open("another secret", Some("one secret")), Ok(()));
    assert_eq!(open("another secret", None), Err(OidcError::UnknownFlow));
}

#[test]
fn sealed_values_of_other_uses_are_no_flows() {
    let keys = keys("one secret", None);
    let flow = start(Purpose::SignIn);
    let totp = Sealer::for_totp(&keys).unwrap().seal(Uuid::from_u128(1), &[1; 200]).unwrap();
    let cursor = Cursors::new(&keys).unwrap().seal("users", &[1; 200]).unwrap();
    for value in [URL_SAFE_NO_PAD.encode(totp.bytes), cursor] {
        let result = sealer().open(&flow.state(), &value, "google", now());
        assert_eq!(result.unwrap_err(), OidcError::UnknownFlow);
    }
}

#[test]
fn each_flow_has_a_cookie_of_its_own() {
    let flow = start(Purpose::SignIn);
    let cookie = sealer().seal(&flow).unwrap();
    assert_eq!(cookie.name, format!("auth_{}", &flow.state()[..8]));
    assert_eq!(FlowCookie::name_for(&flow.state()), Some(cookie.name.clone()));
    assert_ne!(sealer().seal(&start(Purpose::SignIn)).unwrap().name, cookie.name);
    for state in ["", "short", "a;b=c;d=e;f=g", &"é".repeat(22), &format!("{}=", flow.state())] {
        assert_eq!(FlowCookie::name_for(state), None, "{state}");
    }
}

#[test]
fn cookie_is_small_and_needs_no_escaping() {
    let seal = |length: usize| {
        let return_to = "x".repeat(length);
        let provider_id = "p".repeat(32);
        let flow = Flow::start(NewFlow { return_to, provider_id, ..new_flow(LINK) }, now()).unwrap();
        sealer().seal(&flow).map(|cookie| (cookie, flow))
    };
    let (cookie, flow) = seal(MAX_RETURN_TO_LENGTH).unwrap();
    assert!(cookie.value.len() <= 2048, "{}", cookie.value.len());
    assert!(cookie.value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    assert!(sealer().open(&flow.state(), &cookie.value, &"p".repeat(32), now()).is_ok());
    assert!(seal(MAX_RETURN_TO_LENGTH + 1).is_err());
    let (usual, _) = seal(30).unwrap();
    assert!(usual.value.len() < 400, "{}", usual.value.len());
}

#[test]
fn sealed_flow_reveals_nothing() {
    let flow = start(LINK);
    let [one, other] = [(); 2].map(|()| sealer().seal(&flow).unwrap().value);
    assert_ne!(one, other);
    let bytes = URL_SAFE_NO_PAD.decode(&one).unwrap();
    assert!(!bytes.windows(6).any(|window| window == b"google" || window == [7; 6]));
    let text = format!("{flow:?} {:?}", sealer().seal(&flow).unwrap());
    assert!(!text.contains(flow.nonce().expose_secret()) && !text.contains(&one[..10]));
}
