//! The brand that mails and pages show: name, color and logo.

use std::fmt;

use url::{Host, Url};

use crate::config::{setting::Setting, vars::Vars};

const MAX_NAME_LENGTH: usize = 64;

/// The smallest contrast of text with its background (WCAG 2.2, level AA).
const MIN_CONTRAST: f64 = 4.5;

/// The brand of mails and pages.
#[derive(Clone, Debug, Default)]
pub struct BrandSettings {
    /// The name of the product or the organization.
    pub name: Option<String>,
    /// The color of buttons and links.
    pub color: Option<Color>,
    /// The https URL of an image with the logo. There is a name, too.
    pub logo_url: Option<String>,
}

impl BrandSettings {
    /// Declares and reads the settings of this section.
    pub(super) fn read(vars: &mut Vars) -> Self {
        vars.section("brand", "Brand");
        let name = Setting::new(
            "BRAND",
            "The name that mails, pages, authenticator apps and passkeys show. The sender of mails is `MAIL_FROM`. See \
             [Brand](email.md#brand).",
        )
        .example("Example")
        .text("at most 64 characters on one line", name)
        .read_optional(vars);
        let color = Setting::new(
            "BRAND_COLOR",
            "The color of buttons in mails and on pages. The text on it is black or white; links have the nearest shade that is \
             readable.",
        )
        .example("#3157d5")
        .text("`#` and six hexadecimal digits, such as `#3157d5`", Color::parse)
        .read_optional(vars);
        let logo_url = Setting::new(
            "BRAND_LOGO_URL",
            "An image that mails and pages show instead of the name, which is its alternative text. Its server learns the network \
             addresses of users.",
        )
        .example("https://example.org/logo.png")
        .text("an https URL without a query, such as `https://example.org/logo.png`", logo_url)
        .read_optional(vars);
        if vars.is_set("BRAND_LOGO_URL") && !vars.is_set("BRAND") {
            vars.mistake("BRAND: required with BRAND_LOGO_URL, as the text of the image");
        }
        Self { name, color, logo_url }
    }

    /// The name, or `host` without one.
    #[must_use]
    pub fn name_or<'a>(&'a self, host: &'a str) -> &'a str {
        self.name.as_deref().unwrap_or(host)
    }
}

fn name(text: &str) -> Option<String> {
    let is_valid = !text.is_empty() && text.chars().count() <= MAX_NAME_LENGTH && !text.chars().any(char::is_control);
    is_valid.then(|| text.to_owned())
}

/// Parses the URL. It can stand in a Content-Security-Policy: no query, no IPv6 address, and no separators.
fn logo_url(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_host = match url.host()? {
        Host::Domain(name) => name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)),
        Host::Ipv4(_) => true,
        Host::Ipv6(_) => false,
    };
    let is_bare =
        url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    (url.scheme() == "https" && is_host && is_bare)
        .then(|| url.as_str().replace(';', "%3B").replace(',', "%2C").replace('\'', "%27"))
}

/// A color in sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color([u8; 3]);

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl Color {
    /// Black.
    pub const BLACK: Self = Self([0; 3]);
    /// White.
    pub const WHITE: Self = Self([255; 3]);

    /// A color from its parts.
    #[must_use]
    pub const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self([red, green, blue])
    }

    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        let is_hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u32::from_str_radix(digits, 16).ok().filter(|_| is_hexadecimal)?;
        let [_, red, green, blue] = number.to_be_bytes();
        Some(Self([red, green, blue]))
    }

    /// The color of text on this background: black or white, of which one always has enough contrast.
    #[must_use]
    pub fn text_on_it(self) -> Self {
        if self.contrast(Self::WHITE) >= MIN_CONTRAST { Self::WHITE } else { Self::BLACK }
    }

    /// The nearest shade that is readable as text on a background.
    #[must_use]
    pub fn readable_on(self, background: Self) -> Self {
        let target = background.text_on_it();
        let shades = (0..=20).map(|step| self.mixed(target, step));
        shades.into_iter().find(|shade| shade.contrast(background) >= MIN_CONTRAST).unwrap_or(target)
    }

    /// This color with so many twentieths of another one.
    fn mixed(self, other: Self, twentieths: u16) -> Self {
        let mix = |own: u8, other: u8| {
            let mixed = (u16::from(own) * (20 - twentieths) + u16::from(other) * twentieths) / 20;
            u8::try_from(mixed).unwrap_or(other)
        };
        let ([red, green, blue], [other_red, other_green, other_blue]) = (self.0, other.0);
        Self([mix(red, other_red), mix(green, other_green), mix(blue, other_blue)])
    }

    /// The contrast ratio of two colors, from 1 to 21 (WCAG 2.2).
    fn contrast(self, other: Self) -> f64 {
        let (own, other) = (self.luminance(), other.luminance());
        (own.max(other) + 0.05) / (own.min(other) + 0.05)
    }

    /// The relative luminance (WCAG 2.2).
    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|channel| {
            let channel = f64::from(channel) / 255.0;
            if channel <= 0.04045 { channel / 12.92 } else { ((channel + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_on_any_color_and_links_of_any_color_are_readable() {
        let dark = Color::new(0x1e, 0x21, 0x29);
        let channels = || (0..=255).step_by(15);
        for red in channels() {
            for (green, blue) in channels().flat_map(|green| channels().map(move |blue| (green, blue))) {
                let color = Color::new(red, green, blue);
                assert!(color.contrast(color.text_on_it()) >= MIN_CONTRAST, "{color}");
                for background in [Color::WHITE, dark] {
                    assert!(color.readable_on(background).contrast(background) >= MIN_CONTRAST, "{color}");
                }
            }
        }
    }

    #[test]
    fn readable_color_is_not_changed() {
        let blue = Color::parse("#3157D5").unwrap();
        assert_eq!((blue.to_string().as_str(), blue.readable_on(Color::WHITE)), ("#3157d5", blue));
        assert_eq!(blue.text_on_it(), Color::WHITE);
        assert_eq!(Color::parse("#ffcc00").unwrap().text_on_it(), Color::BLACK);
    }

    #[test]
    fn other_colors_are_not_accepted() {
        for text in ["red", "#fff", "3157d5", "#3157d", "#3157d5f", "#+157d5", "#3157dg", "#3157d5;x", "#é157d"] {
            assert_eq!(Color::parse(text), None, "{text}");
        }
    }

    #[test]
    fn logo_is_one_source_of_a_policy() {
        for (text, expected) in [
            ("https://example.org/logo.png", Some("https://example.org/logo.png")),
            ("https://example.org/a b;c,d'e.png", Some("https://example.org/a%20b%3Bc%2Cd%27e.png")),
            ("http://example.org/logo.png", None),
            ("data:image/png;base64,AAAA", None),
            ("https://example.org/logo.png?size=1", None),
            ("https://user@example.org/logo.png", None),
            ("https://*.example.org/logo.png", None),
            ("https://[::1]/logo.png", None),
            ("logo.png", None),
        ] {
            assert_eq!(logo_url(text).as_deref(), expected, "{text}");
        }
    }
}
