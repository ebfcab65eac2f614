//! Metadata of providers: an accepted document has the configured issuer and only https endpoints, and a repeated member
//! makes it unacceptable.
#![no_main]

use hallpass::security::oidc::{Issuer, KeySet, ProviderMetadata};
use libfuzzer_sys::{Corpus, fuzz_target};
use serde_json::Value;

const ISSUER: &str = "https://id.example.org";

fuzz_target!(|json: &[u8]| -> Corpus {
    // Key sets are parsed by the same parser.
    if let Ok(keys) = KeySet::parse(json) {
        let value: Value = serde_json::from_slice(json).unwrap();
        assert!(keys.len() <= value["keys"].as_array().unwrap().len());
    }
    let Ok(provider) = ProviderMetadata::parse(json, ISSUER) else { return Corpus::Keep };
    assert_eq!(provider.issuer, Issuer::Exact(ISSUER.to_owned()));
    assert!(!provider.algorithms.is_empty());
    let endpoints = [&provider.authorization_endpoint, &provider.token_endpoint, &provider.jwks_uri];
    for endpoint in endpoints.into_iter().chain(&provider.userinfo_endpoint) {
        assert_eq!(endpoint.scheme(), "https");
        assert!(endpoint.has_host() && endpoint.username().is_empty() && endpoint.fragment().is_none());
    }
    // A general parser finds the same values.
    let value: Value = serde_json::from_slice(json).unwrap();
    assert_eq!(value["issuer"], ISSUER);
    assert!(value["response_types_supported"].as_array().unwrap().contains(&"code".into()));
    assert_eq!(
        value.get("authorization_response_iss_parameter_supported").is_some_and(|value| value == true),
        provider.sends_issuer
    );
    let end = json.iter().rposition(|byte| *byte == b'}').unwrap();
    let repeated = [&json[..end], b",\"issuer\":\"https://id.example.org\"}"].concat();
    assert!(ProviderMetadata::parse(&repeated, ISSUER).is_err());
    Corpus::Keep
});
