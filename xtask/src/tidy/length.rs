//! No file is too long to read in one sitting.
//!
//! Applies to what people write: Rust, TypeScript, styles and pages.
//!
//! Invariant: more than 600 lines is red, more than 500 is announced.

use super::report::Report;
use super::tree::Tree;

const HARD: usize = 600;
const SOFT: usize = 500;
const REMEDY: &str = "split it by what its parts answer";

/// Counts the lines of every source file.
pub(crate) fn check(tree: &Tree, report: &mut Report) {
    report.checked();
    for file in tree.files().filter(|file| !file.is_generated()) {
        if !matches!(file.extension(), "rs" | "ts" | "css" | "html") {
            continue;
        }
        let lines = file.lines().count();
        if lines > HARD {
            report.violation(&file.path, HARD + 1, format!("{lines} lines, {HARD} are allowed"), REMEDY);
        } else if lines > SOFT {
            report.warning(&file.path, lines, format!("{lines} lines, {HARD} are allowed"), REMEDY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report_on(path: &str, lines: usize) -> Report {
        let mut report = Report::default();
        check(&Tree::of(&[(path, &"x\n".repeat(lines))]), &mut report);
        report
    }

    #[test]
    fn six_hundred_lines_pass_with_a_warning() {
        let report = report_on("a.rs", 600);
        assert!(report.is_clean());
        assert_eq!(report.warning_lines().len(), 1);
    }

    #[test]
    fn one_more_line_is_too_many() {
        assert_eq!(report_on("a.css", 601).lines().len(), 1);
    }

    #[test]
    fn generated_and_other_files_may_be_long() {
        assert!(report_on("crates/baton/src/generated/c1.rs", 9_000).is_clean());
        assert!(report_on("Cargo.lock", 9_000).is_clean());
    }
}
