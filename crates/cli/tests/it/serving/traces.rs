//! Traces, as a collector receives them: decoded by the rules of the wire alone.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use metsuke_simulator::Size;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::client::{PATIENCE, Served};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

/// A field of a message: its number, and what it holds.
type Field = (u64, Vec<u8>);

fn number(bytes: &mut &[u8]) -> u64 {
    let (mut value, mut shift) = (0, 0);
    loop {
        let (first, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        shift += 7;
        if first & 0x80 == 0 {
            return value;
        }
    }
}

/// The fields of a message.
///
/// Source: <https://protobuf.dev/programming-guides/encoding/>
fn fields(mut bytes: &[u8]) -> Vec<Field> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let tag = number(&mut bytes);
        let length = match tag & 7 {
            0 => {
                let value = number(&mut bytes);
                found.push((tag >> 3, value.to_le_bytes().to_vec()));
                continue;
            }
            1 => 8,
            2 => usize::try_from(number(&mut bytes)).unwrap(),
            5 => 4,
            other => panic!("wire type {other}"),
        };
        let (value, rest) = bytes.split_at(length);
        bytes = rest;
        found.push((tag >> 3, value.to_vec()));
    }
    found
}

fn all(message: &[u8], field: u64) -> Vec<Vec<u8>> {
    fields(message).into_iter().filter(|(number, _)| *number == field).map(|(_, value)| value).collect()
}

fn text(message: &[u8], field: u64) -> String {
    all(message, field).first().map(|value| String::from_utf8(value.clone()).unwrap()).unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// One span, by the numbers of `opentelemetry/proto/trace/v1/trace.proto`.
#[derive(Debug)]
struct Span {
    trace: String,
    parent: String,
    name: String,
    attributes: Vec<(String, String)>,
}

fn attributes(message: &[u8], field: u64) -> Vec<(String, String)> {
    let pair = |pair: Vec<u8>| {
        let value = all(&pair, 2).concat();
        let told = match fields(&value).first() {
            Some((1, text)) => String::from_utf8(text.clone()).unwrap(),
            Some((2 | 3, number)) => u64::from_le_bytes(number[..8].try_into().unwrap()).to_string(),
            _ => String::new(),
        };
        (text(&pair, 1), told)
    };
    all(message, field).into_iter().map(pair).collect()
}

fn spans(body: &[u8]) -> Vec<Span> {
    let scopes = all(body, 1).into_iter().flat_map(|resource| all(&resource, 2));
    let spans = scopes.flat_map(|scope| all(&scope, 2));
    spans
        .map(|span| Span {
            trace: hex(&all(&span, 1)[0]),
            parent: hex(&all(&span, 4).concat()),
            name: text(&span, 5),
            attributes: attributes(&span, 9),
        })
        .collect()
}

/// A collector that keeps what it is sent, heads and bodies.
async fn collector() -> (String, Arc<Mutex<Vec<(String, Vec<u8>)>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let kept = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&kept);
    #[expect(clippy::disallowed_methods, reason = "it ends with the test")]
    let _listening = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut read = Vec::new();
            loop {
                let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") else {
                    if stream.read_buf(&mut read).await.unwrap_or(0) == 0 {
                        break;
                    }
                    continue;
                };
                let head = String::from_utf8(read[..end].to_vec()).unwrap().to_lowercase();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                let length: usize = length.unwrap().parse().unwrap();
                while read.len() < end + 4 + length {
                    stream.read_buf(&mut read).await.unwrap();
                }
                keep.lock().unwrap().push((head, read[end + 4..end + 4 + length].to_vec()));
                read.drain(..end + 4 + length);
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            }
        }
    });
    (address, kept)
}

#[tokio::test]
async fn requests_jobs_and_syncs_are_traced_where_a_setting_says_so_and_tell_no_secret() {
    let (address, kept) = collector().await;
    let variables = [
        ("METSUKE_OTLP_ENDPOINT", address.as_str()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=of-the-collector"),
        ("OTEL_BSP_SCHEDULE_DELAY", "200"),
    ];
    let mut served = Served::with(Size::Small, &["--log-level", "off"], &variables).await;
    let admin = served.token("admin", &[]).await;
    let id = served.connector(&admin, "acme", "ann@example.com").await;
    served.until(&admin, &id, "connected").await;
    let parent = format!("00-{TRACE}-{PARENT}-01");
    let own = served.get(&admin, "/api/v1/me").await.json()["token_id"].as_str().unwrap().to_owned();
    let headers = [("traceparent", parent.as_str()), ("cookie", "metsuke_session=canary-7f3a")];
    served.send(("GET", "/api/v1/people?email=canary-7f3a"), Some(&admin), &headers, None).await;
    let wrong = [("traceparent", "00-zz-01")];
    assert_eq!(served.send(("GET", "/api/v1/teams"), Some(&admin), &wrong, None).await.status, 200);
    served.post(&admin, "/api/v1/query", &json!({ "query": "FIND User WITH email = 'canary-7f3a'" })).await;
    // The last ones come with the end of the program.
    let process = served.server.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &process]).status().unwrap().success());
    tokio::time::timeout(PATIENCE, served.server.wait()).await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;

    let sent = kept.lock().unwrap().clone();
    assert!(!sent.is_empty());
    for (head, body) in &sent {
        assert!(
            head.starts_with("post /v1/traces ") && head.contains("content-type: application/x-protobuf"),
            "{head}"
        );
        assert!(head.contains("x-key: of-the-collector"), "{head}");
        let resource = attributes(&all(&all(body, 1)[0], 1)[0], 1);
        assert!(resource.contains(&("service.name".into(), "metsuke".into())), "{resource:?}");
    }
    let all: Vec<Span> = sent.iter().flat_map(|(_, body)| spans(body)).collect();
    for name in ["request", "job", "sync"] {
        assert!(all.iter().any(|span| span.name == name), "{name}");
    }
    let joined: Vec<&Span> = all.iter().filter(|span| span.trace == TRACE).collect();
    assert_eq!(joined.len(), 1, "{joined:?}");
    assert_eq!((joined[0].parent.as_str(), joined[0].name.as_str()), (PARENT, "request"));
    let attribute =
        |name: &str| joined[0].attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value);
    assert_eq!(attribute("http.route").unwrap(), "/api/v1/people");
    assert_eq!(attribute("http.response.status_code").unwrap(), "200");
    assert_eq!(attribute("actor.id").unwrap(), &format!("token:{own}"));
    let sync = all.iter().find(|span| span.name == "sync").unwrap();
    assert!(sync.attributes.contains(&("connector.id".into(), id.clone())), "{sync:?}");
    let told: Vec<u8> = sent.iter().flat_map(|(_, body)| body.clone()).collect();
    for secret in [admin.as_str(), served.house.heroku.token(), "canary-7f3a", "ann@example.com"] {
        assert!(!told.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret}");
    }
}

#[tokio::test]
async fn a_collector_that_is_gone_holds_nobody_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let served = Served::with(Size::Small, &[], &[("OTEL_EXPORTER_OTLP_ENDPOINT", &address)]).await;
    let admin = served.token("admin", &[]).await;
    assert_eq!(served.get(&admin, "/api/v1/me").await.status, 200);
}
