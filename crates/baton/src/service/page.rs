//! Pages of a listing, and the tokens that go on from one to the next.
//!
//! A token says which version and which listing it belongs to, and where the next page begins. It is no secret and carries
//! nothing but that; it is encoded so that nobody is tempted to write one.
//!
//! Invariant: the same request gives the same page and the same token, and no page ends where it began.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use prost::Message;

use super::failure::{Code, Failure};

/// Begins every token, so that another connector's is told apart.
const MARK: &str = "metsuke1";
/// Rows of a page for which no number is asked: few calls, and few tokens that a new start of this process would not know.
const ROWS: usize = 1_000;
/// A page is full with so many bytes: clients of the ecosystem take four megabytes by default.
const BYTES: usize = 1 << 20;

/// What of a listing is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    /// Which version of the estate.
    pub(super) version: &'a str,
    /// Which listing of it.
    pub(super) listing: &'a str,
    /// The most rows; zero leaves it to us.
    pub(super) size: u32,
    /// Where to go on; empty for the beginning.
    pub(super) token: &'a str,
}

impl Asked<'_> {
    /// Where the page begins.
    ///
    /// # Errors
    ///
    /// A token that is none of this listing in this version.
    pub(super) fn start(&self) -> Result<usize, Failure> {
        if self.token.is_empty() {
            return Ok(0);
        }
        let refused =
            |why: &str| Failure::new(Code::InvalidArgument, format!("invalid request: `page_token` {why}"));
        let text =
            BASE64_URL_SAFE_NO_PAD.decode(self.token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let text = text.ok_or_else(|| refused("is none of this connector"))?;
        let mut parts = text.splitn(4, '\n');
        let (mark, version, start) = (parts.next(), parts.next(), parts.next());
        let start = start.and_then(|number| number.parse().ok()).filter(|number| *number > 0);
        let (Some(MARK), Some(version), Some(start), Some(listing)) = (mark, version, start, parts.next())
        else {
            return Err(refused("is none of this connector"));
        };
        if version != self.version {
            return Err(refused("belongs to another sync; begin the listing anew"));
        }
        if listing != self.listing {
            return Err(refused("belongs to another listing"));
        }
        Ok(start)
    }

    /// The rows of the page and the token of the next one, from all rows that come `from` where it begins.
    ///
    /// # Errors
    ///
    /// A token that is none of this listing, or that goes beyond its end.
    pub(super) fn cut<T: Message>(
        &self,
        from: impl IntoIterator<Item = T>,
    ) -> Result<(Vec<T>, String), Failure> {
        let start = self.start()?;
        let most = usize::try_from(self.size).ok().filter(|size| *size > 0).unwrap_or(ROWS);
        let mut page = Vec::new();
        let mut bytes = 0;
        let mut more = false;
        for row in from {
            bytes += row.encoded_len();
            if page.len() == most || (bytes > BYTES && !page.is_empty()) {
                more = true;
                break;
            }
            page.push(row);
        }
        if page.is_empty() && start > 0 {
            let message = "invalid request: `page_token` goes beyond the end of the listing";
            return Err(Failure::new(Code::InvalidArgument, message));
        }
        let next = if more { self.token(start + page.len()) } else { String::new() };
        if !next.is_empty() && next == self.token {
            return Err(Failure::new(Code::Internal, "the next page's token is the same as this one's"));
        }
        Ok((page, next))
    }

    fn token(&self, start: usize) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(format!("{MARK}\n{}\n{start}\n{}", self.version, self.listing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::connector::RawId;

    fn rows(count: usize) -> impl Iterator<Item = RawId> {
        (0..count).map(|number| RawId { id: number.to_string() })
    }

    fn asked(token: &str) -> Asked<'_> {
        Asked { version: "7", listing: "grants app/1", size: 3, token }
    }

    #[test]
    fn pages_to_exhaustion_are_the_listing() {
        let (mut token, mut all, mut tokens) = (String::new(), Vec::new(), Vec::new());
        loop {
            let asked = asked(&token);
            let (page, next) = asked.cut(rows(10).skip(asked.start().unwrap())).unwrap();
            assert!(page.len() <= 3);
            all.extend(page);
            if next.is_empty() {
                break;
            }
            assert!(!tokens.contains(&next), "no token comes twice");
            tokens.push(next.clone());
            token = next;
        }
        assert_eq!(all, rows(10).collect::<Vec<_>>());
        assert_eq!(tokens.len(), 3);
    }

    #[test]
    fn a_page_that_ends_the_listing_has_no_token() {
        assert_eq!(asked("").cut(rows(3)).unwrap().1, "");
        assert_eq!(asked("").cut(rows(0)).unwrap(), (Vec::new(), String::new()));
    }

    #[test]
    fn a_page_is_full_with_a_megabyte() {
        let big = || (0..5).map(|_| RawId { id: "x".repeat(BYTES / 2) });
        let all = Asked { size: 0, ..asked("") };
        let (page, next) = all.cut(big()).unwrap();
        assert_eq!(page.len(), 1);
        assert!(!next.is_empty());
    }

    #[test]
    fn a_token_of_elsewhere_is_refused() {
        let token = asked("").cut(rows(10)).unwrap().1;
        assert_eq!(asked(&token).start().unwrap(), 3);
        let elsewhere = [
            Asked { version: "8", ..asked(&token) },
            Asked { listing: "grants app/2", ..asked(&token) },
            asked("%%"),
            asked("bWV0c3VrZTE"),
            asked(token.get(1..).unwrap()),
        ];
        for asked in elsewhere {
            assert_eq!(asked.start().unwrap_err().code(), Code::InvalidArgument, "{asked:?}");
        }
        let none = asked(&token).cut(rows(0)).unwrap_err();
        assert_eq!(none.code(), Code::InvalidArgument, "beyond the end");
    }
}
