//! Which of many questions are J1QL.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::failure::{Exit, Failure};

#[derive(Deserialize)]
struct Line {
    query: String,
}

/// What came of it.
#[derive(Debug, Default, Serialize)]
struct Report {
    total: usize,
    parsed: usize,
    failed: Vec<Failed>,
}

#[derive(Debug, Serialize)]
struct Failed {
    /// The line of the file, from 1.
    line: usize,
    error: String,
}

/// Reads a file of `{"query": …}` lines and prints one object: how many, how many are J1QL, and why the others are not.
///
/// # Errors
///
/// [`Failure`] where the file cannot be read.
pub(super) fn run(context: &Context, file: &Path) -> anyhow::Result<Exit> {
    let name = file.display();
    let input: Box<dyn Read> = if file == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        let opened = File::open(file);
        Box::new(opened.map_err(|error| Failure::new(format!("`{name}` cannot be read: {error}")))?)
    };
    let mut report = Report::default();
    for (number, line) in BufReader::new(input).lines().enumerate() {
        let line = line.map_err(|error| Failure::new(format!("`{name}` cannot be read: {error}")))?;
        if line.trim().is_empty() {
            continue;
        }
        report.total += 1;
        let error = match serde_json::from_str::<Line>(&line) {
            Ok(line) => metsuke_engine::query::check_template(&line.query).err(),
            Err(error) => Some(format!("this line is no JSON object with a text `query`: {error}")),
        };
        match error {
            None => report.parsed += 1,
            Some(error) => report.failed.push(Failed { line: number + 1, error }),
        }
    }
    context.output.document(&report)?;
    Ok(Exit::Done)
}
