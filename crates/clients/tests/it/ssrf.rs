//! Addresses that people write to reach what they should not: no connection is made, seen at the socket.
//!
//! Invariant: the same tricks with everything allowed are seen at the same sockets, so that these eyes are open.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use metsuke_clients::ErrorKind;
use metsuke_clients::deliver::mail::{self, Encryption, Mail, Server};
use metsuke_clients::deliver::{FailedKind, Found, Lookup, Message, Net, Outside, OutsideSettings};
use metsuke_clients::roster::{Roster, Settings};
use metsuke_simulator::receivers::{Mood, Receiver};
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;
use url::Url;

/// Sockets on every address of this machine, of both families, that count who comes.
struct Sockets {
    port: u16,
    seen: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Sockets {
    async fn open() -> Self {
        let (four, port) = loop {
            let four = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await.unwrap();
            let port = four.local_addr().unwrap().port();
            // The same port on the other family; Linux gives both to this one unless it is told not to.
            let socket = TcpSocket::new_v6().unwrap();
            if socket.bind(SocketAddr::from((Ipv6Addr::LOCALHOST, port))).is_ok() {
                break ((four, socket.listen(1024).unwrap()), port);
            }
        };
        let seen = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        for listener in [four.0, four.1] {
            let seen = Arc::clone(&seen);
            tasks.spawn(async move {
                while listener.accept().await.is_ok() {
                    seen.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        Self { port, seen, _tasks: tasks }
    }

    async fn seen(&self) -> usize {
        // Whoever has connected is accepted by then.
        tokio::time::sleep(Duration::from_millis(100)).await;
        self.seen.load(Ordering::SeqCst)
    }
}

/// Addresses that nobody is to reach by a setting: those of this machine first.
const TARGETS: [&str; 22] = [
    "127.0.0.1",
    "127.0.0.2",
    "127.1.2.3",
    "127.255.255.254",
    "0.0.0.0",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.254",
    "192.0.0.192",
    "192.0.2.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "255.255.255.255",
];

/// Every way to write an address of IPv4 that some reader somewhere takes for it.
fn spellings(address: Ipv4Addr) -> Vec<String> {
    let [a, b, c, d] = address.octets();
    let whole = address.to_bits();
    let (last2, last3) = (whole & 0xffff, whole & 0x00ff_ffff);
    let wide: String =
        address.to_string().chars().map(|c| char::from_u32(u32::from(c) + 0xfee0).unwrap()).collect();
    let circled: String = address
        .to_string()
        .chars()
        .map(|c| match c {
            '0' => '⓪',
            '1'..='9' => char::from_u32('①' as u32 + (c as u32 - '1' as u32)).unwrap(),
            c => c,
        })
        .collect();
    let escaped = address.to_string().bytes().fold(String::new(), |text, byte| format!("{text}%{byte:02X}"));
    let mut all = vec![
        address.to_string(),
        format!("{address}."),
        whole.to_string(),
        format!("{whole:#x}"),
        format!("0X{whole:X}"),
        format!("0{whole:o}"),
        format!("0x00000000{whole:x}"),
        format!("{a:#x}.{b:#x}.{c:#x}.{d:#x}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("0000{a:o}.00{b:o}.0{c:o}.0{d:o}"),
        format!("{a}.{b:#x}.0{c:o}.{d}"),
        format!("{a}.{b}.{last2}"),
        format!("{a}.{last3}"),
        format!("{a:#x}.{last3:#x}"),
        format!("0{a:o}.{last3}"),
        format!("{a}.{b}.{last2:#x}"),
        address.to_string().replace('.', "。"),
        address.to_string().replace('.', "%2e"),
        wide,
        circled,
        escaped,
    ];
    let v6 = |parts: [u16; 8]| format!("[{}]", Ipv6Addr::from(parts));
    let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    all.extend([
        format!("[::ffff:{address}]"),
        v6([0, 0, 0, 0, 0, 0xffff, high, low]),
        format!("[0:0:0:0:0:FFFF:{address}]"),
        format!("[::{address}]"),
        format!("[::ffff:0:{address}]"),
        format!("[64:ff9b::{address}]"),
        format!("[64:ff9b:1::{address}]"),
        v6([0x2002, high, low, 0, 0, 0, 0, 1]),
        v6([0x2001, 0, high, low, 0, 0, !high, !low]),
        v6([0x2a00, 0, 0, 0, 0, 0x5efe, high, low]),
        v6([0xfe80, 0, 0, 0, 0x200, 0x5efe, high, low]),
    ]);
    all
}

/// Addresses with hosts, schemes and punctuation that readers disagree about.
fn tricks(port: u16) -> Vec<String> {
    let mut all = Vec::new();
    for target in TARGETS {
        for host in spellings(target.parse().unwrap()) {
            all.push(format!("http://{host}:{port}/x"));
            all.push(format!("https://{host}:{port}/x"));
        }
    }
    for host in
        ["[::1]", "[0:0:0:0:0:0:0:1]", "[::]", "[fd00:ec2::254]", "[fe80::1]", "[fe80::1%25lo]", "[ff02::1]"]
    {
        all.push(format!("http://{host}:{port}/"));
        all.push(format!("https://{host}:{port}/"));
    }
    for host in
        ["localhost", "LOCALHOST", "localhost.", "ip6-localhost", "ip6-loopback", "a.localhost", "ⓛocalhost"]
    {
        all.push(format!("http://{host}:{port}/"));
    }
    for text in [
        "http://public.example@127.0.0.1:PORT/",
        "http://public.example:80@127.0.0.1:PORT/",
        "http://127.0.0.1:PORT@public.example/",
        "http://127.0.0.1:PORT#@public.example/",
        "http://127.0.0.1:PORT?@public.example/",
        "http://127.0.0.1:PORT\\@public.example/",
        "http://127.0.0.1\t:PORT/",
        "http://127.0\n.0.1:PORT/",
        "  http://127.0.0.1:PORT/  ",
        "http:127.0.0.1:PORT/",
        "http:/127.0.0.1:PORT/",
        "http:///127.0.0.1:PORT/",
        "http:\\\\127.0.0.1:PORT\\",
        "HTTP://127.0.0.1:PORT/",
        "//127.0.0.1:PORT/",
        "127.0.0.1:PORT",
        "gopher://127.0.0.1:PORT/_x",
        "ftp://127.0.0.1:PORT/",
        "dict://127.0.0.1:PORT/",
        "ws://127.0.0.1:PORT/",
        "file:///etc/passwd",
        "jar:http://127.0.0.1:PORT!/",
        "data:text/plain,x",
        "unix:///var/run/docker.sock",
    ] {
        all.push(text.replace("PORT", &port.to_string()));
    }
    all
}

fn settings(allow: &[&str]) -> OutsideSettings {
    OutsideSettings {
        allow_plain: true,
        allow: allow.iter().map(|net| net.parse::<Net>().unwrap()).collect(),
        connect_timeout: Duration::from_millis(300),
        request_timeout: Duration::from_millis(600),
    }
}

async fn try_send(outside: &Outside, text: &str) -> Result<(), FailedKind> {
    let url = outside.url(text).map_err(|failed| failed.kind)?;
    let message =
        Message { method: "POST", url, headers: Vec::new(), content_type: "text/plain", body: "x".into() };
    outside.send(&message).await.map(|_| ()).map_err(|failed| failed.kind)
}

/// Names for every target: one alone, and one behind an address of the public.
#[derive(Debug)]
struct Names;

impl Lookup for Names {
    fn lookup(&self, name: String) -> Found {
        let found = match name.split('.').next().and_then(|label| label.strip_prefix('t')) {
            Some(number) => {
                let target: IpAddr =
                    TARGETS[number.parse::<usize>().unwrap() % TARGETS.len()].parse().unwrap();
                let public = IpAddr::from([203, 1, 113, 1]);
                match name.rsplit('.').next() {
                    Some("alone") => vec![target],
                    Some("first") => vec![target, public],
                    _ => vec![public, target],
                }
            }
            None => vec![IpAddr::from(Ipv6Addr::LOCALHOST)],
        };
        Box::pin(async move { Ok(found) })
    }
}

#[tokio::test]
async fn five_hundred_tricks_make_no_connection() {
    let sockets = Sockets::open().await;
    let outside = Outside::new(settings(&[]));
    let tricks: BTreeSet<String> = tricks(sockets.port).into_iter().collect();
    assert!(tricks.len() >= 500, "{}", tricks.len());
    for trick in &tricks {
        let failed = try_send(&outside, trick).await.unwrap_err();
        let kept_out = matches!(failed, FailedKind::Guarded | FailedKind::Settings | FailedKind::Unreached);
        assert!(kept_out, "{trick}: {failed:?}");
    }
    let named = Outside::with_lookup(settings(&[]), Arc::new(Names));
    for number in 0..TARGETS.len() {
        for way in ["alone", "first", "last"] {
            let trick = format!("http://t{number}.{way}:{}/", sockets.port);
            assert_eq!(try_send(&named, &trick).await, Err(FailedKind::Guarded), "{trick}");
        }
    }
    for host in ["127.0.0.1", "[::1]", "localhost", "0x7f.1", "2130706433", "::1"] {
        let server = Server { host, port: Some(sockets.port), encryption: Encryption::Plain, login: None };
        let mail = Mail {
            from: "a@b.example",
            to: &["c@d.example".into()],
            subject: "",
            text: "",
            id: "1",
            seconds: 0,
        };
        let failed = mail::send(&outside, &server, &mail).await.unwrap_err();
        assert!(matches!(failed.kind, FailedKind::Guarded | FailedKind::Unreached), "{host}: {failed:?}");
    }
    assert_eq!(sockets.seen().await, 0, "a socket was reached");
}

#[tokio::test]
async fn the_same_tricks_are_seen_where_everything_is_allowed() {
    let sockets = Sockets::open().await;
    let outside = Outside::new(settings(&["0.0.0.0/0", "::/0"]));
    let (mut tried, mut failed) = (0, 0);
    for address in ["127.0.0.1", "127.1.2.3", "0.0.0.0"] {
        for host in spellings(address.parse().unwrap()).into_iter().filter(|host| !host.starts_with('[')) {
            failed +=
                usize::from(try_send(&outside, &format!("https://{host}:{}/", sockets.port)).await.is_err());
            tried += 1;
        }
    }
    assert!(try_send(&outside, &format!("https://[::1]:{}/", sockets.port)).await.is_err());
    let named = Outside::with_lookup(settings(&["127.0.0.0/8"]), Arc::new(Names));
    assert!(try_send(&named, &format!("https://t0.alone:{}/", sockets.port)).await.is_err());
    assert_eq!(failed, tried, "nobody speaks TLS there");
    assert!(sockets.seen().await > tried * 3 / 4, "{} of {tried} tricks were seen", sockets.seen().await);
}

/// Fetches a roster from wherever a text leads.
async fn try_fetch(outside: &Outside, text: &str) -> Result<usize, ErrorKind> {
    let Ok(url) = Url::parse(text) else { return Err(ErrorKind::Config) };
    let mut settings = Settings::new(url, "00-secret".into());
    (settings.attempts, settings.request_timeout) = (1, Duration::from_millis(600));
    let roster = Roster::guarded(settings, outside).map_err(|error| error.kind())?;
    roster.users().await.map(|users| users.len()).map_err(|error| error.kind())
}

#[tokio::test]
async fn no_trick_fetches_a_roster_from_within() {
    let sockets = Sockets::open().await;
    let outside = Outside::new(settings(&[]));
    for trick in &tricks(sockets.port) {
        let failed = try_fetch(&outside, trick).await.unwrap_err();
        assert!(matches!(failed, ErrorKind::Config | ErrorKind::Connection), "{trick}: {failed:?}");
    }
    let named = Outside::with_lookup(settings(&[]), Arc::new(Names));
    for number in 0..TARGETS.len() {
        for way in ["alone", "first", "last"] {
            let trick = format!("https://t{number}.{way}:{}/", sockets.port);
            assert_eq!(try_fetch(&named, &trick).await, Err(ErrorKind::Config), "{trick}");
        }
    }
    assert_eq!(sockets.seen().await, 0, "a socket was reached");
    let allowed = Outside::with_lookup(settings(&["127.0.0.0/8"]), Arc::new(Names));
    let seen = format!("https://t0.alone:{}/", sockets.port);
    assert_eq!(try_fetch(&allowed, &seen).await, Err(ErrorKind::Connection));
    assert!(sockets.seen().await > 0, "these eyes are open");
}

/// Answers with an allowed address first, and with a forbidden one from then on.
#[derive(Debug, Default)]
struct Rebinding(AtomicUsize);

impl Lookup for Rebinding {
    fn lookup(&self, _name: String) -> Found {
        let first = self.0.fetch_add(1, Ordering::SeqCst).is_multiple_of(2);
        let address = if first { [127, 0, 0, 9] } else { [127, 0, 0, 1] };
        Box::pin(async move { Ok(vec![IpAddr::from(address)]) })
    }
}

#[tokio::test]
async fn a_name_that_changes_is_connected_where_it_was_checked() {
    let sockets = Sockets::open().await;
    let lookup = Arc::new(Rebinding::default());
    let outside = Outside::with_lookup(settings(&["127.0.0.9"]), Arc::clone(&lookup) as Arc<dyn Lookup>);
    let mut outcomes = Vec::new();
    for _ in 0..10 {
        outcomes.push(try_send(&outside, &format!("https://rebinding.example:{}/", sockets.port)).await);
    }
    assert_eq!(
        lookup.0.load(Ordering::SeqCst),
        10,
        "one lookup a message, and none between check and connection"
    );
    let guarded = outcomes.iter().filter(|outcome| **outcome == Err(FailedKind::Guarded)).count();
    assert_eq!((guarded, sockets.seen().await), (5, 5));
}

#[tokio::test]
async fn no_redirect_leads_inside() {
    let sockets = Sockets::open().await;
    let receiver = Receiver::local().await.unwrap();
    let allowed = settings(&["127.0.0.1"]);
    let outside = Outside::new(allowed);
    for status in [301, 302, 303, 307, 308] {
        for host in ["127.0.0.1", "[::1]", "0x7f.1", "localhost"] {
            receiver.set_mood(Mood::Redirect(status, format!("http://{host}:{}/", sockets.port)));
            let outcome = try_send(&outside, &receiver.url()).await;
            assert_eq!(outcome, Err(FailedKind::Answered(status)));
        }
    }
    assert_eq!((receiver.received().len(), sockets.seen().await), (20, 0));
}
