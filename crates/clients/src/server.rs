//! Asks another Metsuke's server, through its API.
//!
//! What the answers mean, and how they are shown, is for whoever asks.
//!
//! Invariant: the token is sent to the address that was named and to no other, encrypted or not beyond this machine. Nothing is
//! sent twice.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::heroku::is_loopback;
use crate::http::{causes, connections};

/// How long a connection, or the next part of an answer, may take.
const IDLE: Duration = Duration::from_secs(90);
/// The same for what works on a whole estate before it answers.
const AT_LENGTH: Duration = Duration::from_mins(70);
/// Tells what is in a file that cannot be looked into.
const ABOUT: &str = "x-about";
/// Rows of a list that are asked for at once.
const PAGE: usize = 1_000;
/// The most bytes of an answer that is held whole.
const MOST_BYTES: usize = 256 << 20;

/// A request that did not bring what was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The settings cannot work; nothing was sent.
    #[error("{reason}")]
    Config {
        /// What is wrong.
        reason: String,
    },
    /// The server said no.
    #[error("{}", told(.0))]
    Refused(Box<Refused>),
    /// There is no answer, or not all of it.
    #[error("the server gave no whole answer: {reason}")]
    Unanswered {
        /// What happened.
        reason: String,
    },
    /// The answer is none of this API's.
    #[error("the server's answer cannot be read: {reason}")]
    Shape {
        /// What is wrong with it.
        reason: String,
    },
    /// What came cannot be written down.
    #[error("what the server sent cannot be written")]
    Write {
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

/// Why the server said no.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Refused {
    /// The HTTP status.
    #[serde(skip)]
    pub status: u16,
    /// The stable code.
    pub code: String,
    /// The sentence.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// What of the request is wrong.
    #[serde(default)]
    pub fields: Vec<Field>,
}

/// A part of a request that is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Field {
    /// Which.
    pub name: String,
    /// What is wrong with it.
    pub message: String,
    /// The line in a question.
    pub line: Option<usize>,
    /// The column in a question.
    pub column: Option<usize>,
}

fn told(refused: &Refused) -> String {
    let mut told = refused.message.clone();
    for Field { name, message, line, column } in &refused.fields {
        let place = match (line, column) {
            (Some(line), Some(column)) => format!("{name}, line {line}, column {column}"),
            _ => name.clone(),
        };
        // A sentence about one field often tells it already.
        if !told.contains(message.as_str()) {
            told = format!("{told}; {place}: {message}");
        }
    }
    told
}

/// What is sent along.
#[derive(Clone, Debug, Default)]
pub enum Content {
    /// Nothing.
    #[default]
    Nothing,
    /// A JSON document.
    Json(Value),
    /// Bytes of a type.
    Bytes(&'static str, Vec<u8>),
    /// A file, which is sent piece by piece.
    File(PathBuf),
}

/// What was carried off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// Bytes.
    pub bytes: u64,
    /// What the server tells of a file that cannot be looked into.
    pub about: Option<Value>,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// GET, POST, PUT, PATCH or DELETE.
    pub method: &'static str,
    /// The path below `/api/v1`, segment by segment.
    pub path: &'a [&'a str],
    /// Parameters.
    pub query: &'a [(&'a str, String)],
    /// What is sent along.
    pub content: Content,
}

/// The way to one server with one token.
#[derive(Clone)]
pub struct Server {
    client: reqwest::Client,
    base: Url,
    idle: Duration,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("host", &self.base.host_str()).finish_non_exhaustive()
    }
}

impl Server {
    /// A client of the server at this address; nothing is sent.
    ///
    /// # Errors
    ///
    /// [`ServerError::Config`].
    pub fn new(url: &Url, token: &SecretString) -> Result<Self, ServerError> {
        let refuse = |reason: &str| ServerError::Config { reason: reason.to_owned() };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("the server's address holds a user or a password"));
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(url) => {}
            _ => {
                return Err(refuse("the server's address is neither https nor http to this machine"));
            }
        }
        let unfit = |_| refuse("the token for the server is empty or holds characters that no token has");
        let mut bearer =
            HeaderValue::from_str(&format!("Bearer {}", token.expose_secret())).map_err(unfit)?;
        bearer.set_sensitive(true);
        // An error means that somebody installed a provider before, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let agent = HeaderValue::from_static(concat!("metsuke/", env!("CARGO_PKG_VERSION")));
        let json = HeaderValue::from_static("application/json");
        let headers = HeaderMap::from_iter([(AUTHORIZATION, bearer), (USER_AGENT, agent), (ACCEPT, json)]);
        let client = connections(url.as_str(), headers, IDLE, 1)
            .map_err(|error| ServerError::Config { reason: error.to_string() })?;
        let mut base = url.clone();
        base.set_query(None);
        base.set_fragment(None);
        Ok(Self { client, base, idle: IDLE })
    }

    /// The same with patience: for answers that take a server as long as it takes to work on a whole estate.
    #[must_use]
    pub fn patient(&self) -> Self {
        Self { idle: AT_LENGTH, ..self.clone() }
    }

    /// Asks, and reads the answer as JSON.
    ///
    /// # Errors
    ///
    /// [`ServerError`], whatever kept it from being answered as wished.
    pub async fn ask(&self, request: &Request<'_>) -> Result<Value, ServerError> {
        let mut body = Vec::new();
        self.carry(request, &mut body, MOST_BYTES).await?;
        serde_json::from_slice(&body).map_err(|error| ServerError::Shape { reason: error.to_string() })
    }

    /// Asks for a list, page by page; at most so many rows.
    ///
    /// # Errors
    ///
    /// As [`ask`](Self::ask).
    pub async fn list(
        &self,
        path: &[&str],
        query: &[(&str, String)],
        most: usize,
    ) -> Result<Vec<Value>, ServerError> {
        let (mut rows, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let mut query = query.to_vec();
            let limit = PAGE.min(most - rows.len()).max(1);
            query.push(("limit", limit.to_string()));
            query.extend(cursor.take().map(|cursor| ("cursor", cursor)));
            let request = Request { method: "GET", path, query: &query, content: Content::Nothing };
            let page: Page = serde_json::from_value(self.ask(&request).await?)
                .map_err(|error| ServerError::Shape { reason: error.to_string() })?;
            rows.extend(page.data);
            if page.next_cursor.is_none() || rows.len() >= most {
                rows.truncate(most);
                return Ok(rows);
            }
            cursor = page.next_cursor;
        }
    }

    /// Asks, and writes the answer down piece by piece.
    ///
    /// # Errors
    ///
    /// As [`ask`](Self::ask); [`ServerError::Write`].
    pub async fn download(
        &self,
        request: &Request<'_>,
        out: &mut (dyn Write + Send),
    ) -> Result<Carried, ServerError> {
        self.carry(request, out, usize::MAX).await
    }

    async fn carry(
        &self,
        request: &Request<'_>,
        out: &mut (dyn Write + Send),
        most: usize,
    ) -> Result<Carried, ServerError> {
        let broken = |error: reqwest::Error| ServerError::Unanswered { reason: causes(&error) };
        let asked = self.request(request).await?.send();
        let late = || ServerError::Unanswered { reason: "it took too long".into() };
        let mut response =
            tokio::time::timeout(self.idle, asked).await.map_err(|_| late())?.map_err(broken)?;
        let status = response.status().as_u16();
        let about =
            response.headers().get(ABOUT).and_then(|about| serde_json::from_slice(about.as_bytes()).ok());
        let mut refusal = Vec::new();
        let mut read = 0_u64;
        loop {
            let piece = tokio::time::timeout(self.idle, response.chunk()).await.map_err(|_| late())?;
            let Some(piece) = piece.map_err(broken)? else { break };
            read += piece.len() as u64;
            if read > most as u64 {
                return Err(ServerError::Shape { reason: format!("it has more than {most} bytes") });
            }
            if (200..300).contains(&status) {
                out.write_all(&piece).map_err(|source| ServerError::Write { source })?;
            } else {
                refusal.extend_from_slice(&piece);
            }
        }
        if (200..300).contains(&status) {
            Ok(Carried { bytes: read, about })
        } else {
            Err(refused(status, &refusal))
        }
    }

    async fn request(&self, asked: &Request<'_>) -> Result<reqwest::RequestBuilder, ServerError> {
        let refuse = |reason: &str| ServerError::Config { reason: reason.to_owned() };
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| refuse("the server's address has no path"))?
            .pop_if_empty()
            .extend(["api", "v1"])
            .extend(asked.path);
        if !asked.query.is_empty() {
            url.query_pairs_mut().extend_pairs(asked.query);
        }
        let method =
            Method::from_bytes(asked.method.as_bytes()).map_err(|_| refuse("there is no such method"))?;
        let request = self.client.request(method, url);
        Ok(match &asked.content {
            Content::Nothing => request,
            Content::Json(document) => {
                request.header(CONTENT_TYPE, "application/json").body(document.to_string())
            }
            Content::Bytes(media, bytes) => request.header(CONTENT_TYPE, *media).body(bytes.clone()),
            Content::File(path) => {
                let unread = |error: std::io::Error| ServerError::Config {
                    reason: format!("`{}` cannot be read: {error}", path.display()),
                };
                let file = tokio::fs::File::open(path).await.map_err(unread)?;
                let length = file.metadata().await.map_err(unread)?.len();
                let media = "application/octet-stream";
                request
                    .header(CONTENT_TYPE, media)
                    .header(CONTENT_LENGTH, length)
                    .body(reqwest::Body::from(file))
            }
        })
    }
}

#[derive(Deserialize)]
struct Page {
    data: Vec<Value>,
    next_cursor: Option<String>,
}

fn refused(status: u16, body: &[u8]) -> ServerError {
    #[derive(Deserialize)]
    struct Body {
        error: Refused,
    }
    match serde_json::from_slice::<Body>(body) {
        Ok(Body { error }) => ServerError::Refused(Box::new(Refused { status, ..error })),
        Err(_) => ServerError::Shape {
            reason: format!("it is a refusal with status {status}, and none of this API's"),
        },
    }
}
