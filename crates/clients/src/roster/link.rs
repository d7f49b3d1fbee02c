//! Finds the next page in the `Link` headers of an answer.
//!
//! Source: RFC 8288, as far as the servers of rosters use it: quoted values without a `<`.
//!
//! Invariant: a header that cannot be understood is an error, for its absence would mean that the list has ended; the
//! next page is at the same place as this one.

use reqwest::header::ToStrError;
use url::Url;

/// The address of the next page; none where this is the last.
pub(super) fn next<'a>(
    headers: impl Iterator<Item = Result<&'a str, ToStrError>>,
    here: &Url,
) -> Result<Option<Url>, &'static str> {
    for header in headers {
        let mut rest = header.map_err(|_| "the address of its next page cannot be read")?;
        while let Some((_, link)) = rest.split_once('<') {
            let (address, after) = link.split_once('>').ok_or("the address of its next page does not end")?;
            let parameters = after.split_once('<').map_or(after, |(parameters, _)| parameters);
            rest = after;
            if is_next(parameters) {
                return there(address, here).map(Some);
            }
        }
    }
    Ok(None)
}

fn is_next(parameters: &str) -> bool {
    parameters.split([';', ',']).filter_map(|parameter| parameter.split_once('=')).any(|(name, value)| {
        let mut relations = value.trim().trim_matches('"').split_ascii_whitespace();
        name.trim().eq_ignore_ascii_case("rel")
            && relations.any(|relation| relation.eq_ignore_ascii_case("next"))
    })
}

fn there(address: &str, here: &Url) -> Result<Url, &'static str> {
    let mut next = here.join(address).map_err(|_| "the address of its next page is none")?;
    next.set_fragment(None);
    let bare = next.username().is_empty() && next.password().is_none();
    if !bare || next.origin() != here.origin() {
        return Err("its next page is on another host, to which the token is not sent");
    }
    Ok(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(headers: &[&str]) -> Result<Option<String>, &'static str> {
        let here = Url::parse("https://example.okta.com/api/v1/users?limit=200").unwrap();
        next(headers.iter().map(|header| Ok(*header)), &here).map(|next| next.map(Into::into))
    }

    #[test]
    fn the_next_page_is_found_among_other_links() {
        let own = r#"<https://example.okta.com/api/v1/users?limit=200>; rel="self""#;
        let more = r#"<https://example.okta.com/api/v1/users?after=00u1&limit=200>; rel="next""#;
        let wanted = Ok(Some("https://example.okta.com/api/v1/users?after=00u1&limit=200".to_owned()));
        assert_eq!(found(&[own, more]), wanted);
        assert_eq!(found(&[&format!("{own}, {more}")]), wanted);
        assert_eq!(found(&["</api/v1/users?after=00u1&limit=200>;REL=next"]), wanted);
        assert_eq!(found(&[own]), Ok(None));
        assert_eq!(found(&[]), Ok(None));
    }

    #[test]
    fn no_other_host_is_asked() {
        let others = [
            "https://evil.example/api/v1/users",
            "http://example.okta.com/api/v1/users",
            "https://example.okta.com:444/",
            "https://u@example.okta.com/",
            "//evil.example/",
            "https://example.okta.com.evil.example/",
        ];
        for other in others {
            assert!(found(&[&format!("<{other}>; rel=\"next\"")]).is_err(), "{other}");
        }
        assert!(found(&["<https://example.okta.com/"]).is_err());
    }
}
