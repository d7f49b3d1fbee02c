//! The loop that reads: which page of which listing is fetched next, and what becomes of it.
//!
//! What rows mean is [`collect`](super::collect)'s business, what else is to be read [`plan`](super::plan)'s.
//!
//! Invariant: a listing that has begun goes on before another one begins, so walks end as early as they can.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use metsuke_clients::heroku::Heroku;
use metsuke_clients::{ClientError, ErrorKind};
use metsuke_model::access::Mask;
use metsuke_model::{HerokuId, Outcome, ScopeReport};
use tokio_util::sync::CancellationToken;

use super::collect::Gather;
use super::listing::{Listing, Reading, Rows};
use super::plan::{self, Outcomes};
use super::{Credentials, Settings, Skip, credentials};
use crate::{EngineError, Progress, ProgressState};

/// After so many listings in a row that failed without one success, Heroku counts as gone.
const HOPELESS: u32 = 8;
/// After so many listings in a row that answered 401, the token counts as withdrawn.
const WITHDRAWN: u32 = 3;

/// Pages that may be parsed while the client has as many requests in flight as it allows.
const BEING_READ: usize = 3;

/// How the first request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// Reading can go on.
    Ready,
    /// Somebody asked to stop.
    Stopped,
}

type Fetched = (Reading, Result<(Rows, bool), ClientError>);

/// The state of one sync's reading.
pub(super) struct Reader<'a> {
    heroku: &'a Heroku,
    settings: &'a Settings,
    progress: &'a dyn Progress,
    cancel: &'a CancellationToken,
    gather: Gather,
    outcomes: Outcomes,
    manners: HashMap<HerokuId, Mask>,
    planned: HashSet<Listing>,
    waiting: BinaryHeap<(Reverse<u8>, Reverse<u64>, Queued)>,
    sequence: u64,
    scopes: Vec<ScopeReport>,
    rows: u64,
    started: Instant,
    failures: u32,
    unauthorized: u32,
    first_error: Option<ClientError>,
}

/// A listing in the queue; only its place in the queue is compared.
struct Queued(Box<Reading>);

impl PartialEq for Queued {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for Queued {}
impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Queued {
    fn cmp(&self, _: &Self) -> std::cmp::Ordering {
        std::cmp::Ordering::Equal
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        heroku: &'a Heroku,
        settings: &'a Settings,
        progress: &'a dyn Progress,
        cancel: &'a CancellationToken,
    ) -> Self {
        Self {
            heroku,
            settings,
            progress,
            cancel,
            gather: Gather::default(),
            outcomes: Outcomes::new(),
            manners: HashMap::new(),
            planned: HashSet::new(),
            waiting: BinaryHeap::new(),
            sequence: 0,
            scopes: Vec::new(),
            rows: 0,
            started: Instant::now(),
            failures: 0,
            unauthorized: 0,
            first_error: None,
        }
    }

    /// What earlier syncs settled about permissions listings.
    pub(super) fn remember(&mut self, manners: HashMap<HerokuId, Mask>) {
        self.manners = manners;
    }

    /// Reads the own account. What is refused or fails is a gap; only a wrong token ends the sync.
    pub(super) async fn read_account(&mut self) -> Result<Start, EngineError> {
        let begun = Instant::now();
        let Some(answer) = self.cancel.run_until_cancelled(self.heroku.account()).await else {
            return Ok(Start::Stopped);
        };
        let calls = u32::try_from(self.heroku.usage().requests).unwrap_or(u32::MAX);
        let mut scope = ScopeReport {
            scope: "GET /account".into(),
            outcome: Outcome::Complete,
            reason: None,
            gap: false,
            pages: 1,
            rows: 1,
            calls,
            duration_ms: millis(begun.elapsed()),
        };
        match answer {
            Ok(account) => self.gather.take_account(&account),
            Err(source) => match source.kind() {
                ErrorKind::Unauthorized => return Err(EngineError::WrongToken { source }),
                ErrorKind::Config => return Err(EngineError::Upstream { source }),
                _ => {
                    scope.outcome = outcome_of(&source);
                    scope.reason = Some(source.to_string().into());
                    (scope.gap, scope.pages, scope.rows) = (true, 0, 0);
                    self.first_error = Some(source);
                }
            },
        }
        self.scopes.push(scope);
        Ok(Start::Ready)
    }

    /// Queues the listings that every sync begins with.
    pub(super) fn begin(&mut self) {
        let first = [
            (Listing::EnterpriseAccounts, None),
            (Listing::Teams, None),
            (Listing::Apps, None),
            (Listing::AddOns, Some(Skip::AddOns)),
            (Listing::Attachments, Some(Skip::AddOns)),
            (Listing::Pipelines, Some(Skip::Pipelines)),
            (Listing::Couplings, Some(Skip::Pipelines)),
            (Listing::Spaces, Some(Skip::Spaces)),
            (Listing::Authorizations, None),
            (Listing::Keys, None),
        ];
        for (listing, skip) in first {
            self.queue_unless(listing, skip);
        }
    }

    fn queue_unless(&mut self, listing: Listing, skip: Option<Skip>) {
        match skip.filter(|skip| self.settings.skip.contains(skip)) {
            None => self.queue(listing),
            Some(skip) => {
                if self.planned.insert(listing.clone()) {
                    let label = listing.label(&self.gather.name_of(&listing));
                    self.outcomes.insert(listing, Outcome::Skipped);
                    let reason = format!("switched off by the setting `skip {}`", skip.as_str());
                    self.scopes.push(unread(label, Outcome::Skipped, reason, false));
                }
            }
        }
    }

    fn queue(&mut self, listing: Listing) {
        if !self.planned.insert(listing.clone()) {
            return;
        }
        let parent = self.gather.name_of(&listing);
        self.sequence += 1;
        let place = (Reverse(listing.urgency()), Reverse(self.sequence));
        let reading = Reading::new(self.heroku, listing, parent);
        self.waiting.push((place.0, place.1, Queued(Box::new(reading))));
    }

    /// Queues what is called for by what was read; false when nothing is.
    pub(super) fn plan_more(&mut self) -> bool {
        self.gather.tidy_listings();
        let next = plan::next(&self.gather, &self.outcomes, &self.manners);
        let any = !next.is_empty();
        for listing in next {
            self.queue(listing);
        }
        any
    }

    /// Reads until the queue is empty.
    pub(super) async fn drain(&mut self) -> Result<(), EngineError> {
        let mut in_flight: FuturesUnordered<BoxFuture<'static, Fetched>> = FuturesUnordered::new();
        loop {
            while in_flight.len() < self.heroku.max_in_flight() + BEING_READ && !self.is_hopeless() {
                let Some((_, _, Queued(reading))) = self.waiting.pop() else { break };
                in_flight.push(fetch(*reading));
            }
            let Some(next) = self.cancel.run_until_cancelled(in_flight.next()).await else {
                return Err(EngineError::Cancelled);
            };
            let Some((reading, result)) = next else { break };
            match result {
                Ok((rows, last)) => {
                    self.failures = 0;
                    self.unauthorized = 0;
                    for listing in self.gather.take(&reading.listing, rows) {
                        let skip =
                            matches!(listing, Listing::TeamInvitations(_)).then_some(Skip::Invitations);
                        self.queue_unless(listing, skip);
                    }
                    if last {
                        self.finished(&reading, None);
                    } else {
                        self.tell(&reading.label());
                        in_flight.push(fetch(reading));
                    }
                }
                Err(error) => self.finished(&reading, Some(error)),
            }
        }
        while let Some((_, _, Queued(reading))) = self.waiting.pop() {
            self.abandon(&reading);
        }
        Ok(())
    }

    /// Whether going on makes no sense.
    fn is_hopeless(&self) -> bool {
        self.failures >= HOPELESS || self.unauthorized >= WITHDRAWN
    }

    fn abandon(&mut self, reading: &Reading) {
        let reason = match (&self.first_error, self.unauthorized >= WITHDRAWN) {
            (_, true) => "not asked for, because Heroku no longer accepts the token".into(),
            (Some(error), false) => format!("not asked for, because Heroku stopped answering: {error}"),
            (None, false) => "not asked for, because Heroku stopped answering".into(),
        };
        self.scopes.push(unread(reading.label(), Outcome::Failed, reason, true));
        self.outcomes.insert(reading.listing.clone(), Outcome::Failed);
    }

    fn finished(&mut self, reading: &Reading, error: Option<ClientError>) {
        let (pages, rows, calls) = reading.figures();
        let outcome = error.as_ref().map_or(Outcome::Complete, outcome_of);
        if let Some(error) = &error {
            self.unauthorized =
                if error.kind() == ErrorKind::Unauthorized { self.unauthorized + 1 } else { 0 };
            self.failures = if outcome == Outcome::Failed { self.failures + 1 } else { 0 };
        }
        let label = reading.label();
        // A refused permissions listing is no gap: the team's apps are listed one by one instead.
        let replaced = outcome == Outcome::Refused && matches!(reading.listing, Listing::TeamPermissions(_));
        let limit = match (&error, Credentials::of(&reading.listing)) {
            (Some(error), Some(_)) => credentials::limit(error, self.heroku.scopes().as_deref()),
            _ => None,
        };
        let limited = limit.is_some();
        let reason = error.as_ref().map(|error| {
            if let Some(limit) = limit {
                return limit.into();
            }
            let instead = if replaced { "; its apps are listed one by one instead" } else { "" };
            format!("{error}{instead}").into()
        });
        self.rows += rows;
        self.scopes.push(ScopeReport {
            scope: label.as_str().into(),
            outcome,
            reason,
            gap: error.is_some() && !replaced && !limited,
            pages,
            rows,
            calls,
            duration_ms: millis(reading.started.map(|started| started.elapsed()).unwrap_or_default()),
        });
        self.outcomes.insert(reading.listing.clone(), outcome);
        if let Some(error) = error.filter(|_| !replaced && !limited) {
            self.first_error.get_or_insert(error);
        }
        self.tell(&label);
    }

    fn tell(&self, doing: &str) {
        let usage = self.heroku.usage();
        let (done, known) = (self.outcomes.len() as u64, self.planned.len() as u64);
        let left = (done > 0 && known > done).then(|| {
            let spent = self.started.elapsed().as_millis();
            let left = spent.saturating_mul(u128::from(known - done)) / u128::from(done);
            Duration::from_millis(u64::try_from(left).unwrap_or(u64::MAX)) + usage.wait_left
        });
        self.progress.update(&ProgressState {
            doing: doing.into(),
            done,
            known,
            rows: self.rows,
            calls: usage.requests,
            calls_left: usage.remaining.map(u64::from),
            waiting: usage.waiting.then_some(usage.wait_left),
            left,
        });
    }

    /// Whether something asked for could not be read.
    pub(super) fn has_gaps(&self) -> bool {
        self.scopes.iter().any(|scope| scope.gap)
    }

    /// Fails where not one listing could be read.
    pub(super) fn require_something(&mut self) -> Result<(), EngineError> {
        if self.outcomes.values().any(|outcome| *outcome == Outcome::Complete) {
            return Ok(());
        }
        match self.first_error.take() {
            Some(source) if source.kind() == ErrorKind::Unauthorized => {
                Err(EngineError::WrongToken { source })
            }
            Some(source) if outcome_of(&source) == Outcome::Failed => Err(EngineError::Upstream { source }),
            other => {
                Err(EngineError::NothingRead { first: other.map_or_else(String::new, |e| e.to_string()) })
            }
        }
    }

    /// What became of each listing, in the order in which they ended.
    pub(super) fn take_scopes(&mut self) -> Vec<ScopeReport> {
        std::mem::take(&mut self.scopes)
    }

    /// Everything read, how each listing ended, and what was known about permissions listings.
    pub(super) fn finish(self) -> (Gather, Outcomes, HashMap<HerokuId, Mask>) {
        (self.gather, self.outcomes, self.manners)
    }
}

fn fetch(mut reading: Reading) -> BoxFuture<'static, Fetched> {
    Box::pin(async move {
        let result = reading.page().await;
        (reading, result)
    })
}

/// Refused is what Heroku decided; failed is what did not work.
fn outcome_of(error: &ClientError) -> Outcome {
    match error.kind() {
        ErrorKind::Forbidden { .. } | ErrorKind::NotFound | ErrorKind::Refused => Outcome::Refused,
        _ => Outcome::Failed,
    }
}

fn unread(scope: String, outcome: Outcome, reason: String, gap: bool) -> ScopeReport {
    ScopeReport {
        scope: scope.into(),
        outcome,
        reason: Some(reason.into()),
        gap,
        pages: 0,
        rows: 0,
        calls: 0,
        duration_ms: 0,
    }
}

/// The scope of a team whose permissions listing may show implicit access, which could not be settled.
pub(super) fn unsettled(team: &str) -> ScopeReport {
    let reason = "it may show implicit access, and neither the team's members nor an app's own listing could be read to tell";
    unread(
        format!("GET /teams/{team}/permissions (direct or implicit)"),
        Outcome::Failed,
        reason.into(),
        true,
    )
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
