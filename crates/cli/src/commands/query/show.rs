//! An answer for people and for programs.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::Arc;

use metsuke_engine::query::{Answer, Data, Entity, Relationship, Statement};
use metsuke_model::graph::Value;
use serde_json::{Map, Value as Json, json};

use super::is_tree;
use crate::args::Format;
use crate::context::Context;
use crate::failure::Failure;
use crate::grid;
use crate::output::buffered;
use crate::rows::Cell;
use crate::text::{count, length, shown};

/// Prints a statement with its values, and what the database would do.
///
/// # Errors
///
/// What writing to stdout met.
pub(super) fn explained(context: &Context, statement: &Statement, steps: &[String]) -> anyhow::Result<()> {
    if context.output.format != Format::Table {
        let binds: Vec<String> = statement.binds.iter().map(|bind| format!("{bind:?}")).collect();
        context.output.document(&json!({ "sql": statement.sql, "binds": binds, "steps": steps }))?;
        return Ok(());
    }
    let mut text = format!("{}\n", statement.sql);
    for (place, bind) in statement.binds.iter().enumerate() {
        let _infallible = writeln!(text, "  ${} = {}", place + 1, shown(&format!("{bind:?}")));
    }
    text.push('\n');
    for step in steps {
        let _infallible = writeln!(text, "{}", shown(step));
    }
    context.output.print(&text)?;
    Ok(())
}

/// Prints an answer.
///
/// # Errors
///
/// [`Failure`] where a table is to be shown as a tree; what writing to stdout met.
pub(super) fn answer(context: &Context, answer: &Answer) -> anyhow::Result<()> {
    match context.output.format {
        Format::Json => context.output.document(&answer.to_json())?,
        Format::Jsonl => lines(answer)?,
        Format::Csv => {
            let (headings, rows) = laid_out(answer);
            grid::csv(&headings, rows.into_iter())?;
        }
        Format::Table if is_tree(context) => context.output.print(&tree(answer)?)?,
        Format::Table => {
            let (headings, rows) = laid_out(answer);
            let total = length(&rows);
            grid::table(context.output, &headings, rows)?;
            let (one, many) = match answer.data {
                Data::List(_) => ("entity", "entities"),
                Data::Table { .. } => ("row", "rows"),
                Data::Tree { .. } => ("relationship", "relationships"),
            };
            let version = answer.version;
            context.note(&format!("{} of version {version}", count(total, one, many)));
        }
    }
    Ok(())
}

/// Prints an answer that came as JSON.
///
/// # Errors
///
/// [`Failure`] where it is to be shown as a tree; what writing to stdout met.
pub(super) fn json(context: &Context, answer: &Json) -> anyhow::Result<()> {
    let data = &answer["data"];
    let rows: Vec<&Json> = match data {
        Json::Array(rows) => rows.iter().collect(),
        tree => ["vertices", "edges"].iter().filter_map(|part| tree[part].as_array()).flatten().collect(),
    };
    match context.output.format {
        Format::Json => context.output.document(answer)?,
        Format::Jsonl => {
            let mut stdout = buffered();
            for row in rows {
                serde_json::to_writer(&mut stdout, row)?;
                stdout.write_all(b"\n")?;
            }
            stdout.flush()?;
        }
        Format::Table if is_tree(context) => {
            return Err(Failure::usage("a tree is not shown through a server")
                .hint("take --format json")
                .into());
        }
        Format::Table | Format::Csv => {
            let listed = |name: &str| answer[name].as_array().cloned().unwrap_or_default();
            let (headings, cells): (Vec<String>, Vec<Vec<Cell>>) = if answer["type"] == "table" {
                let columns = listed("columns");
                let names: Vec<String> = columns.iter().filter_map(Json::as_str).map(str::to_owned).collect();
                let of = |row: &Json| names.iter().map(|name| cell(row.get(name))).collect();
                let cells = rows.into_iter().map(of).collect();
                (names, cells)
            } else {
                let entities = rows.into_iter().filter(|row| row.get("entity").is_some());
                let of = |row: &Json| {
                    let inner = &row["entity"];
                    let sort = inner["_type"].as_array().and_then(|all| all.first()).cloned();
                    let sort = sort.unwrap_or_else(|| inner["_type"].clone());
                    vec![cell(Some(&sort)), cell(inner.get("displayName")), cell(inner.get("_key"))]
                };
                (["Type", "Name", "Key"].map(str::to_owned).to_vec(), entities.map(of).collect())
            };
            if context.output.format == Format::Csv {
                grid::csv(&headings, cells.into_iter())?;
            } else {
                let total = length(&cells);
                grid::table(context.output, &headings, cells)?;
                context.note(&format!("{} of version {}", count(total, "row", "rows"), answer["version"]));
            }
        }
    }
    Ok(())
}

/// One JSON object a line: entities, rows, or vertices and then edges.
fn lines(answer: &Answer) -> io::Result<()> {
    let mut stdout = buffered();
    let mut line = |json: Json| -> io::Result<()> {
        serde_json::to_writer(&mut stdout, &json)?;
        stdout.write_all(b"\n")
    };
    match &answer.data {
        Data::List(entities) => entities.iter().try_for_each(|entity| line(entity.to_json()))?,
        Data::Table { .. } => answer.objects().into_iter().try_for_each(|row| line(Json::Object(row)))?,
        Data::Tree { vertices, edges } => {
            vertices.iter().try_for_each(|entity| line(entity.to_json()))?;
            edges.iter().try_for_each(|edge| line(edge.to_json()))?;
        }
    }
    stdout.flush()
}

fn laid_out(answer: &Answer) -> (Vec<String>, Vec<Vec<Cell>>) {
    match &answer.data {
        Data::List(entities) => {
            let rows = entities.iter().map(|entity| vec![type_of(entity), name_of(entity), key_of(entity)]);
            (["Type", "Name", "Key"].map(str::to_owned).to_vec(), rows.collect())
        }
        Data::Tree { vertices, edges } => {
            let by_key: HashMap<&str, &Arc<Entity>> =
                vertices.iter().map(|entity| (entity.key.as_str(), entity)).collect();
            let end = |key: &str| by_key.get(key).map_or(Cell::Text(None), |entity| name_of(entity));
            let rows = edges.iter().map(|edge| {
                let details = members(edge.properties.iter());
                vec![end(&edge.from), Cell::text(Some(verb(edge))), end(&edge.to), details]
            });
            (["From", "Relationship", "To", "Details"].map(str::to_owned).to_vec(), rows.collect())
        }
        Data::Table { .. } => {
            let names = answer.column_names();
            let rows = answer
                .objects()
                .into_iter()
                .map(|row| names.iter().map(|name| cell(row.get(name))).collect());
            let rows = rows.collect();
            (names, rows)
        }
    }
}

fn cell(json: Option<&Json>) -> Cell {
    match json {
        None | Some(Json::Null) => Cell::Text(None),
        Some(Json::Bool(flag)) => Cell::Flag(Some(*flag)),
        Some(Json::String(text)) => Cell::text(Some(text)),
        Some(Json::Array(values)) => {
            let texts: Vec<String> = values.iter().map(plain).collect();
            Cell::text(Some(texts.join(" ")))
        }
        Some(Json::Object(object)) => Cell::text(Some(whole(object))),
        Some(other) => Cell::text(Some(other)),
    }
}

fn plain(json: &Json) -> String {
    json.as_str().map_or_else(|| json.to_string(), str::to_owned)
}

/// A whole entity or relationship in a cell: what it is called.
fn whole(object: &Map<String, Json>) -> String {
    let inner = object.get("entity").or_else(|| object.get("relationship"));
    let name = inner.and_then(|inner| inner.get("displayName")).and_then(Json::as_str);
    name.or_else(|| object.get("id").and_then(Json::as_str)).unwrap_or_default().to_owned()
}

fn members<'a>(properties: impl Iterator<Item = &'a (&'static str, Value)>) -> Cell {
    let texts: Vec<String> = properties
        .map(|(name, value)| match value.to_json() {
            Json::Array(values) => {
                format!("{name}={}", values.iter().map(plain).collect::<Vec<_>>().join(","))
            }
            json => format!("{name}={}", plain(&json)),
        })
        .collect();
    if texts.is_empty() { Cell::Text(None) } else { Cell::text(Some(texts.join(" "))) }
}

fn first_text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::Text(text) => Some(text.to_string()),
        Value::List(values) => first_text(values.first()),
        _ => None,
    }
}

fn type_of(entity: &Entity) -> Cell {
    Cell::text(first_text(entity.property("_type")))
}

fn name(entity: &Entity) -> String {
    first_text(entity.property("displayName")).unwrap_or_else(|| entity.key.clone())
}

fn name_of(entity: &Entity) -> Cell {
    Cell::text(Some(name(entity)))
}

fn key_of(entity: &Entity) -> Cell {
    Cell::text(Some(&entity.key))
}

fn verb(edge: &Relationship) -> String {
    let class = edge.metadata.iter().find(|(name, _)| *name == "_class").map(|(_, value)| value);
    first_text(class).unwrap_or_default()
}

/// Entities under what they hang from, each written out once.
fn tree(answer: &Answer) -> anyhow::Result<String> {
    let mut text = String::new();
    match &answer.data {
        Data::Table { .. } => {
            return Err(Failure::usage("a table is no tree")
                .hint("end the question with RETURN TREE, or leave RETURN out")
                .into());
        }
        Data::List(entities) => {
            let mut by_type: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for entity in entities {
                let sort = first_text(entity.property("_type")).unwrap_or_default();
                by_type.entry(sort).or_default().push(name(entity));
            }
            for (sort, names) in by_type {
                let _infallible = writeln!(text, "{sort} ({})", names.len());
                for name in names {
                    let _infallible = writeln!(text, "  {}", shown(&name));
                }
            }
        }
        Data::Tree { vertices, edges } => {
            let mut forest = Forest::new(vertices, edges);
            forest.write(&mut text);
        }
    }
    Ok(text)
}

struct Forest<'a> {
    vertices: &'a [Arc<Entity>],
    by_key: HashMap<&'a str, &'a Entity>,
    below: HashMap<&'a str, Vec<&'a Relationship>>,
    above: HashSet<&'a str>,
    written: HashSet<&'a str>,
}

impl<'a> Forest<'a> {
    fn new(vertices: &'a [Arc<Entity>], edges: &'a [Arc<Relationship>]) -> Self {
        let mut below: HashMap<&str, Vec<&Relationship>> = HashMap::new();
        for edge in edges {
            below.entry(&edge.from).or_default().push(edge);
        }
        Self {
            vertices,
            by_key: vertices.iter().map(|entity| (entity.key.as_str(), &**entity)).collect(),
            below,
            above: edges.iter().map(|edge| edge.to.as_str()).collect(),
            written: HashSet::new(),
        }
    }

    /// First what nothing points at, then what is left: circles have no beginning.
    fn write(&mut self, text: &mut String) {
        let (roots, others): (Vec<&Arc<Entity>>, Vec<_>) =
            self.vertices.iter().partition(|entity| !self.above.contains(entity.key.as_str()));
        for entity in roots.into_iter().chain(others) {
            if !self.written.contains(entity.key.as_str()) {
                self.branch(&entity.key, text);
            }
        }
    }

    fn branch(&mut self, root: &'a str, text: &mut String) {
        let mut stack = vec![(root, String::new(), 0)];
        while let Some((key, by, depth)) = stack.pop() {
            let Some(entity) = self.by_key.get(key).copied() else { continue };
            let indent = "  ".repeat(depth);
            let again = !self.written.insert(key);
            let below = self.below.get(key).cloned().unwrap_or_default();
            let more = if again && !below.is_empty() { " …" } else { "" };
            let sort = first_text(entity.property("_type")).unwrap_or_default();
            let _infallible = writeln!(text, "{indent}{by}{} ({sort}){more}", shown(&name(entity)));
            if !again {
                for edge in below.iter().rev() {
                    stack.push((&edge.to, format!("{} ", verb(edge)), depth + 1));
                }
            }
        }
    }
}
