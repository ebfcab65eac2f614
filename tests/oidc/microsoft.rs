//! Microsoft's documents for several tenants.

use hallpass::security::oidc::{Identity, Issuer, KeySet, OidcError, ProviderMetadata, verify_id_token};
use serde_json::{Value, json};

use crate::support::{P256, expected, key_set, metadata_json, token_with};

const TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
const OTHER_TENANT: &str = "f8cdef31-a31e-4b4a-93e4-5f571e91255a";
const TEMPLATE: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";

fn issuer_of(tenant: &str) -> String {
    TEMPLATE.replace("{tenantid}", tenant)
}

fn metadata(announced: &str, configured: &str) -> Result<ProviderMetadata, OidcError> {
    ProviderMetadata::parse(metadata_json(&json!({ "issuer": announced })).to_string().as_bytes(), configured)
}

fn several_tenants() -> Issuer {
    metadata(TEMPLATE, "https://login.microsoftonline.com/common/v2.0").unwrap().issuer
}

fn verify_by(keys: &KeySet, claims: &Value) -> Result<Identity, OidcError> {
    let token = token_with(|token| {
        for (name, value) in claims.as_object().unwrap() {
            token.claims[name] = value.clone();
        }
    });
    let issuer = several_tenants();
    verify_id_token(&token.into(), keys, expected(&issuer))
}

/// With a key for all tenants.
fn verify(claims: &Value) -> Result<Identity, OidcError> {
    verify_by(&key_set(&[P256.jwk("ES256")]), claims)
}

#[test]
fn issuer_of_a_token_is_that_of_its_tenant() {
    let identity = verify(&json!({ "iss": issuer_of(TENANT), "tid": TENANT })).unwrap();
    assert_eq!(identity.issuer, issuer_of(TENANT));
    for issuer in [
        issuer_of(OTHER_TENANT),
        TEMPLATE.to_owned(),
        "https://login.microsoftonline.com/common/v2.0".to_owned(),
        format!("{}/", issuer_of(TENANT)),
        format!("https://attacker.example/{TENANT}/v2.0"),
    ] {
        assert_eq!(verify(&json!({ "iss": issuer, "tid": TENANT })), Err(OidcError::Issuer), "{issuer}");
    }
}

#[test]
fn tenant_is_a_uuid() {
    for tenant in [
        "common",
        "",
        "{tenantid}",
        "9188040D-6C67-4C5B-B112-36A304B66DAD",
        "9188040d6c674c5bb11236a304b66dad",
        "{9188040d-6c67-4c5b-b112-36a304b66dad}",
        "x/9188040d-6c67-4c5b-b112-36a304b66dad",
    ] {
        let claims = json!({ "iss": issuer_of(tenant), "tid": tenant });
        assert_eq!(verify(&claims), Err(OidcError::Claim("tid")), "{tenant}");
    }
    assert_eq!(verify(&json!({ "iss": issuer_of(TENANT) })), Err(OidcError::Claim("tid")));
}

#[test]
fn key_of_one_tenant_does_not_sign_for_another() {
    let keys = |issuer: &str| {
        let mut key = P256.jwk("ES256");
        key["issuer"] = issuer.into();
        key_set(&[key])
    };
    let claims = json!({ "iss": issuer_of(TENANT), "tid": TENANT });
    assert!(verify_by(&keys(TEMPLATE), &claims).is_ok());
    assert!(verify_by(&keys(&issuer_of(TENANT)), &claims).is_ok());
    for issuer in [&issuer_of(OTHER_TENANT), "https://login.microsoftonline.us/{tenantid}/v2.0", ""] {
        assert_eq!(verify_by(&keys(issuer), &claims), Err(OidcError::Issuer), "{issuer}");
    }
}

#[test]
fn template_is_accepted_for_the_known_documents_only() {
    for host in ["login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn"] {
        for path in ["common", "organizations"] {
            let template = format!("https://{host}/{{tenantid}}/v2.0");
            let issuer = metadata(&template, &format!("https://{host}/{path}/v2.0")).unwrap().issuer;
            assert_eq!(issuer, Issuer::MicrosoftTenant(template));
        }
    }
    for (announced, configured) in [
        (TEMPLATE, "https://login.microsoftonline.us/common/v2.0".to_owned()),
        (TEMPLATE, "https://login.microsoftonline.com/common".to_owned()),
        (TEMPLATE, issuer_of("consumers")),
        (TEMPLATE, issuer_of(TENANT)),
        ("https://id.example.org/{tenantid}/v2.0", "https://id.example.org/common/v2.0".to_owned()),
        ("https://login.microsoftonline.com/{tenantid}", "https://login.microsoftonline.com/common/v2.0".to_owned()),
    ] {
        assert_eq!(metadata(announced, &configured), Err(OidcError::Metadata("issuer")), "{announced} {configured}");
    }
}

#[test]
fn document_of_one_tenant_has_an_exact_issuer() {
    let issuer = metadata(&issuer_of(TENANT), &issuer_of(TENANT)).unwrap().issuer;
    assert_eq!(issuer, Issuer::Exact(issuer_of(TENANT)));
    let keys = key_set(&[P256.jwk("ES256")]);
    let token = |tenant: &str| {
        let token = token_with(|token| {
            token.claims["iss"] = issuer_of(tenant).into();
            token.claims["tid"] = tenant.into();
        });
        verify_id_token(&token.into(), &keys, expected(&issuer))
    };
    assert!(token(TENANT).is_ok());
    assert_eq!(token(OTHER_TENANT), Err(OidcError::Issuer));
}
