//! Tokens and their scopes, and how a request presents one.
//!
//! Not who the token belongs to: every token belongs to the one caller.
//!
//! Invariant: a token that is not in the list is not valid, whatever its shape.

/// The token with the scope `global`.
pub(crate) const GLOBAL: &str = "HRKU-simulated-global";

/// The tokens that every simulator accepts, with their scopes.
const BUILT_IN: [(&str, &str); 7] = [
    (GLOBAL, "global"),
    ("HRKU-simulated-identity", "identity"),
    ("HRKU-simulated-read", "read"),
    ("HRKU-simulated-write", "write"),
    ("HRKU-simulated-read-protected", "read-protected"),
    ("HRKU-simulated-write-protected", "write-protected"),
    ("HRKU-simulated-identity-read", "identity read"),
];

/// Every token accepted.
#[derive(Clone, Debug)]
pub(crate) struct Tokens(Vec<(String, String)>);

impl Tokens {
    pub(crate) fn new(more: &[(String, String)]) -> Self {
        let built_in = BUILT_IN.iter().map(|(token, scope)| ((*token).to_owned(), (*scope).to_owned()));
        Self(built_in.chain(more.iter().cloned()).collect())
    }

    /// The scopes of the token in an `Authorization` header, space separated.
    pub(crate) fn scopes(&self, header: Option<&str>) -> Option<&str> {
        let token = presented(header?)?;
        self.0.iter().find(|(known, _)| *known == token).map(|(_, scope)| scope.as_str())
    }
}

/// The token in a `Bearer` or `Basic` header; of the latter only the password counts.
fn presented(header: &str) -> Option<String> {
    let (scheme, rest) = header.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let text = String::from_utf8(base64(rest.trim())?).ok()?;
        return text.split_once(':').map(|(_, password)| password.to_owned());
    }
    None
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let (mut bits, mut held) = (0_u32, 0_u32);
    let mut out = Vec::with_capacity(text.len());
    for byte in text.trim_end_matches('=').bytes() {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(digit);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push(u8::try_from((bits >> held) & 0xff).ok()?);
        }
    }
    Some(out)
}
