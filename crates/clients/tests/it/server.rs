//! A server that answers each request as a function of it says, faults of the wire included.
//!
//! Invariant: one request a connection, so that a fault never touches another request; a turn can keep it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Which request this is, from 0.
    pub(crate) number: usize,
    pub(crate) method: String,
    pub(crate) path: String,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// What the server does with a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Turn {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
    before: Duration,
    /// Send this many bytes of the body, then end the connection.
    cut_after: Option<usize>,
    /// Send the body byte by byte, with this pause before each.
    drip: Option<Duration>,
    /// End the connection without a word.
    reset: bool,
    /// Take another request on the same connection.
    keep: bool,
    /// Say no length; the end of the connection ends the body.
    unsized_body: bool,
}

impl Turn {
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, body: body.into(), ..Self::default() }
    }

    /// A page of teams with these ids.
    pub(crate) fn page(ids: &[&str], next: Option<&str>) -> Self {
        let rows = ids.iter().map(|id| format!(r#"{{"id":"{id}"}}"#)).collect::<Vec<_>>().join(",");
        let turn = Self::new(if next.is_some() { 206 } else { 200 }, format!("[{rows}]"));
        match next {
            Some(next) => turn.with("Next-Range", next),
            None => turn,
        }
    }

    pub(crate) fn reset() -> Self {
        Self { reset: true, ..Self::default() }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn after(self, before: Duration) -> Self {
        Self { before, ..self }
    }

    pub(crate) fn cut_after(self, bytes: usize) -> Self {
        Self { cut_after: Some(bytes), ..self }
    }

    pub(crate) fn drip(self, pause: Duration) -> Self {
        Self { drip: Some(pause), ..self }
    }

    pub(crate) fn keep(self) -> Self {
        Self { keep: true, ..self }
    }

    pub(crate) fn without_length(self) -> Self {
        Self { unsized_body: true, ..self }
    }
}

/// The running server; it ends with the test's runtime.
pub(crate) struct Server {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    answer: Box<dyn Fn(&Request) -> Turn + Send + Sync>,
    log: Mutex<Vec<Request>>,
    now: AtomicUsize,
    peak: AtomicUsize,
    connections: AtomicUsize,
}

impl Server {
    #[expect(clippy::disallowed_methods, reason = "the server lives as long as the test's runtime")]
    pub(crate) async fn start(answer: impl Fn(&Request) -> Turn + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            answer: Box::new(answer),
            log: Mutex::default(),
            now: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
        });
        let server = Self { port, shared: Arc::clone(&shared) };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                shared.connections.fetch_add(1, Ordering::SeqCst);
                // A client that hangs up is part of the tests.
                tokio::spawn(async move { drop(shared.serve(stream).await) });
            }
        });
        server
    }

    /// A server that takes its turns in order and repeats the last one.
    pub(crate) async fn script(turns: Vec<Turn>) -> Self {
        Self::start(move |request| turns[request.number.min(turns.len() - 1)].clone()).await
    }

    pub(crate) fn url(&self) -> url::Url {
        format!("http://127.0.0.1:{}", self.port).parse().unwrap()
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared.log.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn peak(&self) -> usize {
        self.shared.peak.load(Ordering::SeqCst)
    }
}

impl Shared {
    async fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        while self.serve_one(&mut stream).await? {}
        stream.shutdown().await
    }

    /// Whether the connection is kept.
    async fn serve_one(&self, stream: &mut TcpStream) -> std::io::Result<bool> {
        let Some(request) = self.receive(stream).await? else { return Ok(false) };
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.peak.fetch_max(now, Ordering::SeqCst);
        let turn = (self.answer)(&request);
        tokio::time::sleep(turn.before).await;
        // Before the last byte goes out, lest the client be quicker than the count.
        self.now.fetch_sub(1, Ordering::SeqCst);
        if turn.reset {
            return Ok(false);
        }
        let connection = if turn.keep { "keep-alive" } else { "close" };
        let mut head = format!("HTTP/1.1 {} Turn\r\nConnection: {connection}\r\n", turn.status);
        for (name, value) in &turn.headers {
            head.extend([name.as_str(), ": ", value, "\r\n"]);
        }
        if !turn.unsized_body {
            head.extend(["Content-Length: ", &turn.body.len().to_string(), "\r\n"]);
        }
        stream.write_all(format!("{head}\r\n").as_bytes()).await?;
        let body = &turn.body.as_bytes()[..turn.cut_after.unwrap_or(turn.body.len())];
        if let Some(pause) = turn.drip {
            for byte in body {
                tokio::time::sleep(pause).await;
                stream.write_all(&[*byte]).await?;
            }
        } else {
            stream.write_all(body).await?;
        }
        Ok(turn.keep)
    }

    async fn receive(&self, stream: &mut TcpStream) -> std::io::Result<Option<Request>> {
        let mut bytes = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&bytes);
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let mut lines = head.lines();
                let mut first = lines.next().unwrap().split(' ');
                let headers: Vec<_> = lines
                    .filter_map(|line| line.split_once(": "))
                    .map(|(key, value)| (key.to_owned(), value.to_owned()))
                    .collect();
                let mut request = Request {
                    number: 0,
                    method: first.next().unwrap().to_owned(),
                    path: first.next().unwrap().to_owned(),
                    headers,
                    body: body.to_owned(),
                };
                let length = request.header("content-length").map_or(0, |text| text.parse().unwrap());
                if request.body.len() >= length {
                    let mut log = self.log.lock().unwrap();
                    request.number = log.len();
                    log.push(request.clone());
                    return Ok(Some(request));
                }
            }
            if stream.read_buf(&mut bytes).await? == 0 {
                return Ok(None);
            }
        }
    }
}
