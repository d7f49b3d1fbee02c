//! SQL text is literal; the one place that runs composed text is counted.
//!
//! The driver enforces the rest: it takes static text only, unless wrapped in the word counted here.
//!
//! Invariant: the wrapper is called at most once outside tests.

use super::report::Report;
use super::scan::occurrences;
use super::tree::Tree;

const WRAPPER: &str = "AssertSqlSafe(";

/// Counts the calls of the wrapper.
pub(crate) fn check(tree: &Tree, report: &mut Report) {
    report.checked();
    let mut places = Vec::new();
    for file in tree.rust_files().filter(|file| !file.is_tidy()) {
        for (line, text) in file.product_lines() {
            places.extend(occurrences(text, WRAPPER).map(|_| (file.path.as_str(), line)));
        }
    }
    for (path, line) in places.iter().skip(1) {
        let remedy = "write the statement as a literal with `$n` placeholders";
        let what = format!("composed SQL is run here, and also in {}:{}", places[0].0, places[0].1);
        report.violation(path, *line, what, remedy);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_call_outside_tests_is_a_finding() {
        let call = "query(AssertSqlSafe(text));\n";
        let import = "use sqlx::AssertSqlSafe;\n";
        let one =
            [("crates/a/src/a.rs", call), ("crates/a/src/b.rs", import), ("crates/a/tests/it/main.rs", call)];
        let mut report = Report::default();
        check(&Tree::of(&one), &mut report);
        assert!(report.is_clean());
        check(&Tree::of(&[("crates/a/src/a.rs", call), ("crates/a/src/b.rs", call)]), &mut report);
        assert_eq!(report.lines().len(), 1);
    }
}
