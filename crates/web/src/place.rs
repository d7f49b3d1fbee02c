//! Where browsers reach the server, and where a request comes from.
//!
//! Invariant: without https no browser elsewhere is let sign in: a cookie is sent in the open to this machine alone.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, Uri, header};

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Where browsers reach the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    origin: String,
    secure: bool,
    /// The port, where it is this machine, by whichever of its names.
    here: Option<u16>,
    /// Servers in between that add where a request comes from.
    proxies: usize,
}

/// Whether a request comes from a page of ours, as its browser says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It does.
    Own,
    /// It does not.
    Foreign,
    /// It does not say, as programs that are no browsers do.
    Untold,
}

impl Place {
    /// Reads an address: https, or http of this machine.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| Err(format!("the public address {why}"));
        let text = text.trim().trim_end_matches('/');
        let Ok(uri) = text.parse::<Uri>() else { return wrong("cannot be read") };
        let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else {
            return wrong("is not of the form https://metsuke.example.com");
        };
        if uri.path().len() > 1
            || uri.query().is_some()
            || uri.authority().is_some_and(|own| own.as_str().contains('@'))
        {
            return wrong("holds more than scheme, host and port");
        }
        let secure = scheme == "https";
        let here = is_here(host) && !secure;
        if !(secure || (here && scheme == "http")) {
            return wrong("is not https");
        }
        let port = uri.port_u16();
        let usual = if secure { 443 } else { 80 };
        let host = host.to_lowercase();
        let origin = match port.filter(|port| *port != usual) {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        };
        Ok(Self { origin, secure, here: here.then(|| port.unwrap_or(usual)), proxies: 0 })
    }

    /// The place of a server that listens there and was told of no public address. Beyond this machine cookies need https, so
    /// that somebody signs in through a server in front of it that is named as the public address, or not at all.
    #[must_use]
    pub fn listening(address: SocketAddr) -> Self {
        let secure = !address.ip().is_loopback();
        let scheme = if secure { "https" } else { "http" };
        let here = (!secure).then(|| address.port());
        Self { origin: format!("{scheme}://{address}"), secure, here, proxies: 0 }
    }

    /// The same behind so many servers that add where a request comes from.
    #[must_use]
    pub fn behind(self, proxies: usize) -> Self {
        Self { proxies, ..self }
    }

    /// The address, without a slash at its end.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether it is https.
    #[must_use]
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    /// Whether a request comes from a page of ours.
    ///
    /// Source: <https://www.w3.org/TR/fetch-metadata/>, Fetch 3.2 (the Origin header).
    pub(crate) fn origin_of(&self, headers: &HeaderMap) -> Origin {
        let one = |name: HeaderName| {
            let mut values = headers.get_all(name).iter();
            match (values.next(), values.next()) {
                (None, _) => Ok(None),
                (Some(value), None) => value.to_str().map(Some).map_err(|_| ()),
                _ => Err(()),
            }
        };
        let (Ok(origin), Ok(site)) = (one(header::ORIGIN), one(FETCH_SITE)) else { return Origin::Foreign };
        let own = origin.map(|origin| self.is_own(origin));
        match (site, own) {
            (Some("same-origin"), None | Some(true)) | (None, Some(true)) => Origin::Own,
            (None, None) => Origin::Untold,
            _ => Origin::Foreign,
        }
    }

    fn is_own(&self, origin: &str) -> bool {
        if origin == self.origin {
            return true;
        }
        let Some(own) = self.here else { return false };
        // A machine has several names for itself, and all of them are ours.
        let Ok(uri) = origin.parse::<Uri>() else { return false };
        uri.scheme_str() == Some("http")
            && uri.host().is_some_and(is_here)
            && uri.port_u16().unwrap_or(80) == own
    }

    /// The address that a request comes from: as the outermost server in between says that is ours, else the peer's.
    pub(crate) fn visitor(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let Some(back) = self.proxies.checked_sub(1) else { return peer };
        let lines = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
        let told: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
        let told = told.iter().rev().nth(back).and_then(|address| address.parse().ok());
        told.unwrap_or(peer)
    }
}

/// Where a browser is to go on, where that is within this server.
pub(crate) fn within(next: Option<&str>) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    let fits = |next: &&str| next.starts_with('/') && !next.starts_with("//") && next.bytes().all(plain);
    next.filter(fits).map(ToOwned::to_owned)
}

/// Whether a host's name, with or without a port, is one of this machine's.
pub(crate) fn is_here(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair =
            |(name, value): &(&'static str, &str)| (HeaderName::from_static(name), value.parse().unwrap());
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn a_public_address_is_https_or_this_machine() {
        assert_eq!(Place::parse("https://M.example.com:443/").unwrap().origin(), "https://m.example.com");
        assert_eq!(Place::parse("http://localhost:8080").unwrap().origin(), "http://localhost:8080");
        for text in [
            "",
            "m.example.com",
            "http://m.example.com",
            "https://m.example.com/x",
            "https://u@m.example.com",
        ] {
            assert!(Place::parse(text).is_err(), "{text}");
        }
        assert!(Place::listening("0.0.0.0:8080".parse().unwrap()).is_secure());
        assert!(!Place::listening("127.0.0.1:8080".parse().unwrap()).is_secure());
    }

    #[test]
    fn only_our_own_pages_are_our_own() {
        let place = Place::parse("https://m.example.com").unwrap();
        let origin = |pairs: &[(&'static str, &str)]| place.origin_of(&headers(pairs));
        assert_eq!(origin(&[("origin", "https://m.example.com")]), Origin::Own);
        assert_eq!(origin(&[("sec-fetch-site", "same-origin")]), Origin::Own);
        assert_eq!(origin(&[]), Origin::Untold);
        for foreign in
            ["http://m.example.com", "https://m.example.com.evil.org", "null", "https://evil.org", ""]
        {
            assert_eq!(origin(&[("origin", foreign)]), Origin::Foreign, "{foreign}");
            let with_site = [("origin", foreign), ("sec-fetch-site", "same-origin")];
            assert_eq!(place.origin_of(&headers(&with_site)), Origin::Foreign, "{foreign}");
        }
        for site in ["same-site", "cross-site", "none", "same-origin, cross-site"] {
            let with_origin = [("origin", "https://m.example.com"), ("sec-fetch-site", site)];
            assert_eq!(place.origin_of(&headers(&with_origin)), Origin::Foreign, "{site}");
        }
    }

    #[test]
    fn this_machine_is_ours_by_each_of_its_names_and_at_its_port() {
        let place = Place::listening("127.0.0.1:8080".parse().unwrap());
        let origin = |text: &str| place.origin_of(&headers(&[("origin", text)]));
        assert_eq!(origin("http://localhost:8080"), Origin::Own);
        assert_eq!(origin("http://[::1]:8080"), Origin::Own);
        assert_eq!(origin("http://localhost:8081"), Origin::Foreign);
        assert_eq!(origin("http://localhost.evil.org:8080"), Origin::Foreign);
    }

    #[test]
    fn a_browser_is_sent_on_within_this_server_alone() {
        assert_eq!(within(Some("/people?page=2")).as_deref(), Some("/people?page=2"));
        for outside in
            ["//evil.org", "https://evil.org", "/\\evil.org", "evil", "", "/a\r\nSet-Cookie: b", "/\tx"]
        {
            assert_eq!(within(Some(outside)), None, "{outside}");
        }
        assert_eq!(within(None), None);
    }

    #[test]
    fn a_visitor_is_whom_our_own_servers_name_and_nobody_else() {
        let peer: IpAddr = "10.0.0.1".parse().unwrap();
        let told = headers(&[("x-forwarded-for", "6.6.6.6, 192.0.2.7, 10.0.0.9")]);
        let place = Place::parse("https://m.example.com").unwrap();
        assert_eq!(place.visitor(peer, &told), peer);
        assert_eq!(place.clone().behind(1).visitor(peer, &told).to_string(), "10.0.0.9");
        assert_eq!(place.clone().behind(2).visitor(peer, &told).to_string(), "192.0.2.7");
        assert_eq!(place.behind(9).visitor(peer, &told), peer);
    }
}
