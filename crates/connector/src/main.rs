//! The program `baton-heroku`: a connector for Heroku, in the place of one made with the ecosystem's own kit.
//!
//! What it shows and changes stands in the engine, how that is said in the Baton door; here are flags, settings, and
//! what runs when.
//!
//! Invariant: data goes to stdout, everything else to stderr or into log files, and the exit code is gRPC's.

mod command;
mod commands;
mod failure;
mod fields;
mod schema;
mod signals;
mod telemetry;
mod values;

use std::io::Write as _;
use std::process::ExitCode;

use crate::command::{Asked, Parsed, Verb};
use crate::values::{Environment, Values};

fn main() -> ExitCode {
    let ended = match command::parse(std::env::args_os()) {
        Ok(Parsed::Told(text)) => print(&text),
        Ok(Parsed::Asked(asked)) => start(&asked),
        Err(failure) => Err(failure.into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure::report(&error).map_or(ExitCode::SUCCESS, Into::into),
    }
}

fn start(asked: &Asked) -> anyhow::Result<()> {
    match &asked.verb {
        Verb::Config => return print(&schema::document()?),
        Verb::Completion(shell) => return print(&command::completion(*shell)),
        Verb::Run | Verb::ConnectorService | Verb::Capabilities | Verb::HealthCheck { .. } => {}
    }
    let environment = Environment::read();
    let values = Values::gather(&asked.flags, &environment)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if let Verb::HealthCheck { endpoint, timeout } = &asked.verb {
        return Ok(runtime.block_on(commands::health_check::run(&values, endpoint, timeout))?);
    }
    values.check()?;
    telemetry::start(&values)?;
    Ok(())
}

/// Prints text as it is.
fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()?;
    Ok(())
}
