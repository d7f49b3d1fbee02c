//! One request from its arrival to its answer, and the faults on the way.
//!
//! Not the manners of the service, which are `door`, and not the answers themselves: the estate's.
//!
//! Invariant: a write touches the estate at most once, and what became of it stands in the journal.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::to_bytes;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::asked::{Asked, method_of};
use crate::call::Call;
use crate::delay::Delay;
use crate::estate::Estate;
use crate::fault::{FaultKind, Faults};
use crate::journal::{self, Arrival, Book};
use crate::line::Wire;
use crate::mishap::{self, Delivery};
use crate::page::Answer;
use crate::pool::Pool;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::routes;
use crate::stats::{Ledger, Seen, Stats};
use crate::token::{self, Tokens};
use crate::write_fault::WriteFault;

/// Largest request body that is read.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// What every request needs.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) estate: Estate,
    pub(crate) faults: Arc<Faults>,
    pub(crate) ledger: Ledger,
    pub(crate) book: Book,
    pub(crate) pool: Pool,
    pub(crate) tokens: Tokens,
    pub(crate) seed: u64,
    /// How long every answer takes at least, in microseconds.
    pub(crate) latency: AtomicU64,
    /// The `Range` of the latest page of each list, for the fault that repeats one.
    pub(crate) walks: Mutex<HashMap<String, String>>,
    /// The writes that are still to be applied.
    pub(crate) late: Mutex<JoinSet<()>>,
    /// Turns true when the simulator ends, so that nobody goes on waiting for an answer.
    pub(crate) ended: watch::Sender<bool>,
}

/// Leaves the count of requests in flight when dropped, also when the client hangs up.
struct InFlight(Arc<Shared>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.ledger.leave();
    }
}

/// Answers one request.
pub(crate) async fn serve(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(Wire(line)): ConnectInfo<Wire>,
    request: Request,
) -> Response {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let text = |name: &str| parts.headers.get(name).and_then(|v| v.to_str().ok()).map(ToOwned::to_owned);
    let path = parts.uri.path();
    let whole_path = parts.uri.path_and_query().map_or(path, |whole| whole.as_str()).to_owned();
    let method = method_of(parts.method.as_str(), text("x-http-method-override"));
    let pattern = routes::find(&method, path).map_or("(unknown)", |(rule, _)| rule.path);
    let seen = Seen {
        number: 0,
        method: method.clone(),
        path: whole_path.clone(),
        range: text("range"),
        accept: text("accept"),
        status: 0,
        bytes: 0,
        fault: None,
    };
    let number = shared.ledger.arrive(seen, format!("{method} {pattern}"));
    let _in_flight = InFlight(Arc::clone(&shared));
    let body = to_bytes(body, BODY_LIMIT).await;
    let whole = body.is_ok();
    let query = parts.uri.query().unwrap_or_default();
    let asked = Asked { method, path, query, headers: &parts.headers, body: body.unwrap_or_default() };
    // A body that breaks off is no request: what it would have asked for is not known.
    let order = (whole && routes::changes(&asked.method, path)).then(|| {
        shared.book.arrive(Arrival {
            request: number,
            method: asked.method.clone(),
            path: whole_path,
            body: journal::legible(&asked.body),
            request_id: text("request-id"),
            token: token::nickname(asked.header("authorization")),
            at: started,
        })
    });

    let fault = if whole { shared.faults.strike(number, order, path) } else { None };
    if let (Some(order), Some(kind)) = (order, fault) {
        shared.book.struck(order, kind.as_str());
    }
    let mut reply = shared.meet(&asked, number, order, fault, whole);
    let delivery =
        fault.map_or(Delivery::Plain, |kind| mishap::spoil(kind, &mut reply, &line, number, shared.seed));
    let silent = line.is_reset() || matches!(delivery, Delivery::Never);
    let status = if silent { 0 } else { reply.status };
    shared.ledger.answer(number, status, reply.body.len() as u64, fault.map(FaultKind::as_str));
    let latency = Duration::from_micros(shared.latency.load(Ordering::Relaxed));
    if let Some(rest) = latency.checked_sub(started.elapsed()).filter(|rest| !rest.is_zero()) {
        tokio::time::sleep(rest).await;
    }
    match delivery {
        Delivery::After(wait) => tokio::time::sleep(wait).await,
        Delivery::Never => {
            // When the client gives up, this whole future goes with its connection.
            drop(shared.ended.subscribe().wait_for(|ended| *ended).await);
            line.reset();
        }
        Delivery::Plain | Delivery::Drip(_) | Delivery::Huge => {}
    }
    if let Some(order) = order.filter(|_| !silent) {
        shared.book.answer(order, reply.status);
    }
    reply.into_response(&delivery)
}

/// True for faults under which the request must have no effect.
const fn keeps_off(kind: FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::RateLimit429
            | FaultKind::ServerError500
            | FaultKind::BadGatewayHtml502
            | FaultKind::Unavailable503
            | FaultKind::Unauthorized401
            | FaultKind::Forbidden403
            | FaultKind::NotFound404
            | FaultKind::ConnectionReset
            | FaultKind::Write(WriteFault::Dropped(_))
    )
}

impl Shared {
    pub(crate) fn stats(&self) -> Stats {
        let mut stats = self.ledger.totals();
        stats.remaining = self.pool.left();
        stats.lowest_remaining = self.pool.lowest();
        stats
    }

    /// The answer before it is spoilt, with everything that the request does to the estate.
    fn meet(
        self: &Arc<Self>,
        asked: &Asked<'_>,
        number: u64,
        order: Option<u64>,
        fault: Option<FaultKind>,
        whole: bool,
    ) -> Reply {
        let mut reply = self.head(asked, number);
        let refused = match fault {
            _ if !whole => Err(Refusal::malformed_body()),
            // These never reach the estate; any other fault spoils the true answer, after the fact.
            Some(kind) if keeps_off(kind) => {
                if let Some(order) = order {
                    self.book.drop_write(order);
                }
                return reply;
            }
            Some(FaultKind::Write(WriteFault::Late(_, delay))) => {
                self.postpone(asked, number, order, delay, &mut reply)
            }
            other => self.attempt(asked, order, other == Some(FaultKind::RepeatedPage), &mut reply),
        };
        if let Err(refusal) = refused {
            if let Some(order) = order {
                self.book.refuse(order, &refusal);
            }
            reply.refuse(&refusal);
        }
        reply
    }

    fn attempt(
        &self,
        asked: &Asked<'_>,
        order: Option<u64>,
        repeat: bool,
        reply: &mut Reply,
    ) -> Result<(), Refusal> {
        let Some(entered) = self.enter(asked, repeat, reply)? else { return Ok(()) };
        let answer = self.answer(&entered.call, order)?;
        reply.fill(answer, entered.rule, asked);
        if entered.points_at_itself {
            // There is no page before the first: it points at itself instead.
            reply.status = 206;
            let own = entered.range.unwrap_or_else(|| format!("id ..; max={}", entered.call.range.max));
            reply.set("next-range", own);
        }
        Ok(())
    }

    fn answer(&self, call: &Call, order: Option<u64>) -> Result<Answer, Refusal> {
        let Some(order) = order else { return self.estate.read(call) };
        self.estate.write(call, |turn, effects| self.book.apply(order, turn, effects))
    }

    /// Lets a write in, and applies it after a while, whatever has become of its sender and of the estate by then.
    fn postpone(
        self: &Arc<Self>,
        asked: &Asked<'_>,
        number: u64,
        order: Option<u64>,
        delay: Delay,
        reply: &mut Reply,
    ) -> Result<(), Refusal> {
        let (Some(entered), Some(order)) = (self.enter(asked, false, reply)?, order) else { return Ok(()) };
        let wait = delay.draw(self.seed, number);
        self.book.postpone(order, wait);
        let shared = Arc::clone(self);
        let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        while late.try_join_next().is_some() {}
        late.spawn(async move {
            tokio::time::sleep(wait).await;
            if let Err(refusal) = shared.answer(&entered.call, Some(order)) {
                shared.book.refuse(order, &refusal);
            }
        });
        Ok(())
    }
}

/// Every request goes to [`serve`], which knows the table of routes itself.
pub(crate) fn router(shared: Arc<Shared>) -> axum::Router {
    axum::Router::<Arc<Shared>>::new().fallback(serve).with_state(shared)
}
