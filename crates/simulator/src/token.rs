//! Tokens and their scopes, and how a request presents one.
//!
//! Not who the token belongs to: every token belongs to the one caller.
//!
//! Invariant: a token that is not in the list is not valid, whatever its shape, and no token is shown to anybody but its holder.

use crate::value::fingerprint;

/// The token with the scope `global`.
pub(crate) const GLOBAL: &str = "HRKU-simulated-global";

/// What the built-in tokens begin with; their names follow.
const BUILT_IN: &str = "HRKU-simulated-";

/// The name and the scopes of the tokens that every simulator accepts.
const NAMES: [(&str, &str); 8] = [
    ("global", "global"),
    ("identity", "identity"),
    ("read", "read"),
    ("write", "write"),
    ("read-protected", "read-protected"),
    ("write-protected", "write-protected"),
    ("identity-read", "identity read"),
    (ACCOUNTLESS, "global"),
];

/// The name of the token that may do everything but ask whose it is.
const ACCOUNTLESS: &str = "accountless";

/// One token that is accepted.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    token: String,
    /// Its scopes, space separated.
    pub(crate) scopes: String,
    /// False when questions about the account behind it are refused.
    pub(crate) account: bool,
}

/// Every token accepted.
#[derive(Clone, Debug)]
pub(crate) struct Tokens(Vec<Known>);

impl Known {
    /// The token itself, which only the list of its account's own authorizations tells.
    pub(crate) fn spelled(&self) -> &str {
        &self.token
    }
}

impl Tokens {
    pub(crate) fn new(more: &[(String, String)]) -> Self {
        let built_in = NAMES.iter().map(|(name, scopes)| Known {
            token: built_in(name),
            scopes: (*scopes).to_owned(),
            account: *name != ACCOUNTLESS,
        });
        let more = more.iter().cloned().map(|(token, scopes)| Known { token, scopes, account: true });
        Self(built_in.chain(more).collect())
    }

    /// The token in an `Authorization` header, if it is a valid one.
    pub(crate) fn known(&self, header: Option<&str>) -> Option<&Known> {
        let token = presented(header?)?;
        self.0.iter().find(|known| known.token == token)
    }
}

/// The built-in token of a name.
pub(crate) fn built_in(name: &str) -> String {
    format!("{BUILT_IN}{name}")
}

/// What a token is called in the journal: the name of a built-in one, else a fingerprint.
pub(crate) fn nickname(header: Option<&str>) -> String {
    let Some(token) = header.and_then(presented) else { return "none".to_owned() };
    match token.strip_prefix(BUILT_IN).filter(|name| NAMES.iter().any(|(known, _)| known == name)) {
        Some(name) => name.to_owned(),
        None => format!("{:032x}", fingerprint(token.as_bytes())),
    }
}

/// What a `Bearer` or `Basic` header presents; of the latter only the password counts.
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
