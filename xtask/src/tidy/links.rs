//! Every relative link in a Markdown file leads to a file of the repository.
//!
//! Links to the web are not followed: a check must not depend on a network.
//!
//! Invariant: code blocks and code spans hold no links.

use super::report::Report;
use super::tree::{File, Tree};

/// Follows the relative links of every Markdown file.
pub(crate) fn check(tree: &Tree, report: &mut Report) {
    report.checked();
    for file in tree.files().filter(|file| file.extension() == "md") {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (line, target) in links(file) {
            let path = target.split(['#', '?']).next().unwrap_or_default();
            let reached = path.is_empty() || resolve(folder, path).is_some_and(|path| tree.has(&path));
            if !reached {
                let what = format!("the link `{target}` leads nowhere");
                report.violation(&file.path, line, what, "correct the path, or remove the link");
            }
        }
    }
}

/// The relative targets of a file with their lines.
fn links(file: &File) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (number, line) in file.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        if fenced {
            continue;
        }
        let text = without_code(line);
        let inline = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let definition =
            text.starts_with('[').then(|| text.split_once("]: ")).flatten().map(|(_, target)| target);
        let targets = inline.chain(definition).filter_map(|target| target.split_whitespace().next());
        let relative =
            targets.map(|target| target.trim_matches(['<', '>'])).filter(|target| !is_absolute(target));
        found.extend(relative.map(|target| (number, target.to_owned())));
    }
    found
}

fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join(" ")
}

fn is_absolute(target: &str) -> bool {
    target.contains("://") || target.starts_with("mailto:")
}

/// Joins and tidies a path; `None` when it leaves the repository.
fn resolve(folder: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    if target.starts_with('/') {
        return None;
    }
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> usize {
        let tree = Tree::of(&[("docs/a.md", text), ("docs/adr/0001-b.md", ""), ("README.md", "")]);
        let mut report = Report::default();
        check(&tree, &mut report);
        report.lines().len()
    }

    #[test]
    fn links_to_files_folders_and_the_web_pass() {
        assert_eq!(
            findings("[r](../README.md#x) [b](adr/0001-b.md \"t\") [f](adr/) [w](https://e.org/x) [h](#h)"),
            0
        );
    }

    #[test]
    fn a_link_to_nothing_is_found_in_both_spellings() {
        assert_eq!(findings("[r](README.md)"), 1);
        assert_eq!(findings("[r]: missing.md"), 1);
        assert_eq!(findings("[r](../../outside.md)"), 1);
    }

    #[test]
    fn code_holds_no_links() {
        assert_eq!(findings("`[r](no.md)`\n```\n[r](no.md)\n```\n"), 0);
    }
}
