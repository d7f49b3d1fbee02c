//! Forms, as browsers without scripts send them.
//!
//! Invariant: a field that comes twice counts as empty, so that no two readers see different ones.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, header};
use percent_encoding::percent_decode_str;
use secrecy::SecretString;

/// The type of a form's body.
const MEDIA: &str = "application/x-www-form-urlencoded";

/// A form's fields.
#[derive(Default)]
pub(crate) struct Form(BTreeMap<String, String>);

/// Whether a body is a form.
pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    media.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(MEDIA)
}

impl Form {
    /// Reads a body.
    pub(crate) fn read(body: &[u8]) -> Self {
        let body = String::from_utf8_lossy(body);
        let plain = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
        let mut fields = BTreeMap::new();
        for pair in body.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = plain(value);
            fields.entry(plain(name)).and_modify(String::clear).or_insert(value);
        }
        Self(fields)
    }

    /// A field; empty where it is absent.
    pub(crate) fn text(&self, name: &str) -> String {
        self.0.get(name).cloned().unwrap_or_default()
    }

    /// A field that nobody else may see.
    pub(crate) fn secret(&self, name: &str) -> SecretString {
        self.text(name).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_browsers_write_them() {
        let form = Form::read(b"email=ann%2Bx%40example.com&name=Ann+Lee&empty=&twice=1&twice=2&bare");
        assert_eq!(form.text("email"), "ann+x@example.com");
        assert_eq!(form.text("name"), "Ann Lee");
        for name in ["empty", "twice", "bare", "absent"] {
            assert_eq!(form.text(name), "", "{name}");
        }
    }
}
