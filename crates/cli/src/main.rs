//! The program `metsuke`: parses the command line, runs one command, and ends with its exit code.
//!
//! What the commands do stands in `commands`; what they know stands in the engine.
//!
//! Invariant: data goes to stdout, everything else to stderr, and a closed pipe is no error.

mod args;
mod commands;
mod config;
mod context;
#[cfg(test)]
mod deployment;
mod failure;
mod grid;
mod limits;
mod operator;
mod output;
mod page;
mod paths;
mod progress;
mod question;
mod remote;
mod rows;
mod settings;
mod sign_in;
mod signals;
mod telemetry;
mod text;
mod traces;
mod work;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;

use crate::args::{Cli, LogFormat, LogLevel};
use crate::config::{Config, Environment};
use crate::context::Context;
use crate::failure::Exit;
use crate::traces::Traces;

/// Memory that a job had is given back when the job is over; the system's allocator keeps most of it
/// ([decision 17](../../../docs/adr/0017-allocator.md)). How it is set stands in `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Threads that answer requests.
const SERVING: usize = 2;

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => start(cli).into(),
        Err(said) => {
            // A closed pipe behind `--help` is nobody's error.
            drop(said.print());
            u8::try_from(said.exit_code()).unwrap_or(2).into()
        }
    }
}

fn start(cli: Cli) -> Exit {
    let Cli { global, command } = cli;
    let environment = match Environment::read(global.config.as_deref()) {
        Ok(environment) => environment,
        Err(failure) => return failure::report(&failure.into()),
    };
    let level = global.log_level.or_else(|| environment.word("log.level"));
    let format = global.log_format.or_else(|| environment.word("log.format"));
    let (level, format) = (level.unwrap_or(LogLevel::Warn), format.unwrap_or(LogFormat::Text));
    // Memory is what a thread costs: each one that allocates keeps a heap of its own. One thread runs everything, a
    // second one reads large answers, and SQLite has its own.
    // A server has a few, so that one long answer holds nobody up.
    let runtime = if command.serves() {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(SERVING)
            .max_blocking_threads(SERVING * 8)
            // What others gave back of a thread's memory is free to all when the thread has ended.
            .thread_keep_alive(Duration::from_secs(1))
            .enable_all()
            .build()
    } else {
        tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).enable_all().build()
    };
    let ended = match runtime {
        Ok(runtime) => {
            // Only what goes on for long is traced.
            let traces = if command.serves() {
                Traces::begin(environment.traces(), runtime.handle())
            } else {
                Ok(None)
            };
            let traces = match traces {
                Ok(traces) => traces,
                Err(failure) => return failure::report(&failure.into()),
            };
            telemetry::start(level, format, &environment, traces.as_ref());
            let context = Context::new(Config::new(global, environment));
            let ended = runtime.block_on(signals::heeding(&context, command));
            if let Some(traces) = traces {
                traces.end();
            }
            // What was abandoned ends with the program; nothing waits for it.
            runtime.shutdown_background();
            ended
        }
        Err(error) => Err(anyhow::Error::from(error).context("the program cannot start its threads")),
    };
    ended.unwrap_or_else(|error| failure::report(&error))
}
