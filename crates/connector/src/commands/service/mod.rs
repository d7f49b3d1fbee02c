//! Service mode: asks ConductorOne for tasks and does them until it is stopped.
//!
//! The loop, the leases and the uploads are the Baton door's; what a task does is in [`worker`].
//!
//! Invariant: a stop that was asked for is a good end.

mod worker;

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;

use metsuke_baton::tasks::health::Health;
use metsuke_baton::tasks::{self, Build, Concurrency, HostId};
use metsuke_engine::c1::{self, Redactor, Tokens};
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::command::NAME;
use crate::estate::Estate;
use crate::failure::Failure;
use crate::settings::{Service, Settings};
use worker::Worker;

/// The time from the wish to stop until everything has stopped; a process is often killed after thirty seconds.
const GRACE: Duration = Duration::from_secs(14);

/// Serves until `cancel` is set.
///
/// # Errors
///
/// Why C1 does not take the connector, or the health endpoints cannot be served.
pub(crate) async fn run(
    estate: &Estate,
    settings: &Settings,
    service: &Service,
    cancel: &CancellationToken,
) -> anyhow::Result<()> {
    let credentials = c1::credentials(&service.client_id, service.client_secret.clone())?;
    let mut c1 = c1::Settings::new(credentials);
    c1.api_host.clone_from(&service.host);
    c1.user_agent = format!("{NAME}/{}", env!("CARGO_PKG_VERSION"));
    let tokens = Tokens::new(c1, Arc::clone(&estate.clock))?;
    let (worker, calls) = Worker::new(estate, settings, service);
    let worker = Arc::new(worker);
    let secrets = vec![settings.heroku.token.clone(), service.client_secret.clone()];
    let redactor = Redactor::new(&secrets);
    let own = tasks::Settings { secrets, ..own(estate, service) };
    let serving = tasks::Service::new(tokens, Arc::clone(&worker), own, Arc::clone(&estate.clock))?;
    let health = match &service.health {
        Some((host, port)) => Some(Health::bind(address(host, *port)?).await?),
        None => None,
    };
    let (ready, clock, stop) = (serving.ready(), Arc::clone(&estate.clock), cancel.child_token());
    let healthy = async {
        let Some(health) = health else { return Ok(()) };
        info!("health checks are served at `{}`", health.address());
        let served = health.serve(Arc::clone(&worker), ready, clock, redactor, stop.clone()).await;
        // Without health checks a watchman would end the process anyway.
        stop.cancel();
        served
    };
    // Calls are answered until the last task has ended, which is after the stop.
    let ended = CancellationToken::new();
    let serving = async {
        let served = Box::pin(serving.run(stop.clone())).await;
        stop.cancel();
        ended.cancel();
        served
    };
    let (served, healthy, ()) = tokio::join!(serving, healthy, calls.work(&ended));
    served?;
    Ok(healthy?)
}

/// The settings of the loop.
fn own(estate: &Estate, service: &Service) -> tasks::Settings {
    let build = Build { package: NAME.into(), version: env!("CARGO_PKG_VERSION").into() };
    let mut own = tasks::Settings::new(HostId::choose(service.host_id.as_deref()), build);
    own.batches = service.batches;
    own.concurrency = Concurrency::new(service.concurrency).unwrap_or_default();
    own.temp_dir = Some(estate.folder().to_owned());
    own.times.grace = GRACE;
    own
}

fn address(host: &str, port: u16) -> Result<SocketAddr, Failure> {
    let found = (host, port).to_socket_addrs().ok().and_then(|mut found| found.next());
    found.ok_or_else(|| {
        Failure::usage(format!("--health-check-bind-address `{host}` is no address of this machine"))
    })
}
