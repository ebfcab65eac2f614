//! The settings of providers.

use hallpass::config::{
    EffectiveSetting, ExposeSecret, ProviderKind, ProviderSettings, Settings, Source, Variable, provider_declarations,
};

const GOOGLE: [(&str, &str); 3] =
    [("OIDC_PROVIDERS", "google"), ("GOOGLE_CLIENT_ID", "google-id"), ("GOOGLE_CLIENT_SECRET", "google-secret")];

/// Settings of a provider that has no preset.
const ACME: [(&str, &str); 4] = [
    ("OIDC_PROVIDERS", "acme"),
    ("ACME_CLIENT_ID", "acme-id"),
    ("ACME_CLIENT_SECRET", "acme-secret"),
    ("ACME_ISSUER", "https://id.acme.example/tenant/"),
];

fn read(variables: &[(&str, &str)]) -> Result<(Settings, Vec<EffectiveSetting>), Vec<String>> {
    let variables = variables.iter().map(|(name, value)| Variable {
        name: (*name).to_owned(),
        value: (*value).to_owned(),
        source: Source::Environment,
    });
    Settings::read(variables).map_err(|error| error.0)
}

/// The providers with some variables replaced or added.
fn with(base: &[(&'static str, &'static str)], changes: &[(&str, &str)]) -> Result<Vec<ProviderSettings>, Vec<String>> {
    read(&[changes, base].concat()).map(|(settings, _)| settings.providers)
}

fn mistakes(base: &[(&'static str, &'static str)], changes: &[(&str, &str)]) -> Vec<String> {
    with(base, changes).unwrap_err()
}

/// The settings of a provider that has a preset.
fn preset(id: &str, changes: &[(&str, &str)]) -> ProviderSettings {
    let prefix = id.to_uppercase();
    let [client_id, secret] = ["CLIENT_ID", "CLIENT_SECRET"].map(|name| format!("{prefix}_{name}"));
    let variables = [("OIDC_PROVIDERS", id), (&client_id, "id"), (&secret, "secret")];
    let mut providers = read(&[changes, &variables].concat()).unwrap().0.providers;
    assert_eq!(providers.len(), 1);
    providers.remove(0)
}

fn openid(issuer: &str) -> ProviderKind {
    ProviderKind::OpenId { issuer: issuer.to_owned() }
}

#[test]
fn there_are_no_providers_by_default() {
    assert!(read(&[]).unwrap().0.providers.is_empty());
}

#[test]
fn presets_need_only_id_and_secret() {
    for (id, name, kind, trusts_email) in [
        ("google", "Google", openid("https://accounts.google.com"), true),
        ("gitlab", "GitLab", openid("https://gitlab.com"), true),
        ("microsoft", "Microsoft", openid("https://login.microsoftonline.com/common/v2.0"), false),
        ("github", "GitHub", ProviderKind::GitHub { address: "https://github.com".into() }, true),
    ] {
        let provider = preset(id, &[]);
        assert_eq!((provider.id.as_str(), provider.name.as_str(), &provider.kind), (id, name, &kind));
        assert_eq!((provider.client_id.as_str(), provider.client_secret.expose_secret()), ("id", "secret"));
        assert_eq!(provider.trusts_email, trusts_email, "{id}");
        let scopes = if id == "github" { "read:user user:email" } else { "openid email profile" };
        assert_eq!(provider.scopes.join(" "), scopes);
        let callback = format!("https://accounts.example.org/auth/{id}/callback");
        assert_eq!(provider.callback_url("https://accounts.example.org"), callback);
    }
}

#[test]
fn other_provider_needs_an_issuer() {
    let provider = &with(&ACME, &[]).unwrap()[0];
    assert_eq!(provider.kind, openid("https://id.acme.example/tenant/"));
    assert_eq!((provider.name.as_str(), provider.trusts_email), ("acme", false));
    assert_eq!(
        mistakes(&ACME, &[("ACME_ISSUER", "")]),
        ["ACME_ISSUER: expected the issuer of the provider, got nothing"]
    );
}

#[test]
fn missing_settings_are_reported_together() {
    let expected = [
        "ACME_CLIENT_ID: expected the id of this client at the provider, got nothing",
        "ACME_CLIENT_SECRET: expected the secret of this client at the provider, got nothing",
        "ACME_ISSUER: expected the issuer of the provider, got nothing",
    ];
    assert_eq!(mistakes(&[("OIDC_PROVIDERS", "acme")], &[]), expected);
}

#[test]
fn each_provider_has_settings_of_its_own() {
    let variables = [
        ("OIDC_PROVIDERS", "acme, acme-eu"),
        ("ACME_EU_CLIENT_ID", "eu-id"),
        ("ACME_EU_CLIENT_SECRET", "eu-secret"),
        ("ACME_EU_ISSUER", "https://id.acme.eu"),
        ("ACME_EU_NAME", "Acme Europe"),
        ("ACME_EU_SCOPES", "openid, email offline_access"),
        ("ACME_EU_TRUST_EMAIL", "true"),
    ];
    let providers = with(&ACME, &variables).unwrap();
    assert_eq!([providers[0].client_id.as_str(), &providers[1].client_id], ["acme-id", "eu-id"]);
    assert_eq!([providers[0].name.as_str(), &providers[1].name], ["acme", "Acme Europe"]);
    assert_eq!(providers[1].scopes, ["openid", "email", "offline_access"]);
    assert_eq!([providers[0].trusts_email, providers[1].trusts_email], [false, true]);
}

#[test]
fn settings_of_a_provider_that_is_not_listed_are_ignored() {
    let variables = [("OTHER_CLIENT_ID", "x"), ("OTHER_ISSUER", "not an address")];
    assert_eq!(with(&ACME, &variables).unwrap().len(), 1);
}

#[test]
fn ids_are_lower_case_words() {
    let long = "a".repeat(33);
    let many = (0..17).map(|number| format!("p{number}")).collect::<Vec<_>>().join(",");
    for ids in ["Acme", "1acme", "-acme", "a_b", "a b", "a/b", "é", "acme,", "acme,acme", ",", &long, &many] {
        let mistakes = mistakes(&[], &[("OIDC_PROVIDERS", ids)]);
        assert!(mistakes[0].starts_with("OIDC_PROVIDERS: expected ids of a-z, 0-9 and -, "), "{ids}: {mistakes:?}");
    }
}

#[test]
fn ids_of_other_pages_are_refused() {
    for id in ["verify", "callback", "login", "logout", "token", "register", "link", "error"] {
        let mistakes = mistakes(&[], &[("OIDC_PROVIDERS", id)]);
        assert!(mistakes[0].starts_with("OIDC_PROVIDERS: expected other ids than callback, "), "{mistakes:?}");
        assert!(mistakes[0].ends_with(&format!("got \"{id}\"")), "{mistakes:?}");
    }
}

#[test]
fn issuer_is_an_https_address() {
    for issuer in [
        "id.acme.example",
        "http://id.acme.example",
        "https://",
        "https://id.acme.example?a=b",
        "https://id.acme.example#a",
        "https://user@id.acme.example",
        "HTTPS://id.acme.example",
        "ftp://id.acme.example",
        "https://id.acme.example/a b",
    ] {
        let mistakes = mistakes(&ACME, &[("ACME_ISSUER", issuer)]);
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        assert!(mistakes[0].starts_with("ACME_ISSUER: expected an https address"), "{mistakes:?}");
    }
}

#[test]
fn http_issuer_is_accepted_on_this_machine_while_local() {
    let issuer = ("ACME_ISSUER", "http://127.0.0.1:4000");
    assert_eq!(with(&ACME, &[issuer]).unwrap()[0].kind, openid("http://127.0.0.1:4000"));
    let public = [
        issuer,
        ("PUBLIC_URL", "https://accounts.example.org"),
        ("SECRET_KEY", "a secret that is for the tests only: 4c1f"),
    ];
    assert!(mistakes(&ACME, &public)[0].starts_with("ACME_ISSUER: expected an https address"));
}

#[test]
fn preset_with_another_issuer_is_not_trusted() {
    let gitlab = preset("gitlab", &[("GITLAB_ISSUER", "https://git.example.org")]);
    assert_eq!((gitlab.kind, gitlab.trusts_email), (openid("https://git.example.org"), false));
    let github = preset("github", &[("GITHUB_ISSUER", "https://git.example.org/")]);
    assert_eq!(github.kind, ProviderKind::GitHub { address: "https://git.example.org".into() });
    assert!(!github.trusts_email);
    assert!(
        preset("gitlab", &[("GITLAB_ISSUER", "https://git.example.org"), ("GITLAB_TRUST_EMAIL", "true")]).trusts_email
    );
    assert!(!preset("google", &[("GOOGLE_TRUST_EMAIL", "false")]).trusts_email);
    let tenant = "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0";
    assert!(!preset("microsoft", &[("MICROSOFT_ISSUER", tenant)]).trusts_email);
    // The address of Google under another id.
    assert!(!with(&ACME, &[("ACME_ISSUER", "https://accounts.google.com")]).unwrap()[0].trusts_email);
}

#[test]
fn scopes_contain_openid_except_for_github() {
    for scopes in ["email", "profile,email", ",", "openid \"x\"", "openid \u{e9}"] {
        let mistakes = mistakes(&ACME, &[("ACME_SCOPES", scopes)]);
        assert!(mistakes[0].starts_with("ACME_SCOPES: expected names separated by"), "{scopes}: {mistakes:?}");
    }
    assert_eq!(preset("github", &[("GITHUB_SCOPES", "user:email")]).scopes, ["user:email"]);
}

#[test]
fn id_and_secret_have_no_spaces() {
    assert!(
        mistakes(&GOOGLE, &[("GOOGLE_CLIENT_ID", "google id")])[0]
            .starts_with("GOOGLE_CLIENT_ID: expected the id of this client")
    );
    for secret in ["hunter2 hunter2", "hunter2\u{e9}", &"hunter2".repeat(80)] {
        let mistakes = mistakes(&ACME, &[("ACME_CLIENT_SECRET", secret)]);
        assert!(mistakes[0].starts_with("ACME_CLIENT_SECRET: expected the secret of this client"), "{mistakes:?}");
        assert!(mistakes.len() == 1 && !mistakes[0].contains("hunter2"), "{mistakes:?}");
    }
}

#[test]
fn secret_may_be_in_a_file() {
    let path = std::env::temp_dir().join(format!("hallpass_provider_secret_{}", std::process::id()));
    std::fs::write(&path, "from-a-file\n").unwrap();
    let file = ("ACME_CLIENT_SECRET_FILE", path.to_str().unwrap());
    let provider = with(&ACME, &[("ACME_CLIENT_SECRET", ""), file]).unwrap().remove(0);
    assert_eq!(provider.client_secret.expose_secret(), "from-a-file");
    let both = mistakes(&ACME, &[file]);
    assert!(both[0].starts_with("ACME_CLIENT_SECRET: expected only one of"), "{both:?}");
    std::fs::remove_file(path).unwrap();
}

#[test]
fn effective_settings_have_the_names_of_the_providers_and_no_secrets() {
    let (settings, effective) = read(&ACME).unwrap();
    let found: Vec<_> = effective.iter().filter(|setting| setting.name.starts_with("ACME_")).collect();
    assert_eq!(found.len(), provider_declarations().len());
    let value = |name: &str| found.iter().find(|setting| setting.name == name).map(|setting| setting.value.as_str());
    assert_eq!(value("ACME_CLIENT_ID"), Some("acme-id"));
    assert_eq!(value("ACME_CLIENT_SECRET"), Some("(secret)"));
    assert_eq!(value("ACME_SCOPES"), Some("openid email profile"));
    assert_eq!(value("ACME_TRUST_EMAIL"), Some("false"));
    assert!(!effective.iter().any(|setting| setting.name.contains('<')));
    assert!(!format!("{settings:?} {effective:?}").contains("acme-secret"));
}

#[test]
fn issuer_of_a_preset_is_shown() {
    let (_, effective) = read(&GOOGLE).unwrap();
    let issuer = effective.iter().find(|setting| setting.name == "GOOGLE_ISSUER").unwrap();
    assert_eq!((issuer.value.as_str(), issuer.source), ("https://accounts.google.com", Source::Default));
}
