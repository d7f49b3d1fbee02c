//! Which revision of the protocol a request is in, and what that revision wants of its headers.
//!
//! The current one has no handshake: each request says which revision it is in, twice, and both must agree. The ones before
//! it begin with `initialize`, of which nothing is kept here either.
//!
//! Source: <https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning>

use axum::http::{HeaderMap, HeaderName};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::message::{Fault, Request};

/// The current revision.
pub(super) const MODERN: &str = "2026-07-28";
/// Those before it that clients still speak, newest first.
pub(super) const LEGACY: [&str; 3] = ["2025-11-25", "2025-06-18", "2025-03-26"];

const REVISION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");
/// Where a request of the current revision says which one it is in.
const OWN: &str = "io.modelcontextprotocol/protocolVersion";
const ABLE: &str = "io.modelcontextprotocol/clientCapabilities";

/// How a request is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Era {
    /// Each request for itself.
    Modern,
    /// After a handshake.
    Legacy {
        /// Several messages may come at once.
        batches: bool,
    },
}

/// Whether the headers name the current revision.
pub(super) fn is_modern(headers: &HeaderMap) -> bool {
    matches!(of(headers), Ok(Era::Modern))
}

/// What the headers say; without any it is the oldest revision, which had none.
pub(super) fn of(headers: &HeaderMap) -> Result<Era, Fault> {
    let oldest = LEGACY[LEGACY.len() - 1];
    let Some(told) = single(headers, &REVISION)? else { return Ok(Era::Legacy { batches: true }) };
    if told == MODERN {
        return Ok(Era::Modern);
    }
    if LEGACY.contains(&told) {
        return Ok(Era::Legacy { batches: told == oldest });
    }
    let known: Vec<&str> = std::iter::once(MODERN).chain(LEGACY).collect();
    Err(Fault::revision(&known, told))
}

/// Whether headers and body agree, and say all that the revision wants.
pub(super) fn check(era: Era, headers: &HeaderMap, request: &Request) -> Result<(), Fault> {
    let own = request.meta(OWN).map(|own| own.as_str().unwrap_or_default());
    if era != Era::Modern {
        return match own {
            None => Ok(()),
            Some(_) => Err(Fault::mismatch("`MCP-Protocol-Version` does not say what the request says")),
        };
    }
    match own {
        None => return Err(Fault::incomplete(format!("`_meta` does not say `{OWN}`"))),
        Some(MODERN) => {}
        Some(_) => return Err(Fault::mismatch("`MCP-Protocol-Version` does not say what the request says")),
    }
    if !request.meta(ABLE).is_some_and(Value::is_object) {
        return Err(Fault::incomplete(format!("`_meta` does not say `{ABLE}`")));
    }
    if single(headers, &METHOD)? != Some(&request.method) {
        return Err(Fault::mismatch("`Mcp-Method` does not say the method"));
    }
    let named = match request.method.as_str() {
        "tools/call" | "prompts/get" => request.params.get("name"),
        "resources/read" => request.params.get("uri"),
        _ => return Ok(()),
    };
    let told = single(headers, &NAME)?.map(decoded).transpose()?;
    match (told, named.and_then(Value::as_str)) {
        (Some(told), Some(named)) if told == named => Ok(()),
        _ => Err(Fault::mismatch("`Mcp-Name` does not say the name")),
    }
}

/// The value of a header that comes at most once.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Fault> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => match value.to_str() {
            Ok(value) => Ok(Some(value.trim())),
            Err(_) => Err(Fault::mismatch(format!("`{name}` cannot be read"))),
        },
        _ => Err(Fault::mismatch(format!("there is more than one `{name}`"))),
    }
}

/// A value as it was before it was made fit for a header.
fn decoded(value: &str) -> Result<String, Fault> {
    let Some(inner) = value.strip_prefix("=?base64?").and_then(|value| value.strip_suffix("?=")) else {
        return Ok(value.to_owned());
    };
    let bytes = BASE64_STANDARD.decode(inner).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    bytes.ok_or_else(|| Fault::mismatch("`Mcp-Name` cannot be read"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair =
            |(name, value): &(&'static str, &str)| (HeaderName::from_static(name), value.parse().unwrap());
        pairs.iter().map(pair).collect()
    }

    fn request(method: &str, params: Value) -> Request {
        let Value::Object(params) = params else { panic!("parameters are an object") };
        Request { id: json!(1), method: method.into(), params }
    }

    #[test]
    fn a_request_without_the_header_is_in_the_oldest_revision() {
        assert_eq!(of(&headers(&[])).unwrap(), Era::Legacy { batches: true });
        assert_eq!(
            of(&headers(&[("mcp-protocol-version", "2025-06-18")])).unwrap(),
            Era::Legacy { batches: false }
        );
        assert_eq!(of(&headers(&[("mcp-protocol-version", MODERN)])).unwrap(), Era::Modern);
        for wrong in ["1900-01-01", "x", "2024-11-05", ""] {
            let told = of(&headers(&[("mcp-protocol-version", wrong)])).unwrap_err().told(None);
            assert_eq!(told["error"]["code"], -32_022, "{wrong}");
            assert_eq!(told["error"]["data"]["supported"][0], MODERN);
        }
    }

    #[test]
    fn the_current_revision_wants_headers_and_body_to_agree() {
        let meta = json!({ OWN: MODERN, ABLE: {} });
        let asked = |name: &str| request("tools/call", json!({ "name": name, "_meta": meta }));
        let told = |method: &str, name: &str| {
            headers(&[("mcp-protocol-version", MODERN), ("mcp-method", method), ("mcp-name", name)])
        };
        assert!(check(Era::Modern, &told("tools/call", "query"), &asked("query")).is_ok());
        assert!(check(Era::Modern, &told("tools/call", "=?base64?cXXDqXJ5?="), &asked("quéry")).is_ok());
        for (method, name) in
            [("tools/list", "query"), ("tools/call", "other"), ("tools/call", "=?base64?!?=")]
        {
            let fault = check(Era::Modern, &told(method, name), &asked("query")).unwrap_err();
            assert_eq!(fault.told(None)["error"]["code"], -32_020, "{method} {name}");
        }
        let bare = request("tools/list", json!({}));
        let fault = check(Era::Modern, &told("tools/list", ""), &bare).unwrap_err();
        assert_eq!(fault.told(None)["error"]["code"], -32_602);
        let fault = check(Era::Legacy { batches: true }, &headers(&[]), &asked("query")).unwrap_err();
        assert_eq!(fault.told(None)["error"]["code"], -32_020);
    }
}
