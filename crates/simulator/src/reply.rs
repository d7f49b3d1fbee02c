//! An answer that can still be spoilt, and how an estate's answer is put into it.
//!
//! Not what the answer says: the estate's, or a refusal's.
//!
//! Invariant: what only a page carries is on pages alone.

use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;

use crate::asked::Asked;
use crate::mishap::{self, Delivery};
use crate::page::{Answer, Page};
use crate::refusal::Refusal;
use crate::routes::Rule;
use crate::value::fingerprint;

/// An answer that can still be spoilt.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn new() -> Self {
        Self { status: 200, headers: Vec::with_capacity(16), body: Vec::new() }
    }

    /// Sets a header, replacing what was there.
    pub(crate) fn set(&mut self, name: &'static str, value: String) {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value));
    }

    /// Turns the answer into a refusal.
    pub(crate) fn refuse(&mut self, refusal: &Refusal) {
        self.status = refusal.status;
        self.body = refusal.body().to_string().into_bytes();
        self.drop_paging();
    }

    /// Turns the answer into something that Heroku's own servers did not write.
    pub(crate) fn raw(&mut self, status: u16, kind: &str, body: &str) {
        self.status = status;
        self.headers.clear();
        self.set("content-type", kind.to_owned());
        self.body = body.as_bytes().to_vec();
    }

    /// Takes away what only a page carries.
    pub(crate) fn drop_paging(&mut self) {
        const PAGING: [&str; 5] = ["content-range", "next-range", "accept-ranges", "etag", "last-modified"];
        self.headers.retain(|(name, _)| !PAGING.contains(name));
        if self.status == 206 {
            self.status = 200;
        }
    }

    /// Takes away what only an answer to a known account carries.
    pub(crate) fn forget_account(&mut self) {
        self.headers.retain(|(name, _)| !name.starts_with("oauth-") && !name.starts_with("ratelimit-"));
    }

    pub(crate) fn into_response(self, delivery: &Delivery) -> Response {
        let (body, length) = mishap::deliver(delivery, self.body);
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
        if self.status != 304 {
            response.headers_mut().insert("content-length", HeaderValue::from(length));
        }
        response
    }

    /// Puts an estate's answer into it.
    pub(crate) fn fill(&mut self, answer: Answer, rule: &Rule, asked: &Asked<'_>) {
        let modified = match answer {
            Answer::One { status, body, modified } => {
                self.status = status;
                self.body = body;
                modified
            }
            Answer::Page(page) => {
                let Page { body, modified, span, next } = page;
                self.body = body;
                if !rule.fields.is_empty() {
                    let fields: Vec<&str> = rule.fields.iter().map(|field| field.as_str()).collect();
                    self.set("accept-ranges", fields.join(", "));
                }
                if let Some((first, last)) = span.filter(|_| !rule.fields.is_empty()) {
                    let field = asked.header("range").and_then(|range| range.trim().split(' ').next());
                    self.set("content-range", format!("{} {first}..{last}", field.unwrap_or("id")));
                }
                if let Some(next) = next {
                    self.status = 206;
                    self.set("next-range", next);
                }
                modified
            }
        };
        if asked.method != "GET" {
            return;
        }
        let etag = format!("\"{:032x}\"", fingerprint(&self.body));
        if let Some(modified) = modified {
            self.set("last-modified", modified.http_date());
        }
        let known = asked.header("if-none-match").unwrap_or_default();
        if known.split(',').any(|one| one.trim().trim_start_matches("W/") == etag) {
            self.status = 304;
            self.body = Vec::new();
            self.headers.retain(|(name, _)| *name != "next-range");
        }
        self.set("etag", etag);
    }
}
