//! The graph as DOT, for pictures: names, types, verbs and what relationships say.
//!
//! Source: <https://graphviz.org/doc/info/lang.html>
//!
//! Invariant: every name stands in quotes out of which nothing leads.

use std::io::{self, Write};

use metsuke_engine::graph::{Edge, Node};
use metsuke_model::Version;
use metsuke_model::graph::{EntityType, RelationshipType};

use super::{Form, plain};

/// DOT.
pub(super) struct Dot;

impl Form for Dot {
    fn begin(&mut self, out: &mut dyn Write, version: Version) -> io::Result<()> {
        writeln!(out, "digraph \"version {version}\" {{")
    }

    fn node(&mut self, out: &mut dyn Write, entity_type: &EntityType, node: &Node) -> io::Result<()> {
        let label = node.property("displayName").map_or_else(|| node.key.clone(), plain);
        let (label, key) = (quoted(&label), quoted(&node.key));
        let EntityType { name, class, .. } = entity_type;
        let shape = shape(class);
        writeln!(out, "  n{} [label={label}, shape={shape}, class=\"{name}\", key={key}];", node.dense)
    }

    fn edge(&mut self, out: &mut dyn Write, relationship: &RelationshipType, edge: &Edge) -> io::Result<()> {
        let mut words = vec![relationship.verb.to_owned()];
        words.extend(edge.properties.iter().map(|(_, value)| plain(value)));
        let label = quoted(&words.join(" "));
        writeln!(out, "  n{} -> n{} [label={label}, class=\"{}\"];", edge.from, edge.to, relationship.name)
    }

    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(b"}\n")
    }
}

fn shape(class: &str) -> &'static str {
    match class {
        "User" | "Person" => "ellipse",
        "Account" => "house",
        "Team" => "folder",
        "Application" => "component",
        "Service" => "cylinder",
        "Cluster" => "box3d",
        _ => "note",
    }
}

/// A text in quotes; a backslash means itself, and control characters become U+FFFD.
fn quoted(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 2);
    safe.push('"');
    for c in text.chars() {
        match c {
            '"' => safe.push_str("\\\""),
            '\\' => safe.push_str("\\\\"),
            '\n' => safe.push_str("\\n"),
            // Labels may hold entities as HTML has them.
            '&' => safe.push_str("&amp;"),
            c if c.is_control() => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe.push('"');
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_break_out_of_its_quotes() {
        assert_eq!(quoted(r#"a"];b->c["#), r#""a\"];b->c[""#);
        assert_eq!(quoted("a\\"), r#""a\\""#);
        assert_eq!(quoted("\\\"\n\u{1b}[31m&lt;"), "\"\\\\\\\"\\n\u{fffd}[31m&amp;lt;\"");
    }
}
