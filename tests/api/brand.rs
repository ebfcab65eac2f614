//! The brand on the pages. The templates of mails have tests of their own.

use axum::{body::Body, http::Method};
use hallpass::{config::Settings, domain::identity::USERNAME_LENGTH};

use crate::support::{Answer, TestServer};

const BRAND: [(&str, &str); 3] =
    [("BRAND", "Ada & Sons"), ("BRAND_COLOR", "#FFCC00"), ("BRAND_LOGO_URL", "https://cdn.example.org/a;b/logo.png")];

fn read(variables: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::from_vars(variables).map_err(|mistakes| mistakes.0)
}

async fn branded(count: usize) -> TestServer {
    TestServer::with(|settings| settings.brand = read(&BRAND[..count]).unwrap().brand).await
}

#[tokio::test]
async fn authenticator_apps_and_passkeys_show_the_name() {
    for (count, name, issuer) in [(1, "Ada & Sons", "Ada%20%26%20Sons"), (0, "localhost", "localhost")] {
        let server = branded(count).await;
        let ada = server.user("ada").await;
        let answer = ada.query("mutation { startTotpEnrollment { otpauthUri } }").await;
        let uri = answer.data("/startTotpEnrollment/otpauthUri").as_str().unwrap().to_owned();
        assert!(
            uri.starts_with(&format!("otpauth://totp/{issuer}:ada?")) && uri.contains(&format!("&issuer={issuer}&")),
            "{uri}"
        );
        for query in [
            "mutation { started: startPasskeyRegistration { options } }",
            "mutation { started: startPasskeyRegistration(input: { username: \"eve\" }) { options } }",
        ] {
            let actor = if query.contains("eve") { &server.anonymous() } else { &ada };
            let options = actor.query(query).await.data("/started/options");
            assert_eq!((&options["rp"]["name"], &options["rp"]["id"]), (&name.into(), &"localhost".into()), "{query}");
        }
    }
}

#[tokio::test]
async fn longest_name_fits_into_the_qr_code() {
    let name = "\u{1f600}".repeat(64);
    let server = TestServer::with(|settings| settings.brand = read(&[("BRAND", &*name)]).unwrap().brand).await;
    let username = "a".repeat(*USERNAME_LENGTH.end());
    let user = server.user(&username).await;
    let answer = user.query("mutation { startTotpEnrollment { qrCodeSvg } }").await;
    assert!(answer.data("/startTotpEnrollment/qrCodeSvg").as_str().unwrap().starts_with("<svg"));
}

async fn open(server: &TestServer, path: &str) -> Answer {
    let actor = server.anonymous();
    let request = actor.request(Method::GET, path);
    actor.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn every_page_shows_the_logo_with_the_name_and_allows_only_its_url() {
    let server = branded(3).await;
    for path in ["/sign-in", "/sign-in?method=register", "/verify-email?token=x", "/reset-password"] {
        let page = open(&server, path).await;
        let image = page.text.split("<img ").nth(1).unwrap_or_else(|| panic!("{path}: {}", page.text));
        let image = image.split('>').next().unwrap().replace("&#x2f;", "/");
        let expected =
            "src=\"https://cdn.example.org/a%3Bb/logo.png\" alt=\"Ada &amp; Sons\" referrerpolicy=\"no-referrer\"";
        assert_eq!(image, expected, "{path}");
        assert!(page.text.contains(" – Ada &amp; Sons</title>"), "{}", page.text);
        let policy = page.header("content-security-policy").unwrap();
        let images = policy.split("; ").find(|directive| directive.starts_with("img-src")).unwrap();
        assert_eq!(images, "img-src data: https://cdn.example.org/a%3Bb/logo.png", "{path}");
    }
}

#[tokio::test]
async fn pages_show_the_name_if_there_is_no_logo_and_nothing_without_a_brand() {
    let page = open(&branded(1).await, "/sign-in").await;
    assert!(
        page.text.contains("<p class=\"brand\">Ada &amp; Sons</p>") && !page.text.contains("<img"),
        "{}",
        page.text
    );
    let page = open(&TestServer::start().await, "/sign-in").await;
    assert!(!page.text.contains("brand") && page.text.contains("<title>Sign in</title>"), "{}", page.text);
}

#[tokio::test]
async fn style_has_the_color_and_readable_text_and_links() {
    let style = open(&branded(2).await, "/pages/style.css").await.text;
    let colors = &style[style.rfind("--accent:").unwrap()..];
    assert!(colors.starts_with("--accent: #ffcc00;\n  --on-accent: #000000;\n  --link: #"), "{colors}");
    assert!(colors.contains("    --link: #ffcc00;") && !colors.contains("\n  --link: #ffcc00;"), "{colors}");
    let style = open(&TestServer::start().await, "/pages/style.css").await.text;
    assert!(style.contains("--accent: #3157d5;") && !style.contains("#ffcc00"));
}

#[test]
fn invalid_brand_is_a_mistake_that_says_what_is_expected() {
    for (name, value, expected) in [
        ("BRAND", "a\u{7}b", "BRAND: expected at most 64 characters on one line"),
        ("BRAND_COLOR", "red", "BRAND_COLOR: expected # and six hexadecimal digits, such as #3157d5, got \"red\""),
    ] {
        let mistakes = read(&[(name, value)]).unwrap_err();
        assert!(mistakes.len() == 1 && mistakes[0].starts_with(expected), "{mistakes:?}");
    }
    let mistakes = read(&[("BRAND", "Example"), ("BRAND_LOGO_URL", "http://example.org/logo.png")]).unwrap_err();
    assert!(mistakes.len() == 1 && mistakes[0].starts_with("BRAND_LOGO_URL: expected an https URL"), "{mistakes:?}");
    let mistakes = read(&[BRAND[2]]).unwrap_err();
    assert_eq!(mistakes, ["BRAND: required with BRAND_LOGO_URL, as the text of the image"]);
}
