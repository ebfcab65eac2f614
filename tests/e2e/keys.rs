//! Signing keys at the command line.

use std::fs;

use serde_json::Value;

use super::{FAST, Folder, LOGIN, REGISTER, Server, assert_fails, stderr};

const EDDSA: [(&str, &str); 2] = [("JWT_ALGORITHM", "EdDSA"), ("JWT_KEYS", "keys")];

fn printed(folder: &Folder, arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let output = folder.run(arguments, environment);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn access_token(answer: &str) -> String {
    answer.split(r#""accessToken":""#).nth(1).unwrap().split('"').next().unwrap().to_owned()
}

/// The header of an access token from a login.
fn header(token: &str) -> Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap()).unwrap()
}

#[test]
fn first_key_signs_immediately_and_the_next_in_an_hour() {
    let folder = Folder::new("key_generate");
    let first = printed(&folder, &["key", "generate"], &EDDSA);
    let second = printed(&folder, &["key", "generate"], &EDDSA);
    assert!(first < second && first.starts_with("keys/20") && first.ends_with("Z.pem\n"), "{first}{second}");
    let listed = printed(&folder, &["key", "show"], &EDDSA);
    let lines: Vec<&str> = listed.lines().collect();
    assert!(lines[0].contains("  EdDSA  signs from 20") && lines[1].ends_with("  EdDSA  signs"), "{listed}");
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &str| fs::metadata(folder.0.join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("keys"), mode(first.trim())), (0o700, 0o600));
    }
    // Existing keys are not overwritten.
    let at = ["key", "generate", "--at", "2030-01-31T12:00:00Z"];
    assert_eq!(printed(&folder, &at, &EDDSA), "keys/20300131T120000Z.pem\n");
    let before = fs::read(folder.0.join("keys/20300131T120000Z.pem")).unwrap();
    assert_fails(&folder.run(&at, &EDDSA), 1, "20300131T120000Z.pem");
    assert_eq!(fs::read(folder.0.join("keys/20300131T120000Z.pem")).unwrap(), before);
}

#[test]
fn hs256_secret_is_printed_and_private_keys_are_not() {
    let folder = Folder::new("key_show");
    let key = printed(&folder, &["key", "show", "access"], &[]);
    assert!(key.trim().len() == 64 && key.trim().bytes().all(|byte| byte.is_ascii_hexdigit()), "{key}");
    assert_eq!(printed(&folder, &["key", "show", "access"], &[]), key);
    assert!(printed(&folder, &["key", "show"], &[]).trim().ends_with("  HS256  signs"));

    // The printed key works with any JWT library.
    let server = Server::start(&folder, &[FAST]);
    server.graphql(REGISTER);
    let token = access_token(&server.graphql(LOGIN));
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::HS256);
    validation.set_audience(&[format!("http://localhost:{}", server.port)]);
    let secret = jsonwebtoken::DecodingKey::from_secret(key.trim().as_bytes());
    let decoded = jsonwebtoken::decode::<Value>(&token, &secret, &validation).unwrap();
    assert_eq!(decoded.claims["preferred_username"], "ada");

    assert_fails(&folder.run(&["key", "generate"], &[]), 1, "set JWT_ALGORITHM to EdDSA, ES256 or RS256");
    printed(&folder, &["key", "generate"], &EDDSA);
    assert_fails(&folder.run(&["key", "show", "access"], &EDDSA), 1, "/.well-known/jwks.json");
}

#[test]
fn server_does_not_start_without_a_key() {
    let folder = Folder::new("no_key");
    let listen = ("LISTEN", "127.0.0.1:0");
    assert_fails(&folder.run(&[], &[listen, ("JWT_ALGORITHM", "ES256")]), 2, "JWT_KEYS: required");
    assert_fails(
        &folder.run(&[], &[listen, ("JWT_KEYS", "keys")]),
        2,
        "JWT_KEYS: expected no folder with JWT_ALGORITHM=HS256",
    );
    assert_fails(&folder.run(&[], &[listen, EDDSA[0], EDDSA[1]]), 1, "JWT_KEYS: the folder keys does not exist");
    fs::create_dir(folder.0.join("keys")).unwrap();
    assert_fails(&folder.run(&[], &[listen, EDDSA[0], EDDSA[1]]), 1, "has no key that has started");
}

#[test]
fn sighup_reloads_the_keys() {
    let folder = Folder::new("sighup");
    printed(&folder, &["key", "generate", "--at", "2026-01-01T00:00:00Z"], &EDDSA);
    let server = Server::start(&folder, &[FAST, EDDSA[0], EDDSA[1]]);
    server.graphql(REGISTER);
    let old = access_token(&server.graphql(LOGIN));
    printed(&folder, &["key", "generate", "--at", "2026-01-02T00:00:00Z"], &EDDSA);
    fs::write(folder.0.join("keys/20260103T000000Z.pem"), "cut off").unwrap();
    server.signal("-HUP");
    server.wait_for_line("the signing keys could not be reloaded");
    assert_eq!(header(&access_token(&server.graphql(LOGIN))), header(&old));

    fs::remove_file(folder.0.join("keys/20260103T000000Z.pem")).unwrap();
    server.signal("-HUP");
    server.wait_for_line("the signing keys were reloaded");
    let new = access_token(&server.graphql(LOGIN));
    assert_ne!(header(&new)["kid"], header(&old)["kid"]);
    for token in [old, new] {
        assert!(server.me(&token).contains(r#"{"data":{"me":{"username":"ada"}}}"#));
    }
}
