//! Messages of JSON-RPC 2.0, as narrow as the protocol makes them, and its errors.
//!
//! Invariant: an id is a text or a whole number, and comes back as it was.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::inert;

/// One message of a client.
#[derive(Debug)]
pub(super) enum Message {
    /// It wants an answer.
    Request(Request),
    /// It tells something, or answers what was never asked.
    Other,
}

/// What a client asks.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) id: Value,
    pub(super) method: String,
    pub(super) params: Map<String, Value>,
}

impl Request {
    /// A member of what comes along with the parameters.
    pub(super) fn meta(&self, name: &str) -> Option<&Value> {
        self.params.get("_meta").and_then(|meta| meta.get(name))
    }
}

/// Why a message is not answered with a result.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) status: StatusCode,
    code: i64,
    message: String,
    data: Option<Value>,
}

impl Fault {
    fn new(status: StatusCode, code: i64, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), data: None }
    }

    pub(super) fn unreadable() -> Self {
        Self::new(StatusCode::BAD_REQUEST, -32_700, "the body is no JSON")
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, -32_600, message)
    }

    /// The parameters of a known method.
    pub(super) fn parameters(message: impl Into<String>) -> Self {
        Self::new(StatusCode::OK, -32_602, message)
    }

    /// Something that the current revision wants with every request is missing.
    pub(super) fn incomplete(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, -32_602, message)
    }

    /// A method that there is not. The current revision tells it by the status, too.
    pub(super) fn unknown_method(method: &str, modern: bool) -> Self {
        let status = if modern { StatusCode::NOT_FOUND } else { StatusCode::OK };
        Self::new(status, -32_601, format!("there is no method `{}`", inert::line(method)))
    }

    /// Headers and body tell different things.
    pub(super) fn mismatch(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, -32_020, message)
    }

    /// A revision that is not spoken here.
    pub(super) fn revision(supported: &[&str], asked: &str) -> Self {
        let message = "this revision of the protocol is not spoken here";
        let data = Some(json!({ "supported": supported, "requested": inert::line(asked) }));
        Self { data, ..Self::new(StatusCode::BAD_REQUEST, -32_022, message) }
    }

    /// The message that tells it.
    pub(super) fn told(&self, id: Option<&Value>) -> Value {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let (Some(data), Some(members)) = (&self.data, error.as_object_mut()) {
            members.insert("data".into(), data.clone());
        }
        match id {
            Some(id) => json!({ "jsonrpc": "2.0", "id": id, "error": error }),
            None => json!({ "jsonrpc": "2.0", "error": error }),
        }
    }
}

/// Reads one message.
pub(super) fn read(message: Value) -> Result<Message, Fault> {
    let Value::Object(mut members) = message else { return Err(Fault::invalid("a message is an object")) };
    if members.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err(Fault::invalid("a message says `\"jsonrpc\": \"2.0\"`"));
    }
    let (id, method) = (members.remove("id"), members.remove("method"));
    let method = match method {
        Some(Value::String(method)) => method,
        None if members.contains_key("result") || members.contains_key("error") => return Ok(Message::Other),
        _ => return Err(Fault::invalid("a message names its method")),
    };
    let Some(id) = id else { return Ok(Message::Other) };
    if !(id.is_string() || id.is_i64() || id.is_u64()) {
        return Err(Fault::invalid("an id is a text or a whole number"));
    }
    let params = match members.remove("params") {
        None => Map::new(),
        Some(Value::Object(params)) => params,
        Some(_) => return Err(Fault::invalid("`params` is an object")),
    };
    Ok(Message::Request(Request { id, method, params }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(message: Value) -> i64 {
        read(message).unwrap_err().code
    }

    #[test]
    fn an_id_is_a_text_or_a_whole_number() {
        for id in [json!(1), json!("a"), json!(-3)] {
            let told = json!({ "jsonrpc": "2.0", "id": id, "method": "ping" });
            assert!(matches!(read(told).unwrap(), Message::Request(request) if request.id == id));
        }
        for id in [json!(null), json!(1.5), json!({}), json!(true)] {
            assert_eq!(code(json!({ "jsonrpc": "2.0", "id": id, "method": "ping" })), -32_600, "{id}");
        }
    }

    #[test]
    fn what_asks_for_nothing_gets_no_answer_and_what_is_no_message_is_refused() {
        for told in [
            json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
            json!({ "jsonrpc": "2.0", "id": 1, "result": {} }),
        ] {
            assert!(matches!(read(told).unwrap(), Message::Other));
        }
        for told in [
            json!(1),
            json!({}),
            json!({ "jsonrpc": "1.0", "id": 1, "method": "ping" }),
            json!({ "jsonrpc": "2.0", "id": 1, "method": 7 }),
            json!({ "jsonrpc": "2.0", "id": 1, "method": "ping", "params": [1] }),
        ] {
            assert_eq!(code(told.clone()), -32_600, "{told}");
        }
    }
}
