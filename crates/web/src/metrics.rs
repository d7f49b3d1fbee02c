//! Figures about the server itself, for Prometheus.
//!
//! Invariant: labels come from closed sets, and no figure tells anything of an estate but counts.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use metsuke_engine::identity::Operation;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// What labels a request: its operation and the first digit of its status.
type Request = [(&'static str, &'static str); 2];

/// Upper ends of the buckets, in seconds.
const BUCKETS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0, 60.0];

/// Figures about the server itself.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    took: Family<[(&'static str, &'static str); 1], Histogram>,
    refused: Counter,
    connectors: Family<[(&'static str, &'static str); 1], Gauge>,
    jobs: Family<[(&'static str, &'static str); 1], Gauge>,
    started: Gauge<f64, AtomicU64>,
}

impl Metrics {
    /// All of them at nothing, but for the moment of the start, in seconds.
    pub(crate) fn new(started: f64) -> Self {
        let metrics = Self {
            registry: Registry::with_prefix("metsuke"),
            requests: Family::default(),
            took: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            refused: Counter::default(),
            connectors: Family::default(),
            jobs: Family::default(),
            started: Gauge::default(),
        };
        metrics.started.set(started);
        metrics.registered()
    }

    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        registry.register("http_requests", "Requests that were answered", self.requests.clone());
        let help = "How long answers took";
        registry.register_with_unit("http_request_duration", help, Unit::Seconds, self.took.clone());
        registry.register(
            "http_unauthenticated",
            "Requests with a token that is not accepted",
            self.refused.clone(),
        );
        registry.register("connectors", "Connectors by state", self.connectors.clone());
        registry.register("jobs", "Jobs that wait, are in hand, or were given up", self.jobs.clone());
        let help = "When the server started, since 1970";
        registry.register_with_unit("start_time", help, Unit::Seconds, self.started.clone());
        self
    }

    /// A request was answered.
    pub(crate) fn answered(&self, operation: Operation, status: u16, took: Duration) {
        let class = match status / 100 {
            1 => "1xx",
            2 => "2xx",
            3 => "3xx",
            4 => "4xx",
            _ => "5xx",
        };
        self.requests.get_or_create(&[("operation", operation.id()), ("status", class)]).inc();
        self.took.get_or_create(&[("operation", operation.id())]).observe(took.as_secs_f64());
        if status == 401 {
            self.refused.inc();
        }
    }

    /// So many connectors are in these states.
    pub(crate) fn connectors(&self, states: impl Iterator<Item = &'static str>) {
        self.connectors.clear();
        for state in states {
            self.connectors.get_or_create(&[("state", state)]).inc();
        }
    }

    /// So many jobs are in these states.
    pub(crate) fn jobs(&self, counted: impl Iterator<Item = (&'static str, u64)>) {
        for (state, count) in counted {
            self.jobs.get_or_create(&[("state", state)]).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    /// All of them as text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            // Writing to memory does not fail.
            Err(_) => String::new(),
        }
    }
}
