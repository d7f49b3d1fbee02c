//! Migrations come in pairs: one for SQLite, one for PostgreSQL, with the same number and name.
//!
//! What they contain is compared by the store's own tests.
//!
//! Invariant: numbers run from 0001 without a gap, one name a number.

use std::collections::{BTreeMap, BTreeSet};

use super::report::Report;
use super::tree::Tree;

const FOLDER: &str = "crates/store/migrations/";
const ENGINES: [&str; 2] = ["sqlite", "postgres"];

/// Compares the two folders of migrations.
pub(crate) fn check(tree: &Tree, report: &mut Report) {
    report.checked();
    let mut names: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for file in tree.files() {
        let Some(rest) = file.path.strip_prefix(FOLDER) else { continue };
        match rest.split_once('/').filter(|(engine, name)| ENGINES.contains(engine) && number(name).is_some())
        {
            Some((engine, name)) => {
                names.entry(name).or_default().insert(engine);
            }
            None => {
                report.violation(&file.path, 1, "not a migration", "name it {sqlite,postgres}/NNNN_name.sql");
            }
        }
    }
    for (name, engines) in &names {
        for missing in ENGINES.iter().filter(|engine| !engines.contains(*engine)) {
            let path = format!("{FOLDER}{missing}/{name}");
            report.violation(
                &path,
                1,
                "the migration lacks its pair",
                "write it, under the same number and name",
            );
        }
    }
    for (name, expected) in names.keys().zip(1..) {
        if number(name) != Some(expected) {
            let path = format!("{FOLDER}{}/{name}", ENGINES[0]);
            let what = format!("number {expected:04} was expected here");
            report.violation(&path, 1, what, "number migrations from 0001 without gaps or doubles");
            break;
        }
    }
}

fn number(name: &str) -> Option<u32> {
    let (digits, rest) = name.split_at_checked(4)?;
    let title = rest.strip_prefix('_')?.strip_suffix(".sql")?;
    let plain = title.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let numeric = digits.chars().all(|c| c.is_ascii_digit());
    if plain && numeric && !title.is_empty() { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(names: &[&str]) -> Vec<String> {
        let paths: Vec<String> = names.iter().map(|name| format!("{FOLDER}{name}")).collect();
        let files: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), "")).collect();
        let mut report = Report::default();
        check(&Tree::of(&files), &mut report);
        report.lines()
    }

    #[test]
    fn pairs_are_fine() {
        assert!(findings(&["sqlite/0001_base.sql", "postgres/0001_base.sql"]).is_empty());
    }

    #[test]
    fn a_missing_twin_is_named() {
        let found = findings(&["sqlite/0001_base.sql", "postgres/0001_bass.sql"]);
        assert!(found.iter().any(|line| line.contains("postgres/0001_base.sql:1:")), "{found:?}");
        assert!(found.iter().any(|line| line.contains("sqlite/0001_bass.sql:1:")), "{found:?}");
    }

    #[test]
    fn gaps_and_strange_names_are_found() {
        assert_eq!(findings(&["sqlite/0002_a.sql", "postgres/0002_a.sql"]).len(), 1);
        assert_eq!(findings(&["sqlite/first.sql"]).len(), 1);
        assert_eq!(findings(&["mysql/0001_a.sql"]).len(), 1);
    }
}
