//! The log of one task, as a file: what the program says while it works on the task.
//!
//! Which tasks are logged, and what becomes of the file, is decided elsewhere. Ordinary logging goes on as it was.
//!
//! Invariant: no line holds a secret; crates of others speak only when they warn.

use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use metsuke_engine::c1::Redactor;
use metsuke_model::clock::Clock;
use serde_json::{Map, Value};
use tempfile::TempDir;
use tracing::dispatcher::{self, Dispatch};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{Interest, Subscriber};
use tracing::{Event, Level, Metadata};

/// The most bytes of a log.
const MOST: usize = 16 << 20;

/// A log that is being written.
pub(super) struct Diary {
    folder: TempDir,
    pages: Arc<Pages>,
}

struct Pages {
    file: Mutex<(BufWriter<File>, usize)>,
    clock: Arc<dyn Clock>,
    redactor: Redactor,
}

impl Diary {
    /// Begins a log in a folder of its own.
    pub(super) fn begin(
        folder: Option<&Path>,
        clock: Arc<dyn Clock>,
        redactor: Redactor,
    ) -> io::Result<Self> {
        let folder = folder_in(folder)?;
        let file = BufWriter::new(File::create(folder.path().join("debug.log"))?);
        Ok(Self { folder, pages: Arc::new(Pages { file: Mutex::new((file, 0)), clock, redactor }) })
    }

    /// What writes the log, and passes everything on to what logs already.
    pub(super) fn subscriber(&self) -> Dispatch {
        let outer = dispatcher::get_default(Clone::clone);
        Dispatch::new(Tee { outer, pages: Arc::clone(&self.pages) })
    }

    /// Where the log is, with all of it written.
    pub(super) fn path(&self) -> io::Result<PathBuf> {
        self.pages.file.lock().unwrap_or_else(PoisonError::into_inner).0.flush()?;
        Ok(self.folder.path().join("debug.log"))
    }
}

/// A new folder that only this user may read, removed with its value.
pub(super) fn folder_in(folder: Option<&Path>) -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("baton-heroku-");
    folder.map_or_else(|| builder.tempdir(), |folder| builder.tempdir_in(folder))
}

impl Pages {
    fn write(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let mut line = Line(Map::new());
        let texts = [
            ("level", metadata.level().as_str().to_lowercase()),
            ("ts", self.clock.now().to_string()),
            ("logger", metadata.target().to_owned()),
        ];
        line.0.extend(texts.map(|(name, text)| (name.to_owned(), text.into())));
        event.record(&mut line);
        let mut text = self.redactor.clean(&Value::Object(line.0).to_string());
        text.push('\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.1 += text.len();
        if file.1 <= MOST {
            // A full disk spoils the log and not the task.
            drop(file.0.write_all(text.as_bytes()));
        }
    }
}

/// The fields of an event.
struct Line(Map<String, Value>);

impl Line {
    fn put(&mut self, field: &Field, value: Value) {
        let name = if field.name() == "message" { "msg" } else { field.name() };
        self.0.insert(name.to_owned(), value);
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }
}

/// Writes events down, and passes everything on.
struct Tee {
    outer: Dispatch,
    pages: Arc<Pages>,
}

/// Whether an event belongs into the log.
fn belongs(metadata: &Metadata<'_>) -> bool {
    let loudest = if metadata.target().starts_with("metsuke") { Level::DEBUG } else { Level::WARN };
    metadata.is_event() && *metadata.level() <= loudest
}

impl Subscriber for Tee {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.outer.enabled(metadata) || belongs(metadata)
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.outer.new_span(span)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        self.outer.record(span, values);
    }

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        self.outer.record_follows_from(span, follows);
    }

    fn event(&self, event: &Event<'_>) {
        if belongs(event.metadata()) {
            self.pages.write(event);
        }
        if self.outer.enabled(event.metadata()) {
            self.outer.event(event);
        }
    }

    fn enter(&self, span: &Id) {
        self.outer.enter(span);
    }

    fn exit(&self, span: &Id) {
        self.outer.exit(span);
    }

    fn clone_span(&self, id: &Id) -> Id {
        self.outer.clone_span(id)
    }

    fn try_close(&self, id: Id) -> bool {
        self.outer.try_close(id)
    }
}
