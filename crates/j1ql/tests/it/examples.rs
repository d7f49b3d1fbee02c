//! Queries that other people published: every one of them is read, and reads back as itself.

use metsuke_j1ql::parse::{check_template, parse};
use metsuke_j1ql::render::render;
use metsuke_testkit::shared;

use crate::placeless::placeless;

/// The published queries, where they lie beside the repository.
pub(crate) fn published() -> Vec<String> {
    let Some(path) = shared("j1ql/examples.jsonl") else { return Vec::new() };
    let lines = std::fs::read_to_string(path).unwrap();
    let query = |line: &str| {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        row["query"].as_str().unwrap().to_owned()
    };
    lines.lines().filter(|line| !line.trim().is_empty()).map(query).collect()
}

#[test]
fn every_published_query_is_read() {
    let refused: Vec<String> = published()
        .iter()
        .filter_map(|text| parse(text).err().map(|errors| format!("{text}\n{}", render(text, &errors))))
        .collect();
    assert!(refused.is_empty(), "{}", refused.join("\n\n"));
}

#[test]
fn every_published_query_reads_back_as_itself() {
    for text in published() {
        let query = parse(&text).unwrap();
        let written = query.to_string();
        assert_eq!(placeless(parse(&written).unwrap()), placeless(query), "{text}\n{written}");
    }
}

#[test]
fn every_published_query_is_a_template_too() {
    for text in published() {
        assert!(check_template(&text).is_ok(), "{text}");
    }
}
