//! The files that lift the ban on unsafe code, counted and named.
//!
//! The compiler denies unsafe code everywhere else.
//!
//! Invariant: the list below is exact; a file that no longer needs its place is a finding too.

use super::report::Report;
use super::scan::has_word;
use super::tree::Tree;

/// Files that may lift the ban.
const ALLOWED: &[&str] = &[];

/// Compares the files that lift the ban with the list.
pub(crate) fn check(tree: &Tree, report: &mut Report) {
    compare(tree, ALLOWED, report);
}

fn compare(tree: &Tree, allowed: &[&str], report: &mut Report) {
    report.checked();
    let mut lifting = Vec::new();
    for file in tree.rust_files().filter(|file| !file.is_tidy()) {
        let found = file.lines().find(|(_, text)| has_word(text, "unsafe_code") && text.contains('#'));
        let Some((line, _)) = found else { continue };
        lifting.push(file.path.as_str());
        if !allowed.contains(&file.path.as_str()) {
            let remedy = "find a safe way, or list the file in xtask's `unsafe_code` with a decision record";
            report.violation(&file.path, line, "the ban on unsafe code is lifted here", remedy);
        }
    }
    for path in allowed.iter().filter(|path| !lifting.contains(*path)) {
        report.violation(path, 1, "listed for unsafe code, but has none", "take it off xtask's list");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_exact() {
        let files = [("crates/a/src/lib.rs", "#[expect(unsafe_code, reason = \"x\")]\n")];
        let tree = Tree::of(&files);
        let mut report = Report::default();
        compare(&tree, &["crates/a/src/lib.rs"], &mut report);
        assert!(report.is_clean());
        compare(&tree, &["crates/b/src/lib.rs"], &mut report);
        assert_eq!(report.lines().len(), 2);
    }
}
