//! Cookies: what ours are called, reading them, and setting them.
//!
//! What they hold is made and judged elsewhere.
//!
//! Invariant: no cookie of ours can be read by scripts or sent along from other sites' forms. Over https its name says that
//! nobody else, such as a neighbouring host, has set it. One that comes twice counts as absent.

use axum::http::{HeaderMap, header};
use secrecy::{ExposeSecret as _, SecretString};

use crate::answer::Answer;
use crate::place::Place;

/// One of our cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// The session that somebody is in.
    Session,
    /// The browser, as one in which somebody has signed in before.
    Device,
    /// The question to a provider of identities that is under way.
    Question,
    /// The look that somebody has chosen; nobody's secret.
    Theme,
}

impl Cookie {
    const fn word(self) -> &'static str {
        match self {
            Self::Session => "metsuke_session",
            Self::Device => "metsuke_device",
            Self::Question => "metsuke_question",
            Self::Theme => "metsuke_theme",
        }
    }

    /// How long a browser keeps it, in seconds; the server has its own mind about that.
    const fn kept(self) -> u32 {
        match self {
            Self::Session => 12 * 3_600,
            Self::Device => 180 * 24 * 3_600,
            Self::Question => 10 * 60,
            Self::Theme => 365 * 24 * 3_600,
        }
    }

    fn name(self, place: &Place) -> String {
        // Source: RFC 6265bis 4.1.3.2: such a cookie is secure, of this host alone, and for all paths.
        let prefix = if place.is_secure() { "__Host-" } else { "" };
        format!("{prefix}{}", self.word())
    }

    /// What a request brings of it.
    pub(crate) fn read(self, place: &Place, headers: &HeaderMap) -> Option<SecretString> {
        let name = self.name(place);
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut found = lines
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(own, _)| *own == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(value.into()),
            _ => None,
        }
    }

    /// The same, of what is nobody's secret.
    pub(crate) fn plain(self, place: &Place, headers: &HeaderMap) -> Option<String> {
        self.read(place, headers).map(|value| value.expose_secret().to_owned())
    }

    /// Sets it along with an answer.
    pub(crate) fn set(self, place: &Place, value: &SecretString, answer: Answer) -> Answer {
        self.written(place, value.expose_secret(), self.kept(), answer)
    }

    /// Takes it away along with an answer.
    pub(crate) fn clear(self, place: &Place, answer: Answer) -> Answer {
        self.written(place, "", 0, answer)
    }

    fn written(self, place: &Place, value: &str, seconds: u32, answer: Answer) -> Answer {
        let secure = if place.is_secure() { "; Secure" } else { "" };
        let name = self.name(place);
        let line = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
        answer.with(header::SET_COOKIE, &line)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    fn headers(lines: &[&str]) -> HeaderMap {
        lines.iter().map(|line| (header::COOKIE, line.parse().unwrap())).collect()
    }

    fn place(address: &str) -> Place {
        Place::parse(address).unwrap()
    }

    #[test]
    fn a_cookie_over_https_is_of_this_host_alone() {
        let answer = Answer::typed(StatusCode::OK, "text/plain", "");
        let answer = Cookie::Session.set(&place("https://m.example.com"), &"mts_1".into(), answer);
        let (_, line) = answer.headers.last().unwrap();
        let told = "__Host-metsuke_session=mts_1; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax; Secure";
        assert_eq!(line.to_str().unwrap(), told);
    }

    #[test]
    fn one_that_comes_twice_counts_as_absent() {
        let (here, secure) = (place("http://127.0.0.1:1"), place("https://m.example.com"));
        let read = |place: &Place, lines: &[&str]| {
            Cookie::Session.read(place, &headers(lines)).map(|value| value.expose_secret().to_owned())
        };
        assert_eq!(read(&here, &["a=b; metsuke_session=x"]).as_deref(), Some("x"));
        assert_eq!(read(&here, &["metsuke_session=x; metsuke_session=y"]), None);
        assert_eq!(read(&here, &["metsuke_session=x", "metsuke_session=y"]), None);
        assert_eq!(read(&secure, &["metsuke_session=x"]), None, "a neighbouring host may have set it");
        assert_eq!(read(&secure, &["__Host-metsuke_session=x"]).as_deref(), Some("x"));
    }
}
