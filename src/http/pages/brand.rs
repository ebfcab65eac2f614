//! The brand of the pages: name, logo and color.

use axum::http::HeaderValue;
use minijinja::{Value, context};

use crate::config::{BrandSettings, Color};

const STYLE: &str = include_str!("style.css");

/// The backgrounds of links: `--card` of the style, in light and dark.
const LIGHT: Color = Color::WHITE;
const DARK: Color = Color::new(0x1e, 0x21, 0x29);

/// The values of the layout.
pub(super) fn values(brand: &BrandSettings) -> Value {
    context! { brand_name => &brand.name, brand_logo => &brand.logo_url }
}

/// The style sheet.
pub(super) fn style(brand: &BrandSettings) -> String {
    let colors = brand.color.map(|color| {
        let (text, light, dark) = (color.text_on_it(), color.readable_on(LIGHT), color.readable_on(DARK));
        format!(
            "\n:root {{\n  --accent: {color};\n  --on-accent: {text};\n  --link: {light};\n}}\n\n\
             @media (prefers-color-scheme: dark) {{\n  :root {{\n    --link: {dark};\n  }}\n}}\n"
        )
    });
    format!("{STYLE}{}", colors.unwrap_or_default())
}

/// A policy that also allows the image of the logo. Without one, only images in `data:` URLs are allowed.
pub(super) fn policy(brand: &BrandSettings, policy: &'static str) -> HeaderValue {
    let with_logo = brand.logo_url.as_ref().map(|url| policy.replace("img-src data:", &format!("img-src data: {url}")));
    // A URL is ASCII. If it were not, the image would not be shown.
    with_logo.and_then(|policy| HeaderValue::from_str(&policy).ok()).unwrap_or_else(|| HeaderValue::from_static(policy))
}
