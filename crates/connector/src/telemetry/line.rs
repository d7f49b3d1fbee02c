//! One log line: its keys `level`, `ts`, `caller` and `msg`, and what else was said with it.
//!
//! Whether it is written, and where, is decided in [`telemetry`](super).
//!
//! Source: the keys and layouts that connectors of the ecosystem have from their logger, which collectors read.
//!
//! Invariant: a line ends where it ends: what is said in it holds no line end of its own.

use std::fmt;
use std::time::Duration;

use metsuke_model::Moment;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level};

/// What is written of an event.
#[derive(Debug)]
pub(super) struct Line {
    level: Level,
    /// Since 1970.
    time: Duration,
    caller: String,
    message: String,
    fields: Map<String, Value>,
}

impl Line {
    /// An event, as it is told at a time.
    pub(super) fn of(event: &Event<'_>, time: Duration) -> Self {
        let metadata = event.metadata();
        let mut said = Said { message: String::new(), fields: Map::new() };
        event.record(&mut said);
        let caller = match (metadata.file(), metadata.line()) {
            (Some(file), Some(line)) => format!("{}:{line}", short(file)),
            _ => metadata.target().to_owned(),
        };
        Self { level: *metadata.level(), time, caller, message: said.message, fields: said.fields }
    }

    /// One JSON object.
    pub(super) fn json(&self) -> String {
        let level = self.level.as_str().to_lowercase();
        let (seconds, micros) = (self.time.as_secs(), self.time.subsec_micros());
        let mut text = format!(
            "{{\"level\":\"{level}\",\"ts\":{seconds}.{micros:06},\"caller\":{},\"msg\":{}",
            Value::from(self.caller.as_str()),
            Value::from(self.message.as_str()),
        );
        for (name, value) in &self.fields {
            for part in [",", &Value::from(name.as_str()).to_string(), ":", &value.to_string()] {
                text.push_str(part);
            }
        }
        text.push_str("}\n");
        text
    }

    /// Columns between tabs.
    pub(super) fn console(&self) -> String {
        let micros = i64::try_from(self.time.as_micros()).unwrap_or_default();
        let time = Moment(micros).to_string();
        let message = crate::failure::shown(&self.message);
        let mut text = format!("{time}\t{}\t{}\t{message}", self.level, self.caller);
        if !self.fields.is_empty() {
            text.push('\t');
            text.push_str(&Value::Object(self.fields.clone()).to_string());
        }
        text.push('\n');
        text
    }
}

/// The file with the folder that it is in.
fn short(file: &str) -> &str {
    let mut slashes = file.rmatch_indices('/').map(|(place, _)| place);
    slashes.next();
    slashes.next().map_or(file, |place| file.get(place + 1..).unwrap_or(file))
}

struct Said {
    message: String,
    fields: Map<String, Value>,
}

impl Said {
    fn put(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(text)) => self.message = text,
            (name, value) => drop(self.fields.insert(name.to_owned(), value)),
        }
    }
}

impl Visit for Said {
    fn record_f64(&mut self, field: &Field, value: f64) {
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

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(message: &str) -> Line {
        let mut fields = Map::new();
        fields.insert("entity.count".into(), 3.into());
        Line {
            level: Level::INFO,
            time: Duration::from_micros(1_700_000_000_000_250),
            caller: "src/main.rs:7".into(),
            message: message.into(),
            fields,
        }
    }

    #[test]
    fn json_has_the_keys_that_collectors_read() {
        let told = "{\"level\":\"info\",\"ts\":1700000000.000250,\"caller\":\"src/main.rs:7\",\"msg\":\"read \\\"x\\\"\",\
                    \"entity.count\":3}\n";
        assert_eq!(line("read \"x\"").json(), told);
        assert!(serde_json::from_str::<Value>(told).is_ok());
    }

    #[test]
    fn a_console_line_is_one_line() {
        let told = line("a\nb").console();
        assert_eq!(told.matches('\n').count(), 1, "{told}");
        assert!(told.ends_with("\tINFO\tsrc/main.rs:7\ta\\u{a}b\t{\"entity.count\":3}\n"), "{told}");
    }

    #[test]
    fn the_caller_is_the_file_in_its_folder() {
        assert_eq!(short("crates/engine/src/sync/mod.rs"), "sync/mod.rs");
        assert_eq!(short("main.rs"), "main.rs");
    }
}
