//! Every source file opens with `//!`: what it is, what it is not, and its invariant.
//!
//! Only the presence is checked; whether the sentence is any good is for reviewers.
//!
//! Invariant: files of nothing but tests are exempt.

use super::report::Report;
use super::tree::{File, Tree};

/// Looks at the first line of every source file.
pub(crate) fn check(tree: &Tree, report: &mut Report) {
    report.checked();
    for file in tree.rust_files().filter(|file| is_source(file)) {
        let opening = file.lines().map(|(_, line)| line).find(|line| !line.starts_with("#!"));
        if !opening.is_some_and(|line| line.starts_with("//!")) {
            let remedy = "begin with one sentence on what it is and one on what it is not";
            report.violation(&file.path, 1, "the file does not open with `//!`", remedy);
        }
    }
}

fn is_source(file: &File) -> bool {
    let crate_source = file.path.starts_with("crates/") && file.path.split('/').nth(2) == Some("src");
    (crate_source || file.path.starts_with("xtask/src/")) && !file.is_test()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sources_need_an_opening() {
        let files = [
            ("crates/a/src/lib.rs", "//! The a.\n"),
            ("crates/a/src/b.rs", "use c;\n//! Late.\n"),
            ("crates/a/src/b/tests.rs", "use c;\n"),
            ("crates/a/tests/it/main.rs", "use c;\n"),
            ("xtask/src/main.rs", ""),
        ];
        let mut report = Report::default();
        check(&Tree::of(&files), &mut report);
        let found: Vec<_> =
            report.lines().iter().map(|line| line.split(':').next().unwrap().to_owned()).collect();
        assert_eq!(found, ["crates/a/src/b.rs", "xtask/src/main.rs"]);
    }
}
