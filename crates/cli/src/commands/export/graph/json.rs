//! The graph as JSON: vertices and edges as an answer of `metsuke query` with RETURN TREE has them.
//!
//! Invariant: the document is valid JSON though it is written piece by piece.

use std::io::{self, Write};

use metsuke_engine::graph::{Edge, Node};
use metsuke_model::Version;
use metsuke_model::graph::{EntityType, RelationshipType, Value};
use serde_json::{Map, Value as Document, json};

use super::Form;

/// JSON, as one document or line by line.
pub(super) struct Json {
    lines: bool,
    part: Part,
}

/// How far the document has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Begun,
    Vertices,
    Edges,
}

impl Json {
    /// One document `{version, vertices, edges}`.
    pub(super) const fn document() -> Self {
        Self { lines: false, part: Part::Begun }
    }

    /// One object a line, vertices before edges.
    pub(super) const fn lines() -> Self {
        Self { lines: true, part: Part::Begun }
    }

    fn write(&mut self, out: &mut dyn Write, part: Part, object: &Document) -> io::Result<()> {
        if !self.lines {
            let before: &[u8] = match (self.part, part) {
                (Part::Begun, Part::Edges) => b"],\"edges\":[\n",
                (Part::Vertices, Part::Edges) => b"\n],\"edges\":[\n",
                (one, other) if one == other => b",\n",
                _ => b"\n",
            };
            out.write_all(before)?;
        }
        self.part = part;
        serde_json::to_writer(&mut *out, object)?;
        if self.lines { out.write_all(b"\n") } else { Ok(()) }
    }
}

impl Form for Json {
    fn begin(&mut self, out: &mut dyn Write, version: Version) -> io::Result<()> {
        if self.lines { Ok(()) } else { write!(out, "{{\"version\":{version},\"vertices\":[") }
    }

    fn node(&mut self, out: &mut dyn Write, entity_type: &EntityType, node: &Node) -> io::Result<()> {
        let mut entity = members(&node.metadata(entity_type));
        if let Some(name) = node.property("displayName") {
            entity.insert("displayName".into(), name.to_json());
        }
        let properties = members(&node.properties);
        let object = json!({ "id": node.key, "entity": entity, "properties": properties });
        self.write(out, Part::Vertices, &object)
    }

    fn edge(&mut self, out: &mut dyn Write, relationship: &RelationshipType, edge: &Edge) -> io::Result<()> {
        let object = json!({
            "id": edge.key,
            "fromVertexId": edge.from_key,
            "toVertexId": edge.to_key,
            "relationship": members(&edge.metadata(relationship)),
            "properties": members(&edge.properties),
        });
        self.write(out, Part::Edges, &object)
    }

    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        match (self.lines, self.part) {
            (true, _) => Ok(()),
            (false, Part::Edges) => out.write_all(b"\n]}\n"),
            (false, Part::Begun | Part::Vertices) => out.write_all(b"],\"edges\":[]}\n"),
        }
    }
}

fn members(properties: &[(&'static str, Value)]) -> Map<String, Document> {
    properties.iter().map(|(name, value)| ((*name).to_owned(), value.to_json())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_json_whatever_it_holds() {
        for parts in
            [&[][..], &[Part::Vertices], &[Part::Edges], &[Part::Vertices, Part::Vertices, Part::Edges]]
        {
            let (mut form, mut out) = (Json::document(), Vec::new());
            form.begin(&mut out, Version(7)).unwrap();
            for part in parts {
                form.write(&mut out, *part, &json!({})).unwrap();
            }
            form.end(&mut out).unwrap();
            let document: Document = serde_json::from_slice(&out).unwrap();
            let edges = parts.iter().filter(|part| **part == Part::Edges).count();
            assert_eq!(document["version"], 7);
            assert_eq!(document["edges"].as_array().unwrap().len(), edges);
            assert_eq!(document["vertices"].as_array().unwrap().len(), parts.len() - edges);
        }
    }
}
