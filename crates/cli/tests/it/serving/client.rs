//! A server of the real program, and requests to it over plain HTTP.

use std::process::Stdio;
use std::time::Duration;

use metsuke_simulator::Size;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::Child;

use crate::house::{House, run};

/// How long anything may take on a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);

/// A house with a server in it.
pub(super) struct Served {
    pub(super) house: House,
    pub(super) server: Child,
    pub(super) address: String,
}

/// A stream of events that is read as it comes.
pub(super) struct Followed(Lines<BufReader<TcpStream>>);

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// The body of a file that is carried off: its length is told, so that one that is cut off is known as such.
    pub(super) fn whole(&self) -> Vec<u8> {
        assert_eq!(self.header("content-length"), Some(&*self.body.len().to_string()), "{:?}", self.headers);
        self.body.clone()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The stable code of an error.
    pub(super) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The rows of a page.
    pub(super) fn rows(&self) -> Vec<Value> {
        assert_eq!(self.status, 200, "{}", self.text());
        self.json()["data"].as_array().unwrap().clone()
    }
}

impl Served {
    pub(super) async fn new(size: Size) -> Self {
        Self::in_house(House::of(size).await).await
    }

    /// With further arguments and variables.
    pub(super) async fn with(size: Size, more: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::started(House::of(size).await, more, variables).await
    }

    pub(super) async fn in_house(house: House) -> Self {
        Self::started(house, &["--log-level", "debug"], &[]).await
    }

    /// In a house where a server may have been before.
    pub(super) async fn started(house: House, more: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = house.command(&[&["serve", "--listen", "127.0.0.1:0"], more].concat());
        command.envs(variables.iter().copied());
        let log = std::fs::File::create(house.folder.path().join("serve.log")).unwrap();
        let mut server = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut said = BufReader::new(server.stdout.take().unwrap()).lines();
        let line = tokio::time::timeout(PATIENCE, said.next_line()).await.unwrap().unwrap().unwrap();
        let address = line.strip_prefix("listening on http://").unwrap().to_owned();
        Self { house, server, address }
    }

    /// A connection, over which a test says what it likes.
    pub(super) async fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).await.unwrap()
    }

    /// What the server has logged so far.
    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.house.folder.path().join("serve.log")).unwrap()
    }

    /// A token that the command line makes.
    pub(super) async fn token(&self, role: &str, more: &[&str]) -> String {
        let arguments = [&["token", "create", "--role", role, "--name", "test"], more].concat();
        let ran = run(self.house.command(&arguments)).await;
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.stdout.lines().last().unwrap().to_owned()
    }

    /// Asks with everything spelled out.
    pub(super) async fn send(
        &self,
        (method, path): (&str, &str),
        token: Option<&str>,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Reply {
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: metsuke\r\nconnection: close\r\n");
        if let Some(token) = token {
            request.extend(["authorization: Bearer ", token, "\r\n"]);
        }
        if !body.is_empty() {
            let length = body.len().to_string();
            request.extend(["content-type: application/json\r\ncontent-length: ", &length, "\r\n"]);
        }
        for (name, value) in headers {
            request.extend([*name, ": ", *value, "\r\n"]);
        }
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        stream.write_all(format!("{request}\r\n{body}").as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
        reply(&answer)
    }

    pub(super) async fn get(&self, token: &str, path: &str) -> Reply {
        self.send(("GET", path), Some(token), &[], None).await
    }

    pub(super) async fn post(&self, token: &str, path: &str, body: &Value) -> Reply {
        self.send(("POST", path), Some(token), &[], Some(body)).await
    }

    /// Puts a text of some type.
    pub(super) async fn put_text(&self, token: &str, path: &str, media: &str, text: &str) -> Reply {
        let request = format!(
            "PUT {path} HTTP/1.1\r\nhost: metsuke\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
             content-type: {media}\r\ncontent-length: {}\r\n\r\n{text}",
            text.len()
        );
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
        reply(&answer)
    }

    /// A connector to the simulated Heroku, and its id.
    pub(super) async fn connector(&self, token: &str, name: &str, owner: &str) -> String {
        let made = self.post(token, "/api/v1/connectors", &self.new_connector(name, owner)).await;
        assert_eq!(made.status, 201, "{}", made.text());
        made.json()["id"].as_str().unwrap().to_owned()
    }

    pub(super) fn new_connector(&self, name: &str, owner: &str) -> Value {
        json!({
            "name": name,
            "kind": "heroku",
            "owner": owner,
            "api_token": self.house.heroku.token(),
            "api_url": self.house.heroku.url(),
            "polling_interval": "DISABLED",
            "tag_account_name": name,
            "provisioning": true,
            "description": "for a test",
        })
    }

    /// Waits until a connector is in a state.
    pub(super) async fn until(&self, token: &str, id: &str, state: &str) -> Value {
        let path = format!("/api/v1/connectors/{id}");
        let reached = async {
            loop {
                let shown = self.get(token, &path).await.json();
                if shown["state"] == state {
                    return shown;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, reached).await.unwrap_or_else(|_| panic!("{id} is not {state}"))
    }

    /// Follows a stream of events, which has begun when this returns.
    pub(super) async fn follow(&self, token: &str, path: &str, seen: Option<&str>) -> Followed {
        let seen = seen.map(|id| format!("last-event-id: {id}\r\n")).unwrap_or_default();
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: metsuke\r\nauthorization: Bearer {token}\r\n{seen}accept: text/event-stream\r\n\r\n"
        );
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut lines = BufReader::new(stream).lines();
        let head = tokio::time::timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
        assert!(head.contains(" 200 "), "{head}");
        Followed(lines)
    }

    /// Waits for the first lines of a stream of events, all of them together no longer than [`PATIENCE`]: a stream that
    /// has nothing to tell still says now and then that it is there.
    pub(super) async fn first_events(&self, token: &str, path: &str, count: usize) -> Vec<String> {
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: metsuke\r\nauthorization: Bearer {token}\r\naccept: text/event-stream\r\n\r\n"
        );
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut lines = BufReader::new(stream).lines();
        let mut events = Vec::new();
        let told = async {
            while events.len() < count {
                let line = lines.next_line().await.unwrap().unwrap();
                events.extend(line.strip_prefix("data: ").map(ToOwned::to_owned));
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, told).await.is_ok();
        assert!(in_time, "{path} told no more than {events:?} in {PATIENCE:?}, and not {count} events");
        events
    }
}

impl Followed {
    /// The next event: its id and its data.
    pub(super) async fn next(&mut self) -> (String, Value) {
        let told = tokio::time::timeout(PATIENCE, self.read()).await;
        told.unwrap_or_else(|_| panic!("no event came in {PATIENCE:?}"))
    }

    async fn read(&mut self) -> (String, Value) {
        let mut id = String::new();
        loop {
            let line = self.0.next_line().await.unwrap().unwrap();
            if let Some(told) = line.strip_prefix("id: ") {
                told.clone_into(&mut id);
            }
            if let Some(data) = line.strip_prefix("data: ") {
                return (id, serde_json::from_str(data).unwrap());
            }
        }
    }
}

fn reply(answer: &[u8]) -> Reply {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = std::str::from_utf8(&answer[..end]).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let header = |line: &str| {
        let (name, value) = line.split_once(": ").unwrap_or((line.trim_end_matches(':'), ""));
        (name.to_lowercase(), value.to_owned())
    };
    Reply { status, headers: lines.map(header).collect(), body: answer[end + 4..].to_vec() }
}
