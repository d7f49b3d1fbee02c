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
use metsuke_baton::service;
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

/// The connector, as tasks have it.
#[derive(Debug)]
pub(super) struct Worker {
    answers: service::Connector,
    connector: Arc<Connector>,
    clock: Arc<dyn Clock>,
    shape: Options,
    types: BTreeSet<Type>,
    empty: bool,
}

impl Worker {
    /// Over an estate.
    pub(super) fn new(estate: &Estate, settings: &Settings, service: &Service) -> Self {
        Self {
            answers: estate.service(settings),
            connector: Arc::clone(&estate.connector),
            clock: Arc::clone(&estate.clock),
            shape: settings.shape,
            types: settings.types.clone(),
            empty: service.skip_full_sync,
        }
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

    async fn write(&self, order: SyncOrder, cancel: &CancellationToken) -> anyhow::Result<PathBuf> {
        let wish = self.wish(&order)?;
        let file = order.folder.join("sync.c1z");
        let place =
            Place { file: file.clone(), folder: order.folder, keep: Keep::OnlyNew, shape: self.shape };
        let progress = Reporter::quiet();
        Box::pin(sync::run(&self.connector, &*self.clock, &wish, place, &progress, cancel)).await?;
        Ok(file)
    }
}

impl tasks::Worker for Worker {
    async fn metadata(&self) -> Result<ConnectorMetadata, Failed> {
        let answer = self.answers.metadata().map_err(failed)?;
        Ok(answer.metadata.unwrap_or_default())
    }

    async fn validate(&self) -> Result<(), Failed> {
        self.answers.validate().await.map(drop).map_err(failed)
    }

    async fn sync(&self, order: SyncOrder, cancel: CancellationToken) -> Result<PathBuf, Failed> {
        self.write(order, &cancel).await.map_err(|error| {
            let code = failure::code(&error);
            let mut failed = Failed::new(code.number(), failure::message(&error));
            // The next attempt would end as this one did.
            failed.non_retryable = matches!(code, Code::InvalidArgument | Code::Unimplemented);
            failed
        })
    }

    async fn grant(
        &self,
        request: GrantManagerServiceGrantRequest,
        _: CancellationToken,
    ) -> Result<GrantManagerServiceGrantResponse, Failed> {
        Box::pin(self.answers.grant(&request)).await.map_err(failed)
    }

    async fn revoke(
        &self,
        request: GrantManagerServiceRevokeRequest,
        _: CancellationToken,
    ) -> Result<GrantManagerServiceRevokeResponse, Failed> {
        Box::pin(self.answers.revoke(&request)).await.map_err(failed)
    }

    async fn list_event_feeds(
        &self,
        _: ListEventFeedsRequest,
        _: CancellationToken,
    ) -> Result<ListEventFeedsResponse, Failed> {
        self.answers.list_event_feeds().map_err(failed)
    }

    async fn list_events(
        &self,
        request: ListEventsRequest,
        cancel: CancellationToken,
    ) -> Result<ListEventsResponse, Failed> {
        let listing = self.answers.list_events(&request);
        match cancel.run_until_cancelled(listing).await {
            Some(answer) => answer.map_err(failed),
            None => Err(Failed::new(Code::Cancelled.number(), "stopped")),
        }
    }
}

fn failed(failure: service::Failure) -> Failed {
    failure.status().clone().into()
}
