//! How much the server takes: requests of one caller, connections, how long a request may take to arrive and its answer to
//! be taken.
//!
//! Tries to sign in have limits of their own.
//!
//! Invariant: what is counted fits in memory, whoever asks: beyond so many callers the others are counted as one.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderValue, StatusCode, header};
use metsuke_engine::identity::{Caller, Operation};

use crate::error::ApiError;

/// Callers that are counted one by one.
const MOST_CALLERS: usize = 10_000;

/// How much the server takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests of one caller in a minute: of a token, of a person, or of an address without either. 0 for as many as come.
    pub requests_per_minute: u32,
    /// Connections at a time; further ones wait.
    pub connections: usize,
    /// How long the head of a request may take to arrive, and its body as long again.
    pub arrival: Duration,
    /// How long a client may keep the server waiting that does not take its answer.
    pub taking: Duration,
    /// Streams of events that one caller may hold open.
    pub streams: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_per_minute: 6_000,
            connections: 512,
            arrival: Duration::from_secs(30),
            taking: Duration::from_secs(30),
            streams: 20,
        }
    }
}

/// Who is counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Counted {
    /// The bearer of a token, or a person.
    Caller(String),
    /// Whoever asks from there without either.
    Address(IpAddr),
    /// All whom there was no room for.
    Others,
}

/// What somebody may still ask, and when that was reckoned.
#[derive(Clone, Copy, Debug)]
struct Left {
    requests: f64,
    at: Instant,
}

/// Counts requests.
#[derive(Debug)]
pub(crate) struct Pace {
    a_minute: f64,
    left: Mutex<HashMap<Counted, Left>>,
}

impl Pace {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { a_minute: f64::from(limits.requests_per_minute), left: Mutex::default() }
    }

    /// Counts a request, or refuses it.
    pub(crate) fn count(
        &self,
        operation: Operation,
        caller: Option<&Caller>,
        address: IpAddr,
        now: Instant,
    ) -> Result<(), ApiError> {
        // Whoever watches over the server has to get an answer.
        if self.a_minute <= 0.0 || matches!(operation, Operation::Health | Operation::Ready) {
            return Ok(());
        }
        let counted = match caller {
            Some(caller) => Counted::Caller(caller.token.clone()),
            None => Counted::Address(network(address)),
        };
        self.take(counted, now).map_err(refused)
    }

    /// Takes one request off what is left; else how long to wait for the next one.
    fn take(&self, counted: Counted, now: Instant) -> Result<(), Duration> {
        let a_second = self.a_minute / 60.0;
        let most = self.a_minute;
        let grown = |left: &Left| {
            let since = now.saturating_duration_since(left.at).as_secs_f64();
            since.mul_add(a_second, left.requests).min(most)
        };
        let mut all = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST_CALLERS && !all.contains_key(&counted) {
            all.retain(|_, left| grown(left) < most);
        }
        let counted =
            if all.len() >= MOST_CALLERS && !all.contains_key(&counted) { Counted::Others } else { counted };
        let left = all.entry(counted).or_insert(Left { requests: most, at: now });
        let requests = grown(left);
        *left = Left { requests, at: now };
        if requests < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - requests) / a_second));
        }
        left.requests -= 1.0;
        Ok(())
    }
}

/// The part of an address that one customer of a provider has.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let bits = address.to_bits() & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from_bits(bits))
        }
        address @ IpAddr::V4(_) => address,
    }
}

fn refused(wait: Duration) -> ApiError {
    let seconds = wait.as_secs() + 1;
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "there were too many requests in a minute")
        .hint(format!("wait {seconds} s; METSUKE_REQUESTS_PER_MINUTE sets how many there may be"))
        .header(header::RETRY_AFTER, HeaderValue::from(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(requests_per_minute: u32) -> Pace {
        Pace::new(&Limits { requests_per_minute, ..Limits::default() })
    }

    #[test]
    fn what_is_used_up_grows_again_and_nobody_uses_up_what_is_anothers() {
        let (pace, now) = (pace(60), Instant::now());
        let caller = |name: &str| Counted::Caller(name.into());
        for _ in 0..60 {
            pace.take(caller("a"), now).unwrap();
        }
        assert_eq!(pace.take(caller("a"), now), Err(Duration::from_secs(1)));
        pace.take(caller("b"), now).unwrap();
        pace.take(caller("a"), now + Duration::from_secs(1)).unwrap();
        assert!(pace.take(caller("a"), now + Duration::from_secs(1)).is_err());
    }

    #[test]
    fn probes_are_always_answered_and_nothing_is_counted_where_nothing_is_limited() {
        let (few, now) = (pace(1), Instant::now());
        let from = IpAddr::from([127, 0, 0, 1]);
        let count =
            |pace: &Pace, operation| pace.count(operation, None, from, now).map_err(|error| error.code);
        for _ in 0..5 {
            assert_eq!(count(&few, Operation::Ready), Ok(()));
        }
        assert_eq!(count(&few, Operation::Metrics), Ok(()));
        assert_eq!(count(&few, Operation::Metrics), Err("rate_limited"));
        let free = pace(0);
        assert!((0..5).all(|_| count(&free, Operation::Metrics).is_ok()));
    }

    #[test]
    fn many_callers_need_no_more_room_than_some() {
        let (pace, now) = (pace(60), Instant::now());
        for number in 0..u32::try_from(MOST_CALLERS).unwrap() + 100 {
            pace.take(Counted::Address(IpAddr::from(number.to_be_bytes())), now).ok();
        }
        assert!(pace.left.lock().unwrap().len() <= MOST_CALLERS + 1);
        let one: IpAddr = "2001:db8::1".parse().unwrap();
        assert_eq!(network(one), network("2001:db8::2".parse().unwrap()));
        assert_eq!(network("::ffff:192.0.2.1".parse().unwrap()).to_string(), "192.0.2.1");
    }
}
