//! Nothing unfinished is handed in: no place holders, no debugging aids, no tests switched off.
//!
//! Some of these the linter knows too; here they count in every file, tests included.
//!
//! Invariant: the checks themselves are exempt, because they must spell the words.

use super::report::Report;
use super::tree::Tree;

const MARKS: &[(&str, &str)] = &[
    ("todo!(", "write it, or leave it out"),
    ("unimplemented!(", "write it, or leave it out"),
    ("dbg!(", "remove it"),
    ("FIXME", "mend it, or open an issue"),
    ("#[ignore", "make the test pass, or delete it"),
];

/// Looks for marks of unfinished work in the Rust files.
pub(crate) fn check(tree: &Tree, report: &mut Report) {
    report.checked();
    for file in tree.rust_files().filter(|file| !file.is_tidy()) {
        for (line, text) in file.lines() {
            for (mark, remedy) in MARKS.iter().filter(|(mark, _)| text.contains(mark)) {
                report.violation(&file.path, line, format!("`{mark}` marks unfinished work"), remedy);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_in_tests_too() {
        let files = [("crates/a/tests/it/main.rs", "#[test]\n#[ignore = \"slow\"]\nfn a() { todo!() }\n")];
        let mut report = Report::default();
        check(&Tree::of(&files), &mut report);
        assert_eq!(report.lines().len(), 2);
    }
}
