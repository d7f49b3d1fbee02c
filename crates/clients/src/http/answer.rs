//! An answer as it came: the headers that matter, and the body unread.
//!
//! It does not know which body was expected.
//!
//! Invariant: a header that cannot be understood is as good as absent, except `Next-Range`, whose
//! absence would mean that the list is complete.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use super::text::Cleaner;
use crate::error::Answer;

/// What a server answered.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    /// The header as sent; an undecodable one is empty.
    pub(crate) next_range: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) scopes: Option<Vec<String>>,
    pub(crate) remaining: Option<u32>,
    accepted_scopes: Option<Vec<String>>,
    retry_after: Option<Duration>,
}

impl Reply {
    pub(crate) fn from_head(status: u16, headers: &HeaderMap, cleaner: &Cleaner) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let words = |name: &str| {
            let clean = |word: &str| cleaner.message(word);
            text(name).map(|list| list.split([' ', ',']).filter(|w| !w.is_empty()).map(clean).collect())
        };
        Self {
            status,
            body: Vec::new(),
            next_range: headers
                .get("next-range")
                .map(|value| value.to_str().unwrap_or_default().trim().into()),
            request_id: text("request-id").map(|id| cleaner.message(id)),
            scopes: words("oauth-scope"),
            remaining: text("ratelimit-remaining").and_then(|count| count.trim().parse().ok()),
            accepted_scopes: words("oauth-scope-accepted"),
            retry_after: retry_after(headers),
        }
    }

    /// The refusal this answer is, with Heroku's id and message if the body has them.
    pub(crate) fn refusal(self, cleaner: &Cleaner) -> Answer {
        let (id, message) = match serde_json::from_slice::<serde_json::Value>(&self.body) {
            Ok(serde_json::Value::Object(object)) => {
                let text = |key: &str| object.get(key).and_then(|value| value.as_str());
                (text("id").map(|id| cleaner.message(id)), text("message").map(|text| cleaner.message(text)))
            }
            _ => (None, Some(cleaner.excerpt(&self.body))),
        };
        Answer {
            status: self.status,
            id,
            message: message.filter(|text| !text.is_empty()),
            request_id: self.request_id,
            accepted_scopes: self.accepted_scopes.unwrap_or_default(),
            token_scopes: self.scopes.unwrap_or_default(),
            retry_after: self.retry_after,
        }
    }
}

/// Seconds, or a date, which is measured against the server's own clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let now = http_date(headers.get(DATE)?.to_str().ok()?)?;
    let until = http_date(text)?;
    Some(Duration::from_secs(u64::try_from(until.as_second() - now.as_second()).unwrap_or(0)))
}

/// A date as HTTP writes it.
pub(crate) fn http_date(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;
    use secrecy::SecretString;

    fn reply(headers: &[(&'static str, &'static str)]) -> Reply {
        let headers =
            headers.iter().map(|(k, v)| (k.parse().unwrap(), HeaderValue::from_static(v))).collect();
        Reply::from_head(200, &headers, &Cleaner::new(SecretString::from("secret")))
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(reply(&[("retry-after", "7")]).retry_after, Some(Duration::from_secs(7)));
        let date =
            [("retry-after", "Wed, 21 Oct 2015 07:28:30 GMT"), ("date", "Wed, 21 Oct 2015 07:28:00 GMT")];
        assert_eq!(reply(&date).retry_after, Some(Duration::from_secs(30)));
        let past =
            [("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT"), ("date", "Wed, 21 Oct 2015 07:28:30 GMT")];
        assert_eq!(reply(&past).retry_after, Some(Duration::ZERO));
        assert_eq!(reply(&[("retry-after", "soon")]).retry_after, None);
    }

    #[test]
    fn headers_are_found_in_any_case() {
        let reply = reply(&[("RateLimit-Remaining", "42"), ("Oauth-Scope", "global, read")]);
        assert_eq!(reply.remaining, Some(42));
        assert_eq!(reply.scopes, Some(vec!["global".to_owned(), "read".to_owned()]));
    }

    #[test]
    fn an_unreadable_cursor_is_not_an_absent_one() {
        let headers = [("next-range".parse().unwrap(), HeaderValue::from_bytes(b"id ]\xff..").unwrap())];
        let cleaner = Cleaner::new(SecretString::from("secret"));
        let reply = Reply::from_head(206, &headers.into_iter().collect(), &cleaner);
        assert_eq!(reply.next_range.as_deref(), Some(""));
    }
}
