//! Log lines on stderr.
//!
//! Errors that end the program are not log lines; [`failure`](crate::failure) tells them.
//!
//! Invariant: crates of others speak only when they warn.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt};

use crate::args::{LogFormat, LogLevel};
use crate::config::Environment;
use crate::traces::Traces;

/// Starts logging, and keeping spans where they are wanted; everything before it is lost.
pub(crate) fn start(level: LogLevel, format: LogFormat, environment: &Environment, traces: Option<&Traces>) {
    let level = match level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    // A statement that reads a million rows is slow by right; whoever looks closer is told.
    let statements = if level >= LevelFilter::DEBUG { LevelFilter::WARN } else { LevelFilter::OFF };
    let targets = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target("metsuke", level)
        .with_target("sqlx::query", statements);
    let colour = io::stderr().is_terminal() && !environment.no_color();
    let lines = fmt::layer().with_writer(io::stderr);
    let lines = match format {
        LogFormat::Text => lines.with_ansi(colour).with_filter(targets).boxed(),
        LogFormat::Json => lines.json().with_filter(targets).boxed(),
    };
    // Spans are kept whatever is logged.
    let ours = Targets::new().with_target("metsuke", LevelFilter::INFO);
    let spans = traces.map(|traces| traces.layer().with_filter(ours));
    // It fails only where logging was started before.
    drop(tracing_subscriber::registry().with(lines).with(spans).try_init());
}
