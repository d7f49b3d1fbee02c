//! The program `baton-heroku`: a connector for Heroku, in the place of one made with the ecosystem's own kit.
//!
//! What it shows and changes stands in the engine, how that is said in the Baton door; here are flags, settings, and
//! what runs when.
//!
//! Invariant: data goes to stdout, everything else to stderr or into log files, and the exit code is gRPC's.

mod command;
mod commands;
#[cfg(test)]
mod deployment;
mod estate;
mod failure;
mod fields;
mod output;
mod progress;
mod schema;
mod settings;
mod signals;
mod sync;
mod telemetry;
mod values;

use std::net::TcpListener;
use std::process::ExitCode;
use std::time::Duration;

use metsuke_baton::capabilities::capabilities_json;
use metsuke_baton::child;
use metsuke_baton::shape::Options;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::command::{Asked, Parsed, Verb};
use crate::estate::Estate;
use crate::settings::{Mode, Settings};
use crate::values::{Environment, Values};

/// How long threads that cannot be stopped, such as one that waits for standard input, are waited for at the end.
const LINGER: Duration = Duration::from_millis(200);

fn main() -> ExitCode {
    let ended = match command::parse(std::env::args_os()) {
        Ok(Parsed::Told(text)) => output::print(&text).map_err(Into::into),
        Ok(Parsed::Asked(asked)) => start(&asked),
        Err(failure) => Err(failure.into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure::report(&error),
    }
}

fn start(asked: &Asked) -> anyhow::Result<()> {
    match &asked.verb {
        Verb::Config => return Ok(output::print(&schema::document()?)?),
        Verb::Completion(shell) => return Ok(output::print(&command::completion(*shell))?),
        Verb::Run | Verb::ConnectorService | Verb::Capabilities | Verb::HealthCheck { .. } => {}
    }
    let environment = Environment::read();
    // First of all: it may start this program anew.
    let listener = match asked.verb {
        Verb::ConnectorService => Some(child::inherited(environment.listener.as_deref())?),
        _ => None,
    };
    let values = Values::gather(&asked.flags, &environment)?;
    if asked.verb == Verb::Capabilities {
        let options = Options { newer_annotations: values.flag("newer-annotations") };
        return Ok(output::print(&capabilities_json(options))?);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let ended = runtime.block_on(run(asked, &values, &environment, listener));
    runtime.shutdown_timeout(LINGER);
    ended
}

async fn run(
    asked: &Asked,
    values: &Values,
    environment: &Environment,
    listener: Option<TcpListener>,
) -> anyhow::Result<()> {
    if let Verb::HealthCheck { endpoint, timeout } = &asked.verb {
        return Ok(commands::health_check::run(values, endpoint, timeout).await?);
    }
    values.check()?;
    telemetry::start(values)?;
    let settings = Settings::read(values, environment)?;
    note(values);
    let cancel = CancellationToken::new();
    let estate = Estate::open(&settings).await?;
    let run = async {
        match (&settings.mode, listener) {
            (_, Some(listener)) => commands::child::run(&estate, &settings, listener, &cancel).await,
            (Mode::Sync(wish), None) => commands::sync::run(&estate, &settings, wish, &cancel).await,
            (Mode::Grant { entitlement, principal }, None) => {
                commands::provision::grant(&estate, &settings, entitlement, principal).await
            }
            (Mode::Revoke(grant), None) => commands::provision::revoke(&estate, &settings, grant).await,
            (Mode::Events(events), None) => commands::events::run(&estate, &settings, events, &cancel).await,
            (Mode::Service(service), None) => {
                Box::pin(commands::service::run(&estate, &settings, service, &cancel)).await
            }
        }
    };
    Box::pin(signals::heeding(&cancel, Box::pin(run))).await
}

/// Says what was set and does nothing.
fn note(values: &Values) {
    for (name, why) in values.idle() {
        warn!(setting = name, reason = why, "a setting has no effect");
    }
    for name in values.strangers() {
        warn!(setting = name, "the configuration file names what is no setting of this connector");
    }
}
