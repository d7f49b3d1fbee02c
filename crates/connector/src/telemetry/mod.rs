//! Log lines, in the two formats of the ecosystem: JSON for programs, columns for people.
//!
//! Errors that end the program are not log lines; [`failure`](crate::failure) tells them.
//!
//! Invariant: crates of others speak only when they warn, lines go to stderr or to the files that were named, and a
//! failed write is no error.

mod line;

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal as _, Write};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use metsuke_engine::c1::Redactor;
use metsuke_model::Moment;
use secrecy::SecretString;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::failure::Failure;
use crate::values::Values;
use line::Line;

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Json,
    Console,
}

/// Starts logging; everything before it is lost.
///
/// # Errors
///
/// [`Failure`] when a file cannot be opened, or when a time cannot be read.
pub(crate) fn start(values: &Values) -> Result<(), Failure> {
    let level = match values.text("log-level") {
        "debug" => LevelFilter::DEBUG,
        "warn" => LevelFilter::WARN,
        "error" => LevelFilter::ERROR,
        _ => LevelFilter::INFO,
    };
    let format = match values.text("log-format") {
        "json" => Format::Json,
        "console" => Format::Console,
        _ if io::stdout().is_terminal() => Format::Console,
        _ => Format::Json,
    };
    let expires = match values.text("log-level-debug-expires-at") {
        "" => None,
        text => Some(micros(Moment::parse(text).ok_or_else(|| {
            Failure::usage("--log-level-debug-expires-at takes a time such as 2026-01-31T12:00:00Z")
        })?)),
    };
    let secrets: Vec<SecretString> =
        ["api-token", "client-secret"].into_iter().filter_map(|name| values.secret(name)).cloned().collect();
    let places = places(values.list("log-path"))?;
    let lines = Lines { level, format, expires, places, redactor: Redactor::new(&secrets) };
    // It fails only where logging was started before.
    drop(tracing_subscriber::registry().with(lines).try_init());
    Ok(())
}

const fn micros(moment: Moment) -> i64 {
    moment.0
}

/// Where lines go.
fn places(paths: &[String]) -> Result<Vec<Mutex<Place>>, Failure> {
    if paths.is_empty() {
        return Ok(vec![Mutex::new(Place::Stderr)]);
    }
    let place = |path: &String| match path.as_str() {
        "stderr" => Ok(Mutex::new(Place::Stderr)),
        "stdout" => Ok(Mutex::new(Place::Stdout)),
        path => match OpenOptions::new().create(true).append(true).open(path) {
            Ok(file) => Ok(Mutex::new(Place::File(file))),
            Err(error) => Err(Failure::usage(format!("log file `{path}` cannot be opened: {error}"))),
        },
    };
    paths.iter().map(place).collect()
}

#[derive(Debug)]
enum Place {
    Stderr,
    Stdout,
    File(File),
}

impl Place {
    fn write(&mut self, line: &str) {
        drop(match self {
            Self::Stderr => io::stderr().lock().write_all(line.as_bytes()),
            Self::Stdout => io::stdout().lock().write_all(line.as_bytes()),
            Self::File(file) => file.write_all(line.as_bytes()),
        });
    }
}

/// Writes events as lines.
struct Lines {
    level: LevelFilter,
    format: Format,
    /// When debug ends, in microseconds since 1970.
    expires: Option<i64>,
    places: Vec<Mutex<Place>>,
    /// The second line of defence: no line holds a secret in the first place.
    redactor: Redactor,
}

impl Lines {
    /// Whether something may be said at all, now or later.
    fn may(&self, metadata: &Metadata<'_>) -> bool {
        let ours = metadata.target().starts_with("metsuke") || metadata.target().starts_with("baton_heroku");
        let level = if ours { self.level } else { self.level.min(LevelFilter::WARN) };
        *metadata.level() <= level
    }

    fn is_over(&self) -> bool {
        self.expires.is_some_and(|expires| i64::try_from(now().as_micros()).is_ok_and(|now| now >= expires))
    }
}

impl<S: Subscriber> Layer<S> for Lines {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        match (self.may(metadata), self.expires) {
            (false, _) => Interest::never(),
            (true, None) => Interest::always(),
            (true, Some(_)) => Interest::sometimes(),
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.may(metadata) && !(*metadata.level() == Level::DEBUG && self.is_over())
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let line = Line::of(event, now());
        let text = match self.format {
            Format::Json => line.json(),
            Format::Console => line.console(),
        };
        let text = self.redactor.clean(&text);
        for place in &self.places {
            place.lock().unwrap_or_else(PoisonError::into_inner).write(&text);
        }
    }
}

fn now() -> std::time::Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
