//! Decides whether a failed request is sent again, and when.
//!
//! It does not sleep and does not send; the caller does both.
//!
//! Invariant: one request is sent at most `attempts` times, and never before the moment a server named.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::error::{ClientError, ErrorKind};

/// The least wait after a 429 that names no time.
const RATE_LIMITED: Duration = Duration::from_secs(2);
/// The longest time a server can make us wait; one that asks for more is not asked again.
const LONGEST_ASKED: Duration = Duration::from_mins(15);

/// When to try again.
///
/// | failure | again |
/// |---|---|
/// | 429 | yes, after at least 2 s, doubling; not before `Retry-After` |
/// | 5xx, connection, time-out, repeated page | yes, doubling from `first_delay` |
/// | 401, unexpected shape | once: a passing fault looks like this, a lasting one too |
/// | all others | no |
#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) attempts: u32,
    pub(crate) first_delay: Duration,
    pub(crate) max_delay: Duration,
    pub(crate) jitter: Jitter,
}

/// What has happened to one request so far.
#[derive(Debug, Default)]
pub(crate) struct Tries {
    failed: u32,
    limited: u32,
    unauthorized: bool,
    shape: bool,
}

impl Policy {
    /// How long to wait before the next attempt; `None` when the error is final.
    pub(crate) fn next(&self, tries: &mut Tries, error: &ClientError) -> Option<Duration> {
        self.wait(tries, &error.kind(), error.answer().and_then(|answer| answer.retry_after))
    }

    /// As [`next`](Self::next), for a failure of a kind after which the server `asked` for a wait.
    pub(crate) fn wait(
        &self,
        tries: &mut Tries,
        kind: &ErrorKind,
        asked: Option<Duration>,
    ) -> Option<Duration> {
        tries.failed += 1;
        if tries.failed >= self.attempts || asked.is_some_and(|wait| wait > LONGEST_ASKED) {
            return None;
        }
        let delay = match kind {
            ErrorKind::RateLimited => {
                tries.limited += 1;
                doubled(RATE_LIMITED, tries.limited).min(self.max_delay.max(RATE_LIMITED))
            }
            ErrorKind::Server | ErrorKind::Connection | ErrorKind::Timeout | ErrorKind::Repeated => {
                doubled(self.first_delay, tries.failed).min(self.max_delay)
            }
            ErrorKind::Unauthorized if !std::mem::replace(&mut tries.unauthorized, true) => self.first_delay,
            ErrorKind::Shape if !std::mem::replace(&mut tries.shape, true) => self.first_delay,
            _ => return None,
        };
        // Only ever longer, so that the least waits stay least.
        Some(self.jitter.lengthen(delay).max(asked.unwrap_or_default()))
    }
}

fn doubled(first: Duration, times: u32) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(times.saturating_sub(1)))
}

/// A small generator of pseudo-random numbers (`SplitMix64`), so that callers do not return in step.
#[derive(Debug)]
pub(crate) struct Jitter(AtomicU64);

impl Jitter {
    pub(crate) fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// The duration, longer by up to a quarter.
    fn lengthen(&self, delay: Duration) -> Duration {
        let mut z = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let part = u32::try_from((z ^ (z >> 31)) >> 44).unwrap_or_default(); // 20 bits
        delay.saturating_add((delay / 4).mul_f64(f64::from(part) / f64::from(1_u32 << 20)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Answer, Call};

    fn policy() -> Policy {
        Policy {
            attempts: 5,
            first_delay: Duration::from_millis(250),
            max_delay: Duration::from_secs(30),
            jitter: Jitter::new(7),
        }
    }

    fn answered(status: u16, retry_after: Option<u64>) -> ClientError {
        let call = Box::new(Call { method: "GET", path: "/apps".into(), attempts: 1 });
        let retry_after = retry_after.map(Duration::from_secs);
        ClientError::Answered { call, answer: Box::new(Answer { status, retry_after, ..Answer::default() }) }
    }

    #[test]
    fn server_faults_are_retried_with_growing_delays_until_the_attempts_are_used() {
        let (policy, mut tries) = (policy(), Tries::default());
        for least in [250, 500, 1_000, 2_000].map(Duration::from_millis) {
            let delay = policy.next(&mut tries, &answered(503, None)).unwrap();
            assert!(delay >= least && delay <= least * 5 / 4, "{delay:?}");
        }
        assert_eq!(policy.next(&mut tries, &answered(503, None)), None);
    }

    #[test]
    fn a_429_waits_two_seconds_and_more() {
        let (policy, mut tries) = (policy(), Tries::default());
        for least in [2, 4, 8, 16].map(Duration::from_secs) {
            let delay = policy.next(&mut tries, &answered(429, None)).unwrap();
            assert!(delay >= least && delay <= least * 5 / 4, "{delay:?}");
        }
    }

    #[test]
    fn a_named_time_is_kept_and_an_absurd_one_ends_the_trying() {
        let policy = policy();
        let delay = policy.next(&mut Tries::default(), &answered(429, Some(120))).unwrap();
        assert_eq!(delay, Duration::from_mins(2));
        assert_eq!(policy.next(&mut Tries::default(), &answered(503, Some(100_000))), None);
    }

    #[test]
    fn a_401_is_tried_once_more_and_a_404_never() {
        let (policy, mut tries) = (policy(), Tries::default());
        assert!(policy.next(&mut tries, &answered(401, None)).is_some());
        assert_eq!(policy.next(&mut tries, &answered(401, None)), None);
        assert_eq!(policy.next(&mut Tries::default(), &answered(404, None)), None);
    }
}
