//! A worker that does as it is told, and remembers what it did.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use metsuke_baton::proto::connector::{
    ConnectorMetadata, GrantManagerServiceGrantRequest, GrantManagerServiceGrantResponse,
    GrantManagerServiceRevokeRequest, GrantManagerServiceRevokeResponse, ListEventFeedsRequest,
    ListEventFeedsResponse, ListEventsRequest, ListEventsResponse,
};
use metsuke_baton::tasks::{Failed, SyncOrder, Worker};
use tokio_util::sync::CancellationToken;

/// What a piece of work does.
#[derive(Clone, Debug)]
pub(crate) enum Play {
    /// It is done after a while; a sync's file has so many bytes.
    Done(Duration, usize),
    /// It goes on until it is cancelled.
    Hold,
    /// It goes on whatever it is told.
    Stubborn,
    Fail(Failed),
    Panic,
}

/// One piece of work that was begun.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) key: String,
    pub(crate) began: Instant,
    /// None while it runs, and where it was stopped by force.
    pub(crate) ended: Option<Instant>,
    pub(crate) cancelled: bool,
}

#[derive(Debug)]
pub(crate) struct Hand {
    play: Mutex<Play>,
    runs: Mutex<Vec<Run>>,
    pub(crate) orders: Mutex<Vec<SyncOrder>>,
    pub(crate) grants: Mutex<Vec<GrantManagerServiceGrantRequest>>,
    pub(crate) revokes: Mutex<Vec<GrantManagerServiceRevokeRequest>>,
    pub(crate) asked_events: Mutex<Vec<ListEventsRequest>>,
    pub(crate) granted: Mutex<GrantManagerServiceGrantResponse>,
    pub(crate) ill: Mutex<Option<Failed>>,
}

impl Hand {
    pub(crate) fn new(play: Play) -> Arc<Self> {
        Arc::new(Self {
            play: Mutex::new(play),
            runs: Mutex::default(),
            orders: Mutex::default(),
            grants: Mutex::default(),
            revokes: Mutex::default(),
            asked_events: Mutex::default(),
            granted: Mutex::default(),
            ill: Mutex::default(),
        })
    }

    /// One that is done at once, with files of so many bytes.
    pub(crate) fn quick(bytes: usize) -> Arc<Self> {
        Self::new(Play::Done(Duration::ZERO, bytes))
    }

    pub(crate) fn play(&self, play: Play) {
        *self.play.lock().unwrap() = play;
    }

    pub(crate) fn runs(&self) -> Vec<Run> {
        self.runs.lock().unwrap().clone()
    }

    /// The most runs at one moment, of those that were ended.
    pub(crate) fn most_at_once(&self) -> usize {
        let runs = self.runs();
        let at = |moment: Instant| {
            runs.iter().filter(|run| run.began <= moment && run.ended.is_none_or(|end| end > moment)).count()
        };
        runs.iter().map(|run| at(run.began)).max().unwrap_or(0)
    }

    async fn run(&self, key: &str, cancel: CancellationToken) -> Result<usize, Failed> {
        let number = {
            let mut runs = self.runs.lock().unwrap();
            runs.push(Run { key: key.to_owned(), began: Instant::now(), ended: None, cancelled: false });
            runs.len() - 1
        };
        let play = self.play.lock().unwrap().clone();
        let outcome = match play {
            Play::Done(time, bytes) => {
                tracing::debug!(target: "metsuke_test", "at work on {key}");
                match cancel.run_until_cancelled(tokio::time::sleep(time)).await {
                    Some(()) => Ok(bytes),
                    None => Err(Failed::new(1, "stopped before the end")),
                }
            }
            Play::Hold => {
                cancel.cancelled().await;
                Err(Failed::new(1, "stopped before the end"))
            }
            Play::Stubborn => std::future::pending().await,
            Play::Fail(failed) => Err(failed),
            Play::Panic => panic!("as asked for"),
        };
        let run = &mut self.runs.lock().unwrap()[number];
        (run.ended, run.cancelled) = (Some(Instant::now()), cancel.is_cancelled());
        outcome
    }
}

/// What a file of so many bytes holds.
pub(crate) fn content(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()[2]).collect()
}

impl Worker for Hand {
    async fn metadata(&self) -> Result<ConnectorMetadata, Failed> {
        Ok(ConnectorMetadata { display_name: "Heroku".to_owned(), ..ConnectorMetadata::default() })
    }

    async fn validate(&self) -> Result<(), Failed> {
        self.ill.lock().unwrap().clone().map_or(Ok(()), Err)
    }

    async fn sync(&self, order: SyncOrder, cancel: CancellationToken) -> Result<PathBuf, Failed> {
        let key = order.resource_types.join(",");
        let path = order.folder.join("sync.c1z");
        self.orders.lock().unwrap().push(order);
        let bytes = self.run(&key, cancel).await?;
        tokio::fs::write(&path, content(bytes)).await.unwrap();
        Ok(path)
    }

    async fn grant(
        &self,
        request: GrantManagerServiceGrantRequest,
        cancel: CancellationToken,
    ) -> Result<GrantManagerServiceGrantResponse, Failed> {
        let key = request.entitlement.clone().unwrap_or_default().id;
        self.grants.lock().unwrap().push(request);
        self.run(&key, cancel).await?;
        Ok(self.granted.lock().unwrap().clone())
    }

    async fn revoke(
        &self,
        request: GrantManagerServiceRevokeRequest,
        cancel: CancellationToken,
    ) -> Result<GrantManagerServiceRevokeResponse, Failed> {
        let key = request.grant.clone().unwrap_or_default().id;
        self.revokes.lock().unwrap().push(request);
        self.run(&key, cancel).await?;
        Ok(GrantManagerServiceRevokeResponse::default())
    }

    async fn list_event_feeds(
        &self,
        _: ListEventFeedsRequest,
        cancel: CancellationToken,
    ) -> Result<ListEventFeedsResponse, Failed> {
        self.run("feeds", cancel).await?;
        Ok(ListEventFeedsResponse::default())
    }

    async fn list_events(
        &self,
        request: ListEventsRequest,
        cancel: CancellationToken,
    ) -> Result<ListEventsResponse, Failed> {
        self.asked_events.lock().unwrap().push(request);
        self.run("events", cancel).await?;
        Ok(ListEventsResponse { cursor: "next".to_owned(), has_more: true, ..Default::default() })
    }
}
