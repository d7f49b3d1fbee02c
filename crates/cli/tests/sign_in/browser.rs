//! A browser without scripts: it keeps cookies, names the origin of its page, and goes where it is sent only when asked.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use reqwest::{Method, header};
use serde_json::{Value, json};

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: header::HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The code of an error.
    pub(crate) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// What a request is made of, beside method and path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ask {
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Ask {
    pub(crate) fn json(body: &Value) -> Self {
        Self { headers: vec![("content-type", "application/json".into())], body: body.to_string() }
    }

    pub(crate) fn form(fields: &[(&str, &str)]) -> Self {
        let quoted = |text: &str| {
            text.bytes()
                .flat_map(|byte| format!("%{byte:02X}").into_bytes())
                .map(char::from)
                .collect::<String>()
        };
        let pairs: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", quoted(value))).collect();
        let media = "application/x-www-form-urlencoded";
        Self { headers: vec![("content-type", media.into())], body: pairs.join("&") }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Browser {
    client: reqwest::Client,
    address: SocketAddr,
    pub(crate) cookies: BTreeMap<String, String>,
    /// The token of the session that it is in.
    pub(crate) csrf: String,
}

impl Browser {
    pub(crate) fn new(address: SocketAddr) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .tls_certs_only([])
            .build()
            .unwrap();
        Self { client, address, cookies: BTreeMap::new(), csrf: String::new() }
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sends exactly this, with the cookies.
    pub(crate) async fn bare(&mut self, method: Method, path: &str, ask: Ask) -> Answer {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.origin()) };
        let ours = url.starts_with(&self.origin());
        let mut request = self.client.request(method, url).body(ask.body);
        if ours && !self.cookies.is_empty() {
            let line: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(header::COOKIE, line.join("; "));
        }
        for (name, value) in ask.headers {
            request = request.header(name, value);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        if ours {
            self.keep(&headers);
        }
        Answer { status, headers, body: response.text().await.unwrap() }
    }

    fn keep(&mut self, headers: &header::HeaderMap) {
        for line in headers.get_all(header::SET_COOKIE) {
            let line = line.to_str().unwrap();
            assert!(line.contains("; HttpOnly; SameSite=Lax") && line.contains("; Path=/;"), "{line}");
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            if line.contains("; Max-Age=0;") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.bare(Method::GET, path, Ask::default()).await
    }

    /// Sends a form from a page of ours.
    pub(crate) async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let ask = Ask::form(fields).with("origin", self.origin());
        self.bare(Method::POST, path, ask).await
    }

    /// Sends JSON from a page of ours, with the session's token.
    pub(crate) async fn send(&mut self, method: Method, path: &str, body: &Value) -> Answer {
        let ask = Ask::json(body).with("origin", self.origin()).with("x-csrf-token", self.csrf.clone());
        self.bare(method, path, ask).await
    }

    /// Signs in, and gives the status.
    pub(crate) async fn sign_in(&mut self, email: &str, password: &str, code: &str) -> u16 {
        self.try_sign_in(email, password, code).await.status
    }

    pub(crate) async fn try_sign_in(&mut self, email: &str, password: &str, code: &str) -> Answer {
        let body = json!({ "email": email, "password": password, "code": code });
        let answer = self.send(Method::POST, "/api/v1/session", &body).await;
        if answer.status == 201 {
            answer.json()["csrf_token"].as_str().unwrap().clone_into(&mut self.csrf);
        }
        answer
    }

    /// Whether somebody is signed in in it.
    pub(crate) async fn is_signed_in(&mut self) -> bool {
        self.get("/api/v1/session").await.status == 200
    }

    pub(crate) fn session(&self) -> String {
        self.cookies.get("metsuke_session").cloned().unwrap_or_default()
    }
}
