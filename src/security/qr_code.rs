//! QR codes as SVG images.

use std::fmt::Write as _;

use qrcodegen::{QrCode, QrCodeEcc};

use crate::{
    Error, Result,
    config::{ExposeSecret, SecretString},
};

/// Width of the empty border that scanners need, in modules (ISO/IEC 18004).
const QUIET_ZONE: i32 = 4;

/// Size of a module in pixels, unless the page sets another size for the image.
const PIXELS: i32 = 5;

/// Renders a text as a QR code. The image has a white background, because scanners do not recognize a code whose dark modules
/// are on a dark page.
///
/// # Errors
/// Internal if the text is too long for a QR code.
pub fn to_svg(text: &SecretString) -> Result<SecretString> {
    let code = QrCode::encode_text(text.expose_secret(), QrCodeEcc::Medium).map_err(Error::internal)?;
    let size = code.size() + 2 * QUIET_ZONE;
    let pixels = size * PIXELS;
    let path = dark_modules(&code);
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{pixels}\" height=\"{pixels}\" viewBox=\"0 0 {size} {size}\" \
         shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{size}v{size}H0z\"/><path fill=\"#000\" \
         d=\"{path}\"/></svg>"
    )
    .into())
}

/// The path around the dark modules: one rectangle for each horizontal run.
fn dark_modules(code: &QrCode) -> String {
    let mut path = String::new();
    for y in 0..code.size() {
        let mut start = None;
        for x in 0..=code.size() {
            // Modules outside of the code are light.
            match (code.get_module(x, y), start) {
                (true, None) => start = Some(x),
                (false, Some(first)) => {
                    let width = x - first;
                    let (x, y) = (first + QUIET_ZONE, y + QUIET_ZONE);
                    // Writing to a string cannot fail.
                    let _ = write!(path, "M{x} {y}h{width}v1h-{width}z");
                    start = None;
                }
                _ => {}
            }
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_has_a_white_background_with_a_quiet_zone() {
        let svg = to_svg(&"otpauth://totp/a:b?secret=GEZDGNBV".into()).unwrap();
        let svg = svg.expose_secret();
        // Version 3 has 29 modules on each side.
        assert!(svg.contains("viewBox=\"0 0 37 37\""), "{svg}");
        assert!(svg.contains("<path fill=\"#fff\" d=\"M0 0h37v37H0z\"/>"), "{svg}");
        // The finder pattern in the upper left corner, 7 modules wide.
        assert!(svg.contains("d=\"M4 4h7v1h-7z"), "{svg}");
    }

    #[test]
    fn path_covers_exactly_the_dark_modules() {
        let code = QrCode::encode_text("hallpass", QrCodeEcc::Medium).unwrap();
        let dark = (0..code.size()).flat_map(|y| (0..code.size()).map(move |x| (x, y)));
        let dark = dark.filter(|(x, y)| code.get_module(*x, *y)).count();
        let path = dark_modules(&code);
        let widths = path.split('h').skip(1).filter_map(|run| run.split('v').next()?.parse::<usize>().ok());
        assert_eq!(widths.sum::<usize>(), dark);
    }

    #[test]
    fn a_text_that_is_too_long_is_an_error() {
        assert!(to_svg(&"a".repeat(3000).into()).is_err());
    }
}
