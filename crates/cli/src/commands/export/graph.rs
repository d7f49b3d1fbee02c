//! `metsuke export graph`: the whole graph in a form that other tools draw and analyse.
//!
//! What is an entity and what a relationship is the engine's to say; each form is a file of its own below.
//!
//! Invariant: a file is whole or not there, and the same version gives the same bytes.

mod dot;
mod graphml;
mod json;

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use metsuke_engine::EngineError;
use metsuke_engine::graph::{Edge, Node, Reader};
use metsuke_model::graph::entities::ENTITY_TYPES;
use metsuke_model::graph::relationships::RELATIONSHIP_TYPES;
use metsuke_model::graph::{EntityType, RelationshipType, Value};
use metsuke_model::{AsOf, Version};
use metsuke_store::Snapshot;
use tempfile::NamedTempFile;

use crate::args::FormatArg;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::buffered;
use crate::text::count;

/// Write the whole graph for other tools: entities and relationships with all their properties
///
/// `graphml` is read by Gephi, yEd, Cytoscape and other tools, `dot` by Graphviz; `json` is one document, `jsonl`
/// one object a line. In the first two, a list of texts is one text with commas between. The graph names people, so a file is
/// readable by its owner alone.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke export graph --format graphml --out estate.graphml
  metsuke export graph --format dot | sfdp -Tsvg > estate.svg
  metsuke export graph --format json --effective --as-of 2026-11-01 > graph.json")]
pub(super) struct Args {
    /// The file; replaced where it is there. By default stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The version: its number, or a time; by default the newest one
    #[arg(long, value_name = "VERSION|TIME")]
    as_of: Option<AsOf>,
    /// Also effective access: who can do what on which app, one relationship for each way
    #[arg(long)]
    effective: bool,
}

/// One way to write a graph down.
trait Form {
    /// What stands before everything.
    fn begin(&mut self, out: &mut dyn Write, version: Version) -> io::Result<()>;
    /// One entity.
    fn node(&mut self, out: &mut dyn Write, entity_type: &EntityType, node: &Node) -> io::Result<()>;
    /// One relationship; all entities came before.
    fn edge(&mut self, out: &mut dyn Write, relationship: &RelationshipType, edge: &Edge) -> io::Result<()>;
    /// What stands after everything.
    fn end(&mut self, out: &mut dyn Write) -> io::Result<()>;
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let mut form: Box<dyn Form + Send> = match context.config.asked {
            FormatArg::Graphml => Box::new(graphml::Graphml),
            FormatArg::Dot => Box::new(dot::Dot),
            FormatArg::Json => Box::new(json::Json::document()),
            FormatArg::Jsonl => Box::new(json::Json::lines()),
            FormatArg::Table | FormatArg::Csv | FormatArg::Tree => {
                return Err(Failure::usage("a graph is no table")
                    .hint("say --format graphml, dot, json or jsonl")
                    .into());
            }
        };
        let mut snapshot = context.version(self.as_of).await?;
        let version = snapshot.sync().version;
        let mut reader = Reader::new(&mut snapshot);
        let (nodes, edges) = if let Some(file) = &self.out {
            let draft = draft(file).map_err(|error| unwritten(file, &error))?;
            let mut writer = BufWriter::with_capacity(1 << 17, draft);
            let told = write(&mut *form, self.effective, &mut reader, &mut writer).await?;
            let kept = writer.into_inner().map_err(io::IntoInnerError::into_error);
            kept.and_then(|draft| keep(draft, file)).map_err(|error| unwritten(file, &error))?;
            told
        } else {
            let mut stdout = buffered();
            let told = write(&mut *form, self.effective, &mut reader, &mut stdout).await?;
            stdout.flush()?;
            told
        };
        let (nodes, edges) =
            (count(nodes, "entity", "entities"), count(edges, "relationship", "relationships"));
        context.note(&format!("note: version {version}: {nodes} and {edges}"));
        Ok(Exit::Done)
    }
}

/// Writes a version's graph in the form of this name.
///
/// # Errors
///
/// [`EngineError::Fields`] for a form that is not there, and what the database or writing said.
pub(in crate::commands) async fn write_graph(
    snapshot: &mut Snapshot,
    form: &str,
    effective: bool,
    out: &mut (dyn Write + Send),
) -> Result<(), EngineError> {
    let mut form: Box<dyn Form + Send> = match form {
        "graphml" => Box::new(graphml::Graphml),
        "dot" => Box::new(dot::Dot),
        "json" => Box::new(json::Json::document()),
        "jsonl" => Box::new(json::Json::lines()),
        _ => return Err(EngineError::field("form", "it is json, jsonl, graphml or dot")),
    };
    write(&mut *form, effective, &mut Reader::new(snapshot), out).await.map(drop)
}

/// Writes everything, one type after the other, and tells how many entities and relationships there were.
async fn write(
    form: &mut (dyn Form + Send),
    effective: bool,
    reader: &mut Reader<'_>,
    out: &mut (dyn Write + Send),
) -> Result<(u64, u64), EngineError> {
    let scratch = |source| EngineError::Scratch { source };
    let (mut nodes, mut edges) = (0, 0);
    form.begin(out, reader.sync().version).map_err(scratch)?;
    for entity_type in &ENTITY_TYPES {
        for node in reader.nodes(entity_type).await? {
            form.node(out, entity_type, &node).map_err(scratch)?;
            nodes += 1;
        }
    }
    for relationship in RELATIONSHIP_TYPES.iter().filter(|known| effective || !known.computed) {
        for edge in reader.edges(relationship).await? {
            form.edge(out, relationship, &edge).map_err(scratch)?;
            edges += 1;
        }
    }
    form.end(out).map_err(scratch)?;
    Ok((nodes, edges))
}

/// A value on one line: lists with commas between.
fn plain(value: &Value) -> String {
    match value {
        Value::Text(text) => text.to_string(),
        Value::List(values) => values.iter().map(plain).collect::<Vec<_>>().join(","),
        Value::Absent => String::new(),
        value => value.to_json().to_string(),
    }
}

/// A file that is not there yet, beside the one that it will be.
fn draft(file: &Path) -> io::Result<NamedTempFile> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    NamedTempFile::new_in(folder)
}

fn keep(draft: NamedTempFile, file: &Path) -> io::Result<()> {
    draft.as_file().sync_all()?;
    draft.persist(file).map(drop).map_err(|error| error.error)
}

fn unwritten(file: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("`{}` cannot be written: {error}", file.display()))
}
