//! How much the server takes, over connections of a test's own making.

use std::time::{Duration, Instant};

use metsuke_simulator::Size;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::client::{PATIENCE, Served};

const READY: &[u8] = b"GET /readyz HTTP/1.1\r\nhost: metsuke\r\nconnection: close\r\n\r\n";

async fn hasty(variables: &[(&str, &str)]) -> Served {
    Served::with(Size::Small, &[], &[&[("METSUKE_ARRIVAL_SECONDS", "1")], variables].concat()).await
}

/// Everything until the server closes the connection, and how long that took.
async fn rest(stream: &mut TcpStream) -> (String, Duration) {
    let (began, mut answer) = (Instant::now(), Vec::new());
    // A reset tells as well that the connection is closed.
    drop(tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap());
    (String::from_utf8_lossy(&answer).into_owned(), began.elapsed())
}

#[tokio::test]
async fn a_head_that_comes_drop_by_drop_does_not_hold_a_connection() {
    let served = hasty(&[]).await;
    let mut stream = served.connect().await;
    stream.write_all(b"GET /readyz HTTP/1.1\r\n").await.unwrap();
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if stream.write_all(b"x-a: b\r\n").await.is_err() {
            break;
        }
    }
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    let mut idle = served.connect().await;
    let (told, took) = rest(&mut idle).await;
    assert!(took < Duration::from_secs(20) && !told.contains(" 200 "), "{told}");
}

#[tokio::test]
async fn a_connection_that_asks_nothing_more_is_closed_after_a_while() {
    let served = hasty(&[]).await;
    let mut stream = served.connect().await;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: metsuke\r\n\r\n").await.unwrap();
    let (told, took) = rest(&mut stream).await;
    assert!(told.contains(" 200 ") && took < Duration::from_secs(20), "{told}");
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_not_waited_for() {
    let served = hasty(&[]).await;
    let admin = served.token("admin", &[]).await;
    let mut stream = served.connect().await;
    let head = format!(
        "POST /api/v1/query HTTP/1.1\r\nhost: metsuke\r\nauthorization: Bearer {admin}\r\n\
         content-type: application/json\r\ncontent-length: 100\r\n\r\n{{\"query\":"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let (told, took) = rest(&mut stream).await;
    assert!(told.starts_with("HTTP/1.1 408 ") && told.contains("\"request_timeout\""), "{told}");
    assert!(took < Duration::from_secs(20), "{took:?}");
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let served = hasty(&[]).await;
    let mut stream = served.connect().await;
    let line = format!("x-a: {}\r\n", "b".repeat(1_000));
    stream.write_all(b"GET /readyz HTTP/1.1\r\n").await.unwrap();
    for _ in 0..200 {
        if stream.write_all(line.as_bytes()).await.is_err() {
            break;
        }
    }
    let (told, _) = rest(&mut stream).await;
    assert!(told.is_empty() || told.starts_with("HTTP/1.1 431 "), "{told}");
}

#[tokio::test]
async fn more_connections_than_there_is_room_for_wait_for_their_turn() {
    let served =
        Served::with(Size::Small, &[], &[("METSUKE_ARRIVAL_SECONDS", "3"), ("METSUKE_CONNECTIONS", "2")])
            .await;
    let (first, second) = (served.connect().await, served.connect().await);
    let mut third = served.connect().await;
    third.write_all(READY).await.unwrap();
    let mut some = [0_u8; 16];
    let early = tokio::time::timeout(Duration::from_millis(500), third.read(&mut some)).await;
    assert!(early.is_err(), "it had to wait");
    drop(first);
    let (told, _) = rest(&mut third).await;
    assert!(told.starts_with("HTTP/1.1 200 "), "{told}");
    drop(second);
}

#[tokio::test]
async fn a_caller_who_asks_too_often_is_told_when_to_come_back_and_others_are_not_in_the_way() {
    let served = Served::with(Size::Small, &[], &[("METSUKE_REQUESTS_PER_MINUTE", "5")]).await;
    let (hasty, other) = (served.token("viewer", &[]).await, served.token("viewer", &[]).await);
    let mut refused = None;
    for _ in 0..20 {
        let reply = served.get(&hasty, "/api/v1/me").await;
        if reply.status != 200 {
            refused = Some(reply);
            break;
        }
    }
    let refused = refused.unwrap();
    assert_eq!((refused.status, refused.code().as_str()), (429, "rate_limited"));
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=13).contains(&wait), "{wait}");
    assert_eq!(served.get(&other, "/api/v1/me").await.status, 200);
    let mut codes = Vec::new();
    for _ in 0..10 {
        codes.push(served.get("mtk_wrong", "/api/v1/me").await.code());
        assert_eq!(served.send(("GET", "/readyz"), None, &[], None).await.status, 200, "probes are answered");
    }
    assert_eq!((codes[0].as_str(), codes[9].as_str()), ("unauthenticated", "rate_limited"));
}

/// Connections of a socket whose system takes as little as it can, so that an answer of some size does not fit.
async fn narrow(served: &Served) -> TcpStream {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(2_048).unwrap();
    socket.connect(served.address.parse().unwrap()).await.unwrap()
}

#[tokio::test]
async fn whoever_asks_and_reads_nothing_is_cut_off_and_the_others_are_served() {
    let variables = [("METSUKE_TAKING_SECONDS", "1"), ("METSUKE_CONNECTIONS", "2")];
    let served = Served::with(Size::Small, &[], &variables).await;
    let admin = served.token("admin", &[]).await;
    // Answers one after the other over each connection, until no more of them fit into it.
    let ask = format!(
        "GET /api/v1/openapi.json HTTP/1.1\r\nhost: metsuke\r\nauthorization: Bearer {admin}\r\n\r\n"
    )
    .repeat(64);
    let (mut first, mut second) = (narrow(&served).await, narrow(&served).await);
    first.write_all(ask.as_bytes()).await.unwrap();
    second.write_all(ask.as_bytes()).await.unwrap();
    let began = Instant::now();
    let reply = served.get(&admin, "/api/v1/me").await;
    assert_eq!(reply.status, 200, "there was room again");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    // Whichever of the two was cut off first, the other is by now.
    tokio::time::sleep(Duration::from_secs(3)).await;
    for socket in [&mut first, &mut second] {
        let (told, _) = rest(socket).await;
        assert!(told.matches("HTTP/1.1 200 ").count() < 64, "all of it was answered");
    }
}

#[tokio::test]
async fn a_caller_holds_so_many_streams_and_others_hold_theirs() {
    let served = Served::with(Size::Small, &[], &[("METSUKE_STREAMS", "2")]).await;
    let (greedy, other) = (served.token("viewer", &[]).await, served.token("viewer", &[]).await);
    let events = [("accept", "text/event-stream")];
    let first = served.follow(&greedy, "/api/v1/changes", None).await;
    let _second = served.follow(&greedy, "/api/v1/changes", None).await;
    let refused = served.send(("GET", "/api/v1/changes"), Some(&greedy), &events, None).await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "too_many_streams"), "{}", refused.text());
    let _theirs = served.follow(&other, "/api/v1/changes", None).await;
    drop(first);
    // That the first one is gone is noticed when it is told something.
    let began = Instant::now();
    while !opens(&served, &greedy).await {
        assert!(began.elapsed() < PATIENCE, "its place was never free again");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Whether one more stream of a caller begins.
async fn opens(served: &Served, token: &str) -> bool {
    let mut stream = served.connect().await;
    let ask = format!(
        "GET /api/v1/changes HTTP/1.1\r\nhost: metsuke\r\nauthorization: Bearer {token}\r\naccept: text/event-stream\r\n\r\n"
    );
    stream.write_all(ask.as_bytes()).await.unwrap();
    let mut head = [0; 12];
    tokio::time::timeout(PATIENCE, stream.read_exact(&mut head)).await.unwrap().unwrap();
    &head == b"HTTP/1.1 200"
}

#[tokio::test]
async fn a_limit_that_is_no_number_does_not_start() {
    for (name, value) in [
        ("METSUKE_REQUESTS_PER_MINUTE", "many"),
        ("METSUKE_CONNECTIONS", "0"),
        ("METSUKE_ARRIVAL_SECONDS", "1s"),
        ("METSUKE_TAKING_SECONDS", "0"),
        ("METSUKE_STREAMS", "-1"),
    ] {
        let house = crate::house::House::of(Size::Small).await;
        let mut command = house.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.env(name, value);
        let ran = crate::house::run(command).await;
        assert!(ran.code == 2 && ran.stderr.contains(name), "{ran:?}");
    }
}
