//! Readable device names from user agents.

/// Substrings of user agents and the browsers they identify. The first match wins, because browsers also list the names
/// of browsers that they are compatible with.
const BROWSERS: &[(&str, &str)] = &[
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("YaBrowser/", "Yandex Browser"),
    ("Vivaldi/", "Vivaldi"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

const SYSTEMS: &[(&str, &str)] = &[
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// Maximum length of a product name that is not in the lists, in characters.
const MAX_NAME_LENGTH: usize = 40;

/// A readable name from a user agent: `Firefox on Linux`, `curl`. It helps users to recognize their own devices. The
/// client chooses the header, so the name proves nothing.
#[must_use]
pub fn device(user_agent: Option<&str>) -> String {
    let user_agent = user_agent.unwrap_or_default();
    let find =
        |list: &[(&str, &'static str)]| list.iter().find(|(part, _)| user_agent.contains(part)).map(|(_, name)| *name);
    match (find(BROWSERS), find(SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, system) => match (program(user_agent), system) {
            (Some(program), Some(system)) => format!("{program} on {system}"),
            (Some(program), None) => program,
            (None, Some(system)) => system.to_owned(),
            (None, None) => "Unknown device".to_owned(),
        },
    }
}

/// The first product of a user agent that is not a browser: `okhttp` for `okhttp/4.12.0`.
fn program(user_agent: &str) -> Option<String> {
    let product = user_agent.split(['/', ' ', '(', ';']).next().unwrap_or_default();
    let name: String =
        product.chars().filter(|c| c.is_alphanumeric() || "._-".contains(*c)).take(MAX_NAME_LENGTH).collect();
    (!name.is_empty() && name != "Mozilla").then_some(name)
}

#[cfg(test)]
mod tests {
    use crate::domain::sessions::device::device;

    #[test]
    fn user_agents_become_readable_names() {
        let named = |user_agent| device(Some(user_agent));
        for (user_agent, expected) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
                "Safari on macOS",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/142.0 Mobile/15E148 Safari/604.1",
                "Chrome on iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 15; SM-S931B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
                "Samsung Internet on Android",
            ),
            ("okhttp/4.12.0", "okhttp"),
            ("curl/8.11.0", "curl"),
            ("MyApp/3 (Android 15)", "MyApp on Android"),
            ("Mozilla/5.0 (Linux)", "Linux"),
            ("Mozilla/5.0", "Unknown device"),
            ("<script>alert(1)</script>", "scriptalert"),
            ("", "Unknown device"),
        ] {
            assert_eq!(named(user_agent), expected, "{user_agent}");
        }
        assert_eq!(device(None), "Unknown device");
        assert_eq!(named(&"x".repeat(500)).len(), 40);
    }
}
