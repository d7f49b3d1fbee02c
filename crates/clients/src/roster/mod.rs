//! Reads a roster of people from a server that answers as Okta's users API does.
//!
//! Who of them is an employee is not judged here.
//!
//! Invariant: the token is sent to the host that was named and to no other, encrypted or not beyond this machine; a list
//! that was not read to its end is an error.

mod config;
mod link;

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{ACCEPT, AUTHORIZATION, DATE, HeaderMap, HeaderValue, LINK, USER_AGENT};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use tokio::time::timeout;
use url::Url;

pub use config::Settings;

use crate::deliver::{Outside, forbidden_by};
use crate::error::{Answer, Call, ClientError};
use crate::http::answer::http_date;
use crate::http::body::{self, Broken};
use crate::http::retry::{Jitter, Policy, Tries};
use crate::http::text::Cleaner;
use crate::http::{Reply, causes, connections};

const EXPECTED: &str = "a list of users";

/// A user, as the server has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct User {
    /// The server's id.
    pub id: Option<String>,
    /// `ACTIVE`, `SUSPENDED`, `DEPROVISIONED`, …
    pub status: Option<String>,
    /// Everything else.
    #[serde(default)]
    pub profile: Profile,
}

/// What the server knows of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the server's own")]
pub struct Profile {
    pub login: Option<String>,
    pub email: Option<String>,
    pub second_email: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub display_name: Option<String>,
    pub title: Option<String>,
    pub department: Option<String>,
    pub manager: Option<String>,
    pub manager_id: Option<String>,
    pub employee_number: Option<String>,
    pub user_type: Option<String>,
}

/// The way to one server.
pub struct Roster {
    client: reqwest::Client,
    first: Url,
    settings: Settings,
    cleaner: Cleaner,
    policy: Policy,
}

impl std::fmt::Debug for Roster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Roster").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// One page, and where the next one is.
struct Page {
    users: Vec<User>,
    next: Option<Url>,
}

impl Roster {
    /// A client of the server that the settings name; nothing is sent.
    ///
    /// # Errors
    ///
    /// [`ClientError::Config`] for settings that cannot work.
    pub fn new(settings: Settings) -> Result<Self, ClientError> {
        let (first, headers) = (settings.check()?, headers(&settings)?);
        // An error means that somebody installed a provider before, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = connections(first.as_str(), headers, settings.idle_timeout, 1)?;
        Ok(Self::of(client, first, settings))
    }

    /// The same for an address that somebody else wrote: it is reached by the way out for messages, at addresses that were
    /// checked and no others.
    ///
    /// # Errors
    ///
    /// [`ClientError::Config`] for settings that cannot work, and an address that is never asked.
    pub fn guarded(settings: Settings, outside: &Outside) -> Result<Self, ClientError> {
        let (first, headers) = (settings.check()?, headers(&settings)?);
        let client = outside.guarded(&first, headers)?;
        Ok(Self::of(client, first, settings))
    }

    fn of(client: reqwest::Client, first: Url, settings: Settings) -> Self {
        Self {
            client,
            cleaner: Cleaner::new(settings.token.clone()),
            policy: Policy {
                attempts: settings.attempts,
                first_delay: settings.first_delay,
                max_delay: settings.max_delay,
                jitter: Jitter::new(settings.jitter_seed),
            },
            first,
            settings,
        }
    }

    /// Every user, page by page.
    ///
    /// # Errors
    ///
    /// Whatever kept the list from being read to its end.
    pub async fn users(&self) -> Result<Vec<User>, ClientError> {
        let (mut users, mut seen) = (Vec::new(), HashSet::new());
        let mut next = Some(self.first.clone());
        let read = async {
            while let Some(url) = next.take() {
                let (pages, call) = (seen.len() + 1, Box::new(call(&url)));
                if pages > self.settings.max_pages as usize {
                    return Err(ClientError::Limit { call, pages: self.settings.max_pages });
                }
                let page = self.page(&url).await?;
                seen.insert(url);
                users.extend(page.users);
                if page.next.as_ref().is_some_and(|next| seen.contains(next)) {
                    let reason = "its next page was seen before";
                    return Err(ClientError::Repeated { call, page: self.number(pages), reason });
                }
                next = page.next;
            }
            Ok(())
        };
        if let Ok(read) = timeout(self.settings.total_timeout, read).await {
            return read.map(|()| users);
        }
        let reason = format!("no whole list within {} s", self.settings.total_timeout.as_secs_f32());
        Err(ClientError::Timeout { call: Box::new(call(&self.first)), reason })
    }

    fn number(&self, pages: usize) -> u32 {
        u32::try_from(pages).unwrap_or(self.settings.max_pages)
    }

    /// One page, asked for again where that may help.
    async fn page(&self, url: &Url) -> Result<Page, ClientError> {
        let (mut tries, mut sent) = (Tries::default(), 0);
        loop {
            sent += 1;
            let error = match self.ask(url).await {
                Ok(page) => return Ok(page),
                Err(error) => error.after(sent),
            };
            match self.policy.next(&mut tries, &error) {
                Some(delay) => tokio::time::sleep(delay).await,
                None => return Err(error),
            }
        }
    }

    async fn ask(&self, url: &Url) -> Result<Page, ClientError> {
        let limit = self.settings.request_timeout;
        let late = || ClientError::Timeout {
            call: Box::new(call(url)),
            reason: format!("no whole answer within {} s", limit.as_secs_f32()),
        };
        timeout(limit, self.exchange(url)).await.map_err(|_| late())?
    }

    async fn exchange(&self, url: &Url) -> Result<Page, ClientError> {
        let broken = |broken: Broken| {
            let call = Box::new(call(url));
            match broken {
                Broken::TooLarge => ClientError::TooLarge { call, limit_bytes: self.settings.max_body_bytes },
                Broken::Idle => {
                    let reason = format!("no byte for {} s", self.settings.idle_timeout.as_secs_f32());
                    ClientError::Timeout { call, reason }
                }
                Broken::Connection(error) => {
                    if let Some(reason) = forbidden_by(&error) {
                        return ClientError::Config { reason };
                    }
                    ClientError::Connection { call, reason: self.cleaner.message(&causes(&error)) }
                }
            }
        };
        let asked = self.client.get(url.clone()).send().await;
        let mut response = asked.map_err(Broken::Connection).map_err(broken)?;
        let headers = response.headers().clone();
        let mut reply = Reply::from_head(response.status().as_u16(), &headers, &self.cleaner);
        let read = body::read(&mut response, self.settings.idle_timeout, self.settings.max_body_bytes).await;
        tracing::debug!(http.status = reply.status, "a page of the roster was answered {}", reply.status);
        if !(200..300).contains(&reply.status) {
            // The status tells enough; a refusal whose body is broken is a refusal still.
            reply.body = read.unwrap_or_default();
            let answer = reply.refusal(&self.cleaner);
            let retry_after = answer.retry_after.or_else(|| refilled(&headers));
            let answer = Box::new(Answer { retry_after, ..answer });
            return Err(ClientError::Answered { call: Box::new(call(url)), answer });
        }
        let body = read.map_err(broken)?;
        let shape =
            |reason: String| ClientError::Shape { call: Box::new(call(url)), expected: EXPECTED, reason };
        let users = serde_json::from_slice(&body).map_err(|error| {
            let start = self.cleaner.excerpt(&body);
            shape(format!("{} in `{start}`", self.cleaner.message(&error.to_string())))
        })?;
        let next = link::next(headers.get_all(LINK).iter().map(HeaderValue::to_str), url);
        Ok(Page { users, next: next.map_err(|reason| shape(reason.to_owned()))? })
    }
}

fn headers(settings: &Settings) -> Result<HeaderMap, ClientError> {
    let unfit = |_| ClientError::Config { reason: "the roster's token does not fit into a header".into() };
    let token = format!("SSWS {}", settings.token.expose_secret());
    let mut token = HeaderValue::from_str(&token).map_err(unfit)?;
    token.set_sensitive(true);
    let agent = HeaderValue::from_static(concat!("metsuke/", env!("CARGO_PKG_VERSION")));
    let json = HeaderValue::from_static("application/json");
    Ok(HeaderMap::from_iter([(AUTHORIZATION, token), (USER_AGENT, agent), (ACCEPT, json)]))
}

/// The request for a page, as errors name it.
fn call(url: &Url) -> Call {
    let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    Call { method: "GET", path, attempts: 1 }
}

/// How long until the server has requests to give again, by its own clock.
///
/// Source: <https://developer.okta.com/docs/reference/rl-best-practices/>
fn refilled(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let reset = Timestamp::from_second(text("x-rate-limit-reset")?.trim().parse().ok()?).ok()?;
    let now = http_date(text(DATE.as_str())?)?;
    u64::try_from(reset.as_second() - now.as_second()).ok().map(Duration::from_secs)
}
