//! The graph as `GraphML`.
//!
//! Source: <http://graphml.graphdrawing.org/specification.html>
//!
//! Invariant: what comes out is well-formed XML, whatever the names are.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use metsuke_engine::graph::{Edge, Node};
use metsuke_model::Version;
use metsuke_model::graph::entities::ENTITY_TYPES;
use metsuke_model::graph::relationships::RELATIONSHIP_TYPES;
use metsuke_model::graph::{EntityType, RelationshipType, Value, ValueType};

use super::{Form, plain};

/// Names of what every entity and relationship has beside its properties.
const COMMON: [&str; 3] = ["_key", "_type", "_class"];

/// `GraphML`.
pub(super) struct Graphml;

impl Form for Graphml {
    fn begin(&mut self, out: &mut dyn Write, version: Version) -> io::Result<()> {
        out.write_all(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")?;
        out.write_all(b"<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n")?;
        let of_nodes = ENTITY_TYPES.iter().flat_map(|entity| entity.properties);
        let of_edges = RELATIONSHIP_TYPES.iter().flat_map(|known| known.properties);
        keys(out, "node", of_nodes.map(|property| (property.name, property.value_type)).collect())?;
        keys(out, "edge", of_edges.map(|property| (property.name, property.value_type)).collect())?;
        writeln!(out, "<graph id=\"version{version}\" edgedefault=\"directed\">")
    }

    fn node(&mut self, out: &mut dyn Write, entity_type: &EntityType, node: &Node) -> io::Result<()> {
        let mut text = format!("<node id=\"n{}\">", node.dense);
        let common = [node.key.as_str(), entity_type.name, entity_type.class];
        data(&mut text, "node", common, &node.properties);
        text.push_str("</node>\n");
        out.write_all(text.as_bytes())
    }

    fn edge(&mut self, out: &mut dyn Write, relationship: &RelationshipType, edge: &Edge) -> io::Result<()> {
        let mut text = format!("<edge source=\"n{}\" target=\"n{}\">", edge.from, edge.to);
        let common = [edge.key.as_str(), relationship.name, relationship.verb];
        data(&mut text, "edge", common, &edge.properties);
        text.push_str("</edge>\n");
        out.write_all(text.as_bytes())
    }

    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(b"</graph>\n</graphml>\n")
    }
}

/// Declares the properties; a name means values of one type, whatever bears it.
fn keys(out: &mut dyn Write, of: &str, mut properties: BTreeMap<&'static str, ValueType>) -> io::Result<()> {
    properties.extend(COMMON.map(|name| (name, ValueType::Text)));
    for (name, value_type) in properties {
        let sort = match value_type {
            ValueType::Text | ValueType::Texts => "string",
            ValueType::Number => "double",
            ValueType::Flag => "boolean",
            ValueType::Time => "long",
        };
        writeln!(out, "<key id=\"{of}.{name}\" for=\"{of}\" attr.name=\"{name}\" attr.type=\"{sort}\"/>")?;
    }
    Ok(())
}

fn data(text: &mut String, of: &str, common: [&str; 3], properties: &[(&'static str, Value)]) {
    let mut one = |name: &str, value: &str| {
        let _infallible = write!(text, "<data key=\"{of}.{name}\">{}</data>", escaped(value));
    };
    for (name, value) in COMMON.into_iter().zip(common) {
        one(name, value);
    }
    for (name, value) in properties {
        one(name, &plain(value));
    }
}

/// Text between two tags; characters that XML cannot hold become U+FFFD.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '\r' => safe.push_str("&#13;"),
            '\t' | '\n' => safe.push(c),
            '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            c if c < ' ' => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_break_out_of_its_element() {
        assert_eq!(escaped("a</data><x y='1'>&amp;"), "a&lt;/data&gt;&lt;x y='1'&gt;&amp;amp;");
        assert_eq!(escaped("\0\u{1b}[31m\u{ffff}\t\r\n"), "\u{fffd}\u{fffd}[31m\u{fffd}\t&#13;\n");
        assert_eq!(escaped("]]>"), "]]&gt;");
    }
}
