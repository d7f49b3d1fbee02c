//! The query of a page's address: read leniently, and written anew with something else in it.
//!
//! Invariant: what is written reads back as the same.

use axum::http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What stands in a query as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b':');
/// The longest value that is heeded.
const LONGEST: usize = 8 * 1024;

/// What a page is asked with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked(Vec<(String, String)>);

impl Asked {
    /// The query of an address.
    pub(crate) fn of(uri: &Uri) -> Self {
        let plain = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
        let pairs = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let read = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (plain(name), plain(value))
        };
        let fits = |(name, value): &(String, String)| name.len() < 64 && value.len() < LONGEST;
        Self(pairs.map(read).filter(fits).collect())
    }

    /// A value; none where it is absent or empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(own, value)| own == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    /// Every value of a name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// Everything but these names.
    pub(crate) fn without(&self, names: &[&str]) -> Self {
        Self(self.0.iter().filter(|(name, _)| !names.contains(&name.as_str())).cloned().collect())
    }

    /// The same with another value of a name; an empty one leaves the name out.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut pairs = self.without(&[name]);
        if !value.is_empty() {
            pairs.0.push((name.to_owned(), value.to_owned()));
        }
        pairs
    }

    /// The same with one more value of a name.
    pub(crate) fn and(&self, name: &str, value: &str) -> Self {
        let mut pairs = self.but(name, value);
        pairs.0.push((name.to_owned(), value.to_owned()));
        pairs
    }

    /// The same without this value of a name.
    pub(crate) fn but(&self, name: &str, value: &str) -> Self {
        Self(self.0.iter().filter(|(own, held)| own != name || held != value).cloned().collect())
    }

    /// Only these names.
    pub(crate) fn only(&self, names: &[&str]) -> Self {
        Self(self.0.iter().filter(|(name, _)| names.contains(&name.as_str())).cloned().collect())
    }

    /// The pairs, for fields of a form that nobody sees.
    pub(crate) fn pairs(&self) -> Vec<(String, String)> {
        self.0.clone()
    }

    /// An address with this query.
    pub(crate) fn at(&self, path: &str) -> String {
        let quoted = |text: &str| utf8_percent_encode(text, PLAIN).to_string();
        let pairs: Vec<String> =
            self.0.iter().map(|(name, value)| format!("{}={}", quoted(name), quoted(value))).collect();
        if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
    }
}

/// One segment of a path.
pub(crate) fn segment(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_reads_back_as_it_was_written() {
        let asked = Asked::default().with("q", "a&b=c d/ü").with("cols", "name");
        let uri: Uri = asked.at("/apps").parse().unwrap();
        assert_eq!(Asked::of(&uri), asked);
        assert_eq!(Asked::of(&uri).with("q", "").at("/apps"), "/apps?cols=name");
        assert_eq!(Asked::of(&"/apps?q=".parse().unwrap()).get("q"), None);
    }
}
