//! The configuration file: YAML, one setting a line.
//!
//! Which of its names are settings is not known here.
//!
//! Invariant: a message about the file names a line and never its text, which may be a secret.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use saphyr_parser::{Event, Parser, Span};

use super::Raw;
use crate::failure::Failure;
use crate::fields;

/// The files that are looked for in the working directory, in this order.
const DEFAULTS: [&str; 3] = [".baton.yaml", ".baton.yml", ".baton"];
/// The most that is read: far more than any configuration has.
const BYTES: u64 = 1024 * 1024;

/// Reads the file that is named, else the first of the defaults that is there.
///
/// # Errors
///
/// [`Failure`] when a named file is not there or is not named like YAML, and when a file is no mapping of settings.
pub(super) fn read(named: Option<&Path>) -> Result<BTreeMap<String, Raw>, Failure> {
    if let Some(path) = named {
        if !path.extension().is_some_and(|end| end == "yaml" || end == "yml") {
            return Err(Failure::usage("BATON_CONFIG_PATH names a file that ends in neither .yaml nor .yml"));
        }
        let missing = || Failure::usage(format!("there is no configuration file `{}`", path.display()));
        return parse(path, &text(path)?.ok_or_else(missing)?);
    }
    for path in DEFAULTS.map(PathBuf::from) {
        if let Some(text) = text(&path)? {
            return parse(&path, &text);
        }
    }
    Ok(BTreeMap::new())
}

fn text(path: &Path) -> Result<Option<String>, Failure> {
    let failed = |error: &std::io::Error| {
        Failure::usage(format!("configuration file `{}` cannot be read: {error}", path.display()))
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(&error)),
    };
    // A directory that happens to be called `.baton` is nobody's configuration.
    if file.metadata().is_ok_and(|found| found.is_dir()) {
        return Ok(None);
    }
    let mut text = String::new();
    file.take(BYTES).read_to_string(&mut text).map_err(|error| failed(&error))?;
    Ok(Some(text))
}

/// Reads a mapping from names to words or lists of words; what is nested under a name that is no setting is passed over.
fn parse(path: &Path, text: &str) -> Result<BTreeMap<String, Raw>, Failure> {
    let mut reader = Reader { parser: Parser::new_from_str(text), anchors: BTreeMap::new() };
    reader.document().map_err(|Trouble { line, what }| {
        Failure::usage(format!("configuration file `{}`, line {line}: {what}", path.display()))
            .hint("write one setting a line, such as `log-level: debug`")
    })
}

struct Trouble {
    line: usize,
    what: &'static str,
}

struct Reader<'t> {
    parser: Parser<'t, saphyr_parser::StrInput<'t>>,
    /// Values that may be named again.
    anchors: BTreeMap<usize, Raw>,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<(Event<'t>, usize), Trouble> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, line(&span))),
            // The parser's own words may quote the text.
            Some(Err(error)) => Err(Trouble { line: error.marker().line(), what: "this is no YAML" }),
            None => Ok((Event::StreamEnd, 0)),
        }
    }

    fn document(&mut self) -> Result<BTreeMap<String, Raw>, Trouble> {
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(BTreeMap::new()),
                (Event::MappingStart(..), _) => return self.settings(),
                // A file of comments alone is one empty word.
                (Event::Scalar(word, ..), _) if word.is_empty() || word == "~" || word == "null" => {}
                (Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing, _) => {}
                (_, line) => return Err(Trouble { line, what: "a mapping of settings was expected" }),
            }
        }
    }

    fn settings(&mut self) -> Result<BTreeMap<String, Raw>, Trouble> {
        let mut settings = BTreeMap::new();
        loop {
            let name = match self.next()? {
                (Event::MappingEnd, _) => return Ok(settings),
                (Event::Scalar(name, ..), _) => name.to_lowercase(),
                (_, line) => return Err(Trouble { line, what: "the name of a setting was expected" }),
            };
            let (event, line) = self.next()?;
            let value = match event {
                Event::MappingStart(..) if fields::named(&name).is_none() => self.skipped()?,
                event => self.value(event, line)?,
            };
            if settings.insert(name, value).is_some() {
                return Err(Trouble { line, what: "this setting was set before" });
            }
        }
    }

    fn value(&mut self, event: Event<'t>, line: usize) -> Result<Raw, Trouble> {
        match event {
            Event::Scalar(word, style, anchor, _) => {
                let absent = style == saphyr_parser::ScalarStyle::Plain
                    && matches!(&*word, "~" | "null" | "Null" | "NULL");
                let raw = Raw::One(if absent { String::new() } else { word.into_owned() });
                self.anchors.insert(anchor, raw.clone());
                Ok(raw)
            }
            Event::SequenceStart(anchor, _) => {
                let raw = Raw::Many(self.words()?);
                self.anchors.insert(anchor, raw.clone());
                Ok(raw)
            }
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some(raw) => Ok(raw.clone()),
                None => Err(Trouble { line, what: "this alias names nothing" }),
            },
            _ => Err(Trouble { line, what: "a word or a list of words was expected" }),
        }
    }

    /// Passes over what other programs keep in the same file.
    fn skipped(&mut self) -> Result<Raw, Trouble> {
        let mut depth = 1_u32;
        while depth > 0 {
            match self.next()? {
                (Event::MappingStart(..) | Event::SequenceStart(..), _) => depth = depth.saturating_add(1),
                (Event::MappingEnd | Event::SequenceEnd, _) => depth -= 1,
                (Event::StreamEnd, line) => return Err(Trouble { line, what: "the file ends too early" }),
                _ => {}
            }
        }
        Ok(Raw::Many(Vec::new()))
    }

    fn words(&mut self) -> Result<Vec<String>, Trouble> {
        let mut words = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(words),
                (Event::Scalar(word, ..), _) => words.push(word.into_owned()),
                (_, line) => return Err(Trouble { line, what: "a list of words was expected" }),
            }
        }
    }
}

fn line(span: &Span) -> usize {
    span.start.line()
}
