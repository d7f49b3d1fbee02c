//! Every decision record is reachable from the map of the house.
//!
//! Whether the record is right is for reviewers.
//!
//! Invariant: `docs/adr/NNNN-name.md`, numbers unique, each linked from `ARCHITECTURE.md`.

use std::collections::BTreeMap;

use super::report::Report;
use super::tree::Tree;

const FOLDER: &str = "docs/adr/";
const MAP: &str = "ARCHITECTURE.md";

/// Checks names, numbers and links of the records.
pub(crate) fn check(tree: &Tree, report: &mut Report) {
    report.checked();
    let map = tree.file(MAP).map(|file| file.text.as_deref().unwrap_or_default());
    let mut numbers: BTreeMap<&str, &str> = BTreeMap::new();
    for file in tree.files() {
        let Some(name) = file.path.strip_prefix(FOLDER) else { continue };
        let number = name.split_once('-').map(|(number, _)| number);
        let Some(number) = number.filter(|n| n.len() == 4 && n.chars().all(|c| c.is_ascii_digit())) else {
            report.violation(
                &file.path,
                1,
                "not named as a decision record",
                "name it NNNN-what-was-decided.md",
            );
            continue;
        };
        if let Some(other) = numbers.insert(number, name) {
            report.violation(
                &file.path,
                1,
                format!("`{other}` has the same number"),
                "take the next free number",
            );
        }
        if map.is_some_and(|text| !text.contains(file.path.as_str())) {
            report.violation(&file.path, 1, format!("{MAP} does not mention it"), "link it from there");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unlinked_or_misnamed_record_is_a_finding() {
        let files = [
            (MAP, "[one](docs/adr/0001-a.md)"),
            ("docs/adr/0001-a.md", ""),
            ("docs/adr/0002-b.md", ""),
            ("docs/adr/notes.md", ""),
        ];
        let mut report = Report::default();
        check(&Tree::of(&files), &mut report);
        assert_eq!(report.lines().len(), 2);
    }

    #[test]
    fn without_a_map_nothing_must_be_linked() {
        let mut report = Report::default();
        check(&Tree::of(&[("docs/adr/0001-a.md", "")]), &mut report);
        assert!(report.is_clean());
    }
}
