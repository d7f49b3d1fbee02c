//! The manners of the service around every answer: tokens, scopes, versions, pool, ranges, headers.
//!
//! Not the answers themselves: the estate's.
//!
//! Invariant: an answer without a valid token says nothing about the account, not even what is left of its pool.

use std::sync::PoisonError;

use crate::asked::Asked;
use crate::call::{self, Call};
use crate::catalogue::id_of;
use crate::range::Range;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::routes::{self, Route, Rule};
use crate::server::Shared;

/// A request that may be answered.
#[derive(Debug)]
pub(crate) struct Entered {
    pub(crate) rule: &'static Rule,
    pub(crate) call: Call,
    /// The `Range` that the call goes by.
    pub(crate) range: Option<String>,
    /// True when a page is to be repeated and there is none before it.
    pub(crate) points_at_itself: bool,
}

impl Shared {
    /// The head of every answer, with an empty body.
    pub(crate) fn head(&self, asked: &Asked<'_>, number: u64) -> Reply {
        let mut reply = Reply::new();
        let hop = |hop: &str| id_of(hop, &number.to_string());
        let own = format!("{},{},{}", hop("router"), hop("api"), hop("backend"));
        let ids = asked.header("request-id").map_or(own.clone(), |theirs| format!("{theirs},{own}"));
        reply.set("request-id", ids);
        reply.set("content-type", "application/json".to_owned());
        reply.set("cache-control", "private, no-cache".to_owned());
        reply.set("vary", "Authorization,Accept-Encoding".to_owned());
        reply.set("via", "1.1 spaces-router (simulated)".to_owned());
        if let Some(known) = self.tokens.known(asked.header("authorization")) {
            reply.set("oauth-scope", known.scopes.clone());
            reply.set("ratelimit-multiplier", "1".to_owned());
            reply.set("ratelimit-remaining", self.pool.left().to_string());
            if let Some((rule, _)) = routes::find(&asked.method, asked.path) {
                reply.set("oauth-scope-accepted", rule.accepts.header().to_owned());
            }
        }
        reply
    }

    /// Checks everything that comes before the estate; `None` when the answer is complete without it.
    pub(crate) fn enter(
        &self,
        asked: &Asked<'_>,
        repeat: bool,
        reply: &mut Reply,
    ) -> Result<Option<Entered>, Refusal> {
        let token = self.tokens.known(asked.header("authorization")).ok_or_else(Refusal::unauthorized)?;
        let variant = asked.variant()?;
        let found = routes::find(&asked.method, asked.path);
        let free = matches!(found, Some((rule, _)) if rule.route == Route::RateLimits);
        let left = self.pool.take(u32::from(!free)).ok_or_else(|| {
            reply.set("ratelimit-remaining", "0".to_owned());
            Refusal::rate_limit()
        })?;
        reply.set("ratelimit-remaining", left.to_string());
        let (rule, params) = found.ok_or_else(Refusal::no_such_route)?;
        let scopes: Vec<&str> = token.scopes.split(' ').collect();
        if !rule.accepts.admits(&scopes) {
            return Err(Refusal::forbidden("The token does not have the scope that this request needs."));
        }
        let about_account = matches!(rule.route, Route::Account | Route::OwnAccount | Route::OtherAccount);
        if about_account && !token.account {
            return Err(Refusal::forbidden("You do not have access to the account."));
        }
        if free {
            reply.body = format!("{{\"remaining\":{left}}}").into_bytes();
            return Ok(None);
        }
        let (earlier, header) = self.walk(asked.path, asked.header("range"), repeat);
        let range = match rule.fields {
            [] => Range { max: usize::MAX, ..Range::absent() },
            fields => Range::parse(header.as_deref(), fields)?,
        };
        let expansion = asked.header("accept-expansion").unwrap_or_default().to_owned();
        let body = asked.body.clone();
        let query = call::query(asked.query);
        let token = (token.spelled().to_owned(), token.scopes.clone());
        let call = Call { route: rule.route, params, query, range, variant, expansion, body, token };
        let points_at_itself = repeat && !earlier && !rule.fields.is_empty();
        Ok(Some(Entered { rule, call, range: header, points_at_itself }))
    }

    /// Remembers where a walk stands; for a repeat, the `Range` of the page before, if there was one.
    fn walk(&self, path: &str, header: Option<&str>, repeat: bool) -> (bool, Option<String>) {
        let mut walks = self.walks.lock().unwrap_or_else(PoisonError::into_inner);
        let now = header.unwrap_or_default().to_owned();
        let before = walks.get(path).cloned();
        let fresh = now.is_empty() || now.contains(" ..");
        if repeat
            && !fresh
            && let Some(before) = before
        {
            return (true, Some(before).filter(|before| !before.is_empty()));
        }
        walks.insert(path.to_owned(), now);
        (false, header.map(ToOwned::to_owned))
    }
}
