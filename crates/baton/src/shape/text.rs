//! Names, ids and addresses in the form that the ecosystem's validation takes.
//!
//! What Heroku said stays verbatim in a resource's profile; here it is made fit to be shown, joined or linked.
//!
//! Invariant: a [`name`] and a [`part`] are never empty, and two different texts never make the same [`part`].

use std::borrow::Cow;
use std::fmt::Write as _;

/// The longest display name, in bytes.
const LONGEST_NAME: usize = 1_024;

/// The longest part of an id, in bytes: the longest id is a grant's, of two resources and a slug.
const LONGEST_PART: usize = 256;

/// So many bytes of a longer part are kept before its digest.
const KEPT: usize = 200;

/// Addresses of Heroku's dashboard begin so.
const DASHBOARD: &str = "https://dashboard.heroku.com";

/// The longest address of a page, in bytes.
const LONGEST_URL: usize = 1_024;

/// The first of the texts that shows anything, on one line and without characters that steer a terminal or a reader's eye.
pub(super) fn name<'a>(texts: impl IntoIterator<Item = Option<&'a str>>) -> String {
    let shown = texts.into_iter().flatten().map(clean).find(|text| !text.is_empty());
    shown.unwrap_or_else(|| "?".to_owned())
}

/// One line of visible characters, not longer than a display name.
pub(super) fn clean(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(LONGEST_NAME));
    let mut gap = false;
    for letter in text.chars() {
        if letter.is_whitespace() || letter.is_control() {
            gap = !line.is_empty();
        } else if !is_invisible(letter) {
            if line.len() + 1 + letter.len_utf8() > LONGEST_NAME {
                break;
            }
            if gap {
                line.push(' ');
                gap = false;
            }
            line.push(letter);
        }
    }
    line
}

/// The text up to so many bytes, cut between characters.
pub(super) fn cut(text: &str, longest: usize) -> &str {
    text.get(..text.floor_char_boundary(longest)).unwrap_or(text)
}

/// Characters that show nothing: directions, joiners, marks of byte order.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// An id of Heroku, or a slug, as part of an id that is joined with colons.
///
/// Verbatim where it is between 1 and 256 bytes of visible characters without colon and percent sign, as all of Heroku's
/// are. In others those characters are percent-encoded, and what is still too long ends in a digest.
pub(super) fn part(text: &str) -> Cow<'_, str> {
    let special = |letter: char| {
        matches!(letter, ':' | '%') || letter.is_whitespace() || letter.is_control() || is_invisible(letter)
    };
    if !text.is_empty() && text.len() <= LONGEST_PART && !text.contains(special) {
        return Cow::Borrowed(text);
    }
    let encoded = percent(text, |letter| !special(letter));
    if encoded.is_empty() {
        return Cow::Borrowed("%");
    }
    if encoded.len() <= LONGEST_PART {
        return Cow::Owned(encoded);
    }
    Cow::Owned(format!("{}%{:016x}", cut(&encoded, KEPT), digest(text)))
}

/// Percent-encodes all characters but those that `keep` takes.
fn percent(text: &str, keep: impl Fn(char) -> bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for letter in text.chars() {
        if keep(letter) {
            encoded.push(letter);
            continue;
        }
        let mut bytes = [0; 4];
        for byte in letter.encode_utf8(&mut bytes).bytes() {
            // Writing to a text cannot fail.
            write!(encoded, "%{byte:02X}").ok();
        }
    }
    encoded
}

/// Sixty-four bits of a text that are the same on every machine and in every release.
///
/// Source: the FNV-1a hash, <http://www.isthe.com/chongo/tech/comp/fnv/>.
fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |digest: u64, byte| {
        (digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The address of a page of the dashboard; none where it would be too long.
pub(super) fn dashboard(section: &str, name: &str) -> Option<String> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_' | '~');
    let url = format!("{DASHBOARD}/{section}/{}", percent(name, plain));
    Some(url).filter(|url| !name.is_empty() && url.len() <= LONGEST_URL)
}

/// Whether readers take the text for an e-mail address: one local part of plain characters at a host.
///
/// Source: the `email` rule of protoc-gen-validate, without quoted local parts and non-ASCII letters.
pub(super) fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.rsplit_once('@') else { return false };
    let atom = |atom: &str| {
        let plain = |letter: u8| letter.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&letter);
        !atom.is_empty() && atom.bytes().all(plain)
    };
    text.len() <= 254 && local.len() <= 64 && local.split('.').all(atom) && is_host(host)
}

fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        let plain = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'-';
        let ends = label.starts_with('-') || label.ends_with('-');
        (1..=63).contains(&label.len()) && !ends && label.bytes().all(plain)
    };
    host.len() <= 253 && host.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_first_text_that_shows_something() {
        assert_eq!(name([None, Some(" \u{202e}\t"), Some("ann@example.com")]), "ann@example.com");
        assert_eq!(name([Some("Ann\r\n\u{1b}[31m  Lee\u{202e}")]), "Ann [31m Lee");
        assert_eq!(name([Some(""), None]), "?");
    }

    #[test]
    fn a_name_is_cut_between_characters() {
        let long = "ü".repeat(5_000);
        let shown = name([Some(&*long)]);
        assert!(shown.len() <= LONGEST_NAME && shown.len() > LONGEST_NAME - 4, "{}", shown.len());
        assert_eq!(cut("aü", 2), "a");
        assert_eq!(cut("aü", 9), "aü");
    }

    #[test]
    fn a_part_is_verbatim_unless_it_would_break_an_id() {
        for plain in ["01234567-89ab-cdef-0123-456789abcdef", "deploy", "space_admin", "größer"] {
            assert_eq!(part(plain), plain);
        }
        assert_eq!(part("a:b c%\n"), "a%3Ab%20c%25%0A");
        assert_eq!(part(""), "%");
        let (one, two) = ("x".repeat(5_000), "x".repeat(5_001));
        assert!(part(&one).len() <= LONGEST_PART && part(&one) != part(&two));
        assert_eq!(digest("a"), 0xaf63_dc4c_8601_ec8c);
    }

    #[test]
    fn only_addresses_that_readers_take_count_as_such() {
        for good in ["ann@example.com", "o'brien+x.y@a-b.example", "a@localhost"] {
            assert!(is_email(good), "{good}");
        }
        let long = format!("{}@example.com", "a".repeat(65));
        for bad in [
            "",
            "ann",
            "@",
            "a@",
            "@b",
            "a b@c.d",
            "a..b@c.d",
            "a@b..c",
            "a@-b.c",
            "Ann <a@b.c>",
            "a@b@c",
            &long,
        ] {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn addresses_of_the_dashboard_hold_plain_characters_only() {
        assert_eq!(dashboard("apps", "shop").as_deref(), Some("https://dashboard.heroku.com/apps/shop"));
        assert_eq!(
            dashboard("teams", "a/b ü").as_deref(),
            Some("https://dashboard.heroku.com/teams/a%2Fb%20%C3%BC")
        );
        assert_eq!(dashboard("teams", ""), None);
        assert_eq!(dashboard("teams", &"x".repeat(2_000)), None);
    }
}
