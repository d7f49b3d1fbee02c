//! What tasks ask for, done.
//!
//! Grants, revocations and events are answered as a parent process would have them answered; a sync is written as a
//! one-shot run writes it.
//!
//! Invariant: a sync in a task is a file of its own, with one sync in it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use metsuke_baton::c1z::Keep;
use metsuke_baton::expand::Expand;
use metsuke_baton::id::ResourceKey;
use metsuke_baton::proto::connector::{
    ConnectorMetadata, GrantManagerServiceGrantRequest, GrantManagerServiceGrantResponse,
    GrantManagerServiceRevokeRequest, GrantManagerServiceRevokeResponse, ListEventFeedsRequest,
    ListEventFeedsResponse, ListEventsRequest, ListEventsResponse,
};
use metsuke_baton::service::{self, Caller, Calls, calls};
use metsuke_baton::shape::{Options, Type};
use metsuke_baton::tasks::{self, Failed, SyncOrder};
use metsuke_engine::connector::Connector;
use metsuke_model::Clock;
use tokio_util::sync::CancellationToken;

use crate::estate::Estate;
use crate::failure::{self, Code, Failure};
use crate::progress::Reporter;
use crate::settings::{Service, Settings, Skip, Wish};
use crate::sync::{self, Place};

/// The connector, as tasks have it, on whichever thread they are.
#[derive(Debug)]
pub(super) struct Worker {
    caller: Caller,
    estate: Arc<Connector>,
    clock: Arc<dyn Clock>,
    shape: Options,
    types: BTreeSet<Type>,
    empty: bool,
}

impl Worker {
    /// Over an estate; and what answers its calls, which has to run beside it.
    pub(super) fn new(estate: &Estate, settings: &Settings, service: &Service) -> (Self, Calls) {
        let (caller, calls) = calls(&Arc::new(estate.service(settings)));
        let worker = Self {
            caller,
            estate: Arc::clone(&estate.connector),
            clock: Arc::clone(&estate.clock),
            shape: settings.shape,
            types: settings.types.clone(),
            empty: service.skip_full_sync,
        };
        (worker, calls)
    }

    /// What an order comes to.
    fn wish(&self, order: &SyncOrder) -> Result<Wish, Failure> {
        let unknown =
            |kind: &str| Failure::new(Code::InvalidArgument, format!("there is no resource type `{kind}`"));
        let kinds = order.resource_types.iter().map(|kind| Type::parse(kind).ok_or_else(|| unknown(kind)));
        let kinds: BTreeSet<Type> = kinds.collect::<Result<_, _>>()?;
        let resources = order.resources.iter().filter_map(|resource| resource.id.as_ref());
        let skip = match (order.resources_only, order.skip_grants) {
            (true, _) => Skip::EntitlementsAndGrants,
            (false, true) => Skip::Grants,
            (false, false) => Skip::Nothing,
        };
        Ok(Wish {
            expand: if order.expand { Expand::Auto } else { Expand::Never },
            resources: resources.map(|id| ResourceKey::new(&id.resource_type, &id.resource)).collect(),
            types: if kinds.is_empty() { self.types.clone() } else { kinds },
            skip,
            empty: self.empty,
        })
    }
}

impl tasks::Worker for Worker {
    async fn metadata(&self) -> Result<ConnectorMetadata, Failed> {
        let answer = self
            .caller
            .answer(|connector| async move { connector.metadata() })
            .await
            .map_err(|failure| failed(&failure))?;
        Ok(answer.metadata.unwrap_or_default())
    }

    async fn validate(&self) -> Result<(), Failed> {
        let answer = self.caller.answer(|connector| async move { connector.validate().await });
        answer.await.map(drop).map_err(|failure| failed(&failure))
    }

    async fn sync(&self, order: SyncOrder, cancel: CancellationToken) -> Result<PathBuf, Failed> {
        let wish = self.wish(&order).map_err(|error| failed(&told(&error.into())))?;
        let file = order.folder.join("sync.c1z");
        let place =
            Place { file: file.clone(), folder: order.folder, keep: Keep::OnlyNew, shape: self.shape };
        let (estate, clock) = (Arc::clone(&self.estate), Arc::clone(&self.clock));
        let synced = self.caller.answer(|_| async move {
            let progress = Reporter::quiet();
            let synced = sync::run(&estate, &*clock, &wish, place, &progress, &cancel).await;
            synced.map(drop).map_err(|error| told(&error))
        });
        match synced.await {
            Ok(()) => Ok(file),
            Err(failure) => {
                // The next attempt would end as this one did.
                let non_retryable = matches!(failure.code(), Code::InvalidArgument | Code::Unimplemented);
                Err(Failed { non_retryable, ..failed(&failure) })
            }
        }
    }

    async fn grant(
        &self,
        request: GrantManagerServiceGrantRequest,
        _: CancellationToken,
    ) -> Result<GrantManagerServiceGrantResponse, Failed> {
        let answer = self.caller.finish(|connector| async move { connector.grant(&request).await });
        answer.await.map_err(|failure| failed(&failure))
    }

    async fn revoke(
        &self,
        request: GrantManagerServiceRevokeRequest,
        _: CancellationToken,
    ) -> Result<GrantManagerServiceRevokeResponse, Failed> {
        let answer = self.caller.finish(|connector| async move { connector.revoke(&request).await });
        answer.await.map_err(|failure| failed(&failure))
    }

    async fn list_event_feeds(
        &self,
        _: ListEventFeedsRequest,
        _: CancellationToken,
    ) -> Result<ListEventFeedsResponse, Failed> {
        let answer = self.caller.answer(|connector| async move { connector.list_event_feeds() });
        answer.await.map_err(|failure| failed(&failure))
    }

    async fn list_events(
        &self,
        request: ListEventsRequest,
        cancel: CancellationToken,
    ) -> Result<ListEventsResponse, Failed> {
        let listing = self.caller.answer(|connector| async move { connector.list_events(&request).await });
        match cancel.run_until_cancelled(listing).await {
            Some(answer) => answer.map_err(|failure| failed(&failure)),
            None => Err(Failed::new(Code::Cancelled.number(), "stopped")),
        }
    }
}

fn failed(failure: &service::Failure) -> Failed {
    failure.status().clone().into()
}

/// An error of a sync, as a call ends with it.
fn told(error: &anyhow::Error) -> service::Failure {
    service::Failure::new(failure::code(error), failure::message(error))
}
