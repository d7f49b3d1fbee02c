//! Faults by name: what goes wrong, for which requests, how often.
//!
//! Not the doing of it: the server asks here whether a request is hit and acts in `mishap`.
//!
//! Invariant: a fault fires at most `times` times, counted over the whole simulator.

use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::SimulatorError;
use crate::delay::Delay;
use crate::write_fault::WriteFault;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultKind {
    /// 429 `rate_limit`, without `Retry-After`.
    RateLimit429,
    /// 500 `server_error` as JSON.
    ServerError500,
    /// 502 with an HTML page.
    BadGatewayHtml502,
    /// 503 with an empty body.
    Unavailable503,
    /// 401 `unauthorized`.
    Unauthorized401,
    /// 403 `forbidden`.
    Forbidden403,
    /// 404 `not_found`.
    NotFound404,
    /// The true answer, cut in the middle of its body.
    TruncatedBody,
    /// 200 with valid JSON of another shape.
    WrongType,
    /// The true answer, trickled over this long.
    SlowDrip(Duration),
    /// The connection is reset before a byte is answered.
    ConnectionReset,
    /// The page before the one asked for, with its `Next-Range`; the first page points at itself.
    RepeatedPage,
    /// Every page claims that another one follows, with a cursor that always advances.
    EndlessNextRange,
    /// A list of about 512 MB.
    HugeBody,
    /// A list nested 200 000 deep.
    DeepJson,
    /// Something that happens to writes alone.
    Write(WriteFault),
}

/// How long a slow drip lasts when the fault does not say.
const DRIP: Duration = Duration::from_secs(3);

impl FaultKind {
    /// Every kind that may strike any request, in the order in which they are documented; the others are those of
    /// [`WriteFault::ALL`].
    pub const ALL: [Self; 15] = [
        Self::RateLimit429,
        Self::ServerError500,
        Self::BadGatewayHtml502,
        Self::Unavailable503,
        Self::Unauthorized401,
        Self::Forbidden403,
        Self::NotFound404,
        Self::TruncatedBody,
        Self::WrongType,
        Self::SlowDrip(DRIP),
        Self::ConnectionReset,
        Self::RepeatedPage,
        Self::EndlessNextRange,
        Self::HugeBody,
        Self::DeepJson,
    ];

    /// The name on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RateLimit429 => "rate-limit-429",
            Self::ServerError500 => "server-error-500",
            Self::BadGatewayHtml502 => "bad-gateway-html-502",
            Self::Unavailable503 => "unavailable-503",
            Self::Unauthorized401 => "unauthorized-401",
            Self::Forbidden403 => "forbidden-403",
            Self::NotFound404 => "not-found-404",
            Self::TruncatedBody => "truncated-body",
            Self::WrongType => "wrong-type",
            Self::SlowDrip(_) => "slow-drip",
            Self::ConnectionReset => "connection-reset",
            Self::RepeatedPage => "repeated-page",
            Self::EndlessNextRange => "endless-next-range",
            Self::HugeBody => "huge-body",
            Self::DeepJson => "deep-json",
            Self::Write(fault) => fault.as_str(),
        }
    }

    /// The kind with this name, with its usual times.
    fn named(name: &str) -> Option<Self> {
        let writes = WriteFault::ALL.into_iter().map(Self::Write);
        Self::ALL.into_iter().chain(writes).find(|kind| kind.as_str() == name)
    }

    /// The same with the time that follows `=`; the error is what is wrong with that.
    fn timed(self, text: &str) -> Result<Self, &'static str> {
        match self {
            Self::SlowDrip(_) => {
                let millis = text.parse().map_err(|_| "what follows `=` must be milliseconds")?;
                Ok(Self::SlowDrip(Duration::from_millis(millis)))
            }
            Self::Write(fault) if fault.delay().is_some() => {
                let wrong = "what follows `=` must be milliseconds, or two numbers of them as in `0..20000`";
                let delay: Delay = text.parse().map_err(|_| wrong)?;
                fault.delayed(delay).map(Self::Write).ok_or(wrong)
            }
            _ => Err("only `slow-drip`, `write-applied-slow` and `write-late-…` take milliseconds"),
        }
    }
}

/// A kind of fault and the requests that it hits.
///
/// As text: `kind`, `kind@/path/prefix`, `kind@n:17`, each with an optional `#times`. In a path `*` stands for
/// one segment and a final `$` ends the match there; `slow-drip=1500` sets the milliseconds, and so do
/// `write-late-reset=1500` and `write-late-reset=0..1500`. The kinds `write-…` pass reads over, and `n:17` counts
/// writes for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// Only requests whose path begins like this; `None` hits every path.
    pub path: Option<String>,
    /// Only from this request on, counted from 1 over the simulator's life (from this write on, for a kind that
    /// strikes writes alone); hits it alone unless `times` says more.
    pub nth: Option<u64>,
    /// How many times; `None` is always (once when `nth` is given).
    pub times: Option<u32>,
}

impl Fault {
    /// A fault for every request, for ever.
    #[must_use]
    pub const fn always(kind: FaultKind) -> Self {
        Self { kind, path: None, nth: None, times: None }
    }

    /// A fault for one request, by its number from 1.
    #[must_use]
    pub const fn at(kind: FaultKind, nth: u64) -> Self {
        Self { kind, path: None, nth: Some(nth), times: Some(1) }
    }

    /// The same fault, only under this path.
    #[must_use]
    pub fn on(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// The same fault, this many times.
    #[must_use]
    pub const fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    fn hits(&self, number: u64, write: Option<u64>, path: &str) -> bool {
        let counted = if matches!(self.kind, FaultKind::Write(_)) { write } else { Some(number) };
        let Some(counted) = counted else { return false };
        self.nth.is_none_or(|nth| counted >= nth)
            && self.path.as_deref().is_none_or(|pattern| path_matches(pattern, path))
    }
}

fn path_matches(pattern: &str, path: &str) -> bool {
    let (pattern, exact) = match pattern.strip_suffix('$') {
        Some(pattern) => (pattern, true),
        None => (pattern, false),
    };
    let mut words = path.trim_matches('/').split('/');
    for expected in pattern.trim_matches('/').split('/').filter(|word| !word.is_empty()) {
        match words.next() {
            Some(word) if expected == "*" || expected == word => {}
            _ => return false,
        }
    }
    !exact || words.next().is_none()
}

impl FromStr for Fault {
    type Err = SimulatorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |reason: &str| SimulatorError::Fault { text: text.to_owned(), reason: reason.to_owned() };
        let (rest, times) = match text.rsplit_once('#') {
            Some((rest, times)) => {
                (rest, Some(times.parse().map_err(|_| wrong("what follows `#` must be a number"))?))
            }
            None => (text, None),
        };
        let (kind, target) = match rest.split_once('@') {
            Some((kind, target)) => (kind, Some(target)),
            None => (rest, None),
        };
        let (name, time) = match kind.split_once('=') {
            Some((name, time)) => (name, Some(time)),
            None => (kind, None),
        };
        let kind = FaultKind::named(name).ok_or_else(|| {
            let plain = FaultKind::ALL.map(FaultKind::as_str).join(", ");
            let writes = WriteFault::ALL.map(WriteFault::as_str).join(", ");
            wrong(&format!("the kinds are {plain}, {writes}"))
        })?;
        let kind = time.map_or(Ok(kind), |time| kind.timed(time)).map_err(wrong)?;
        let mut fault = Self { kind, path: None, nth: None, times };
        match target {
            Some(target) if target.starts_with('/') => fault.path = Some(target.to_owned()),
            Some(target) => {
                let digits = target.strip_prefix("n:").and_then(|digits| digits.parse().ok());
                fault.nth = Some(digits.ok_or_else(|| wrong("what follows `@` is a path or `n:NUMBER`"))?);
                fault.times = fault.times.or(Some(1));
            }
            None => {}
        }
        Ok(fault)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.as_str())?;
        match self.kind {
            FaultKind::SlowDrip(lasts) => write!(f, "={}", lasts.as_millis())?,
            FaultKind::Write(fault) => {
                if let Some(delay) = fault.delay() {
                    write!(f, "={delay}")?;
                }
            }
            _ => {}
        }
        if let Some(path) = &self.path {
            write!(f, "@{path}")?;
        } else if let Some(nth) = self.nth {
            write!(f, "@n:{nth}")?;
        }
        self.times.map_or(Ok(()), |times| write!(f, "#{times}"))
    }
}

/// The faults in force, shared by the server and whoever changes them.
#[derive(Debug, Default)]
pub struct Faults {
    planned: Mutex<Vec<(Fault, u32)>>,
}

impl Faults {
    pub(crate) fn new(faults: Vec<Fault>) -> Self {
        Self { planned: Mutex::new(faults.into_iter().map(|fault| (fault, 0)).collect()) }
    }

    /// Adds a fault after those already there; the first that hits a request wins.
    pub fn add(&self, fault: Fault) {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner).push((fault, 0));
    }

    /// Takes every fault away.
    pub fn clear(&self) {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Each fault with the number of times that it has fired.
    #[must_use]
    pub fn fired(&self) -> Vec<(Fault, u32)> {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What strikes a request, by its number and, if it would change something, its number among the writes.
    pub(crate) fn strike(&self, number: u64, write: Option<u64>, path: &str) -> Option<FaultKind> {
        let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        let (fault, fired) = planned.iter_mut().find(|(fault, fired)| {
            let limit = fault.times.or(fault.nth.map(|_| 1));
            limit.is_none_or(|limit| *fired < limit) && fault.hits(number, write, path)
        })?;
        *fired += 1;
        Some(fault.kind)
    }
}
