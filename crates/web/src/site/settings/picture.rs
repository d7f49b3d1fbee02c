//! An address as a picture that a phone reads.
//!
//! Invariant: the picture is drawn here and stands in the page that shows it; no address leaves this program for it.

use std::fmt::Write as _;

use qrcodegen::{QrCode, QrCodeEcc};

/// The empty edge that readers need, in fields.
const EDGE: i32 = 4;

/// A picture of fields: its size, and the path that fills the dark ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::site) struct Picture {
    pub(in crate::site) size: i32,
    pub(in crate::site) path: String,
}

/// The picture of a text; none for one that is too long.
pub(in crate::site) fn picture(text: &str) -> Option<Picture> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let mut path = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            // Writing to memory does not fail.
            let _written = write!(path, "M{},{}h1v1h-1z", x + EDGE, y + EDGE);
        }
    }
    Some(Picture { size: code.size() + 2 * EDGE, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_its_three_corners_and_an_edge() {
        let picture = picture("otpauth://totp/Metsuke:ann%40example.com?secret=ABC&issuer=Metsuke").unwrap();
        let last = picture.size - EDGE - 1;
        for (x, y) in [(EDGE, EDGE), (last, EDGE), (EDGE, last)] {
            assert!(picture.path.contains(&format!("M{x},{y}h1")), "{x},{y}");
        }
        assert!(!picture.path.contains("M3,") && !picture.path.contains(&format!("M{},", last + 1)));
        assert_eq!(super::picture(&"x".repeat(5_000)), None);
    }
}
