//! The import law: which of our crates may depend on which.
//!
//! It reads manifests; paths inside the code need no check, because cargo refuses what a manifest lacks.
//!
//! Invariant: a crate that this table does not know is a violation, never silently free.

use super::cargo::{Dependency, Metadata, Package, room};
use super::report::Report;
use super::tree::Tree;

const REMEDY: &str = "move the shared part down a floor, or change the import law by a decision record";

/// May a crate be used by product code of another, by floor; `*` stands for all.
const LAW: &[(&str, &[&str])] = &[
    ("cli", &["web", "baton", "engine", "store", "clients", "simulator", "model"]),
    ("connector", &["baton", "engine", "store", "clients", "model"]),
    ("web", &["engine", "model"]),
    ("baton", &["engine", "model"]),
    ("engine", &["store", "clients", "j1ql", "model"]),
    ("store", &["model"]),
    ("clients", &["model"]),
    ("j1ql", &["model"]),
    ("model", &[]),
    ("simulator", &[]),
    ("testkit", &["simulator", "model"]),
    ("bench", &["*"]),
    ("xtask", &[]),
];

/// Tests of any crate may use these as well.
const TEST_TOOLS: &[&str] = &["testkit", "simulator"];

/// Checks every edge between our crates.
pub(crate) fn check(metadata: &Metadata, tree: &Tree, report: &mut Report) {
    report.checked();
    for package in metadata.ours() {
        let manifest = metadata.manifest(package);
        let Some(from) = room(&package.name).filter(|name| LAW.iter().any(|(known, _)| known == name)) else {
            let what = format!("crate `{}` has no place in the import law", package.name);
            report.violation(
                manifest,
                1,
                what,
                "name it `metsuke-…` and give it a floor in xtask's `layers`",
            );
            continue;
        };
        for dependency in &package.dependencies {
            if let Some(to) = room(&dependency.name).filter(|to| !is_allowed(from, to, dependency)) {
                let kind = if dependency.is_dev() { "its tests use" } else { "uses" };
                let line = manifest_line(tree, manifest, &dependency.name);
                report.violation(manifest, line, format!("`{from}` {kind} `{to}`"), REMEDY);
            }
        }
    }
}

fn is_allowed(from: &str, to: &str, dependency: &Dependency) -> bool {
    let allowed = LAW.iter().find(|(name, _)| *name == from).map_or(&[][..], |(_, allowed)| allowed);
    allowed.contains(&"*") || allowed.contains(&to) || (dependency.is_dev() && TEST_TOOLS.contains(&to))
}

/// The line of a manifest that declares `dependency`, or 1.
pub(crate) fn manifest_line(tree: &Tree, manifest: &str, dependency: &str) -> usize {
    let declares = |line: &str| {
        let rest = line.trim_start().strip_prefix(dependency);
        rest.is_some_and(|rest| rest.starts_with([' ', '.', '=']))
    };
    tree.file(manifest)
        .and_then(|file| file.lines().find(|(_, line)| declares(line)))
        .map_or(1, |(number, _)| number)
}

/// Whether the rules for product code do not apply to a crate.
pub(crate) fn is_shed(package: &Package) -> bool {
    matches!(room(&package.name), Some("xtask" | "bench" | "testkit"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(from: &str, to: &str, kind: Option<&str>) -> Vec<String> {
        let package = Package {
            id: from.to_owned(),
            name: from.to_owned(),
            manifest_path: "/r/crates/a/Cargo.toml".to_owned(),
            dependencies: vec![Dependency { name: to.to_owned(), kind: kind.map(str::to_owned) }],
            ..Package::default()
        };
        let metadata = Metadata {
            packages: vec![package],
            workspace_members: vec![from.to_owned()],
            workspace_root: "/r".to_owned(),
            ..Metadata::default()
        };
        let tree = Tree::of(&[("crates/a/Cargo.toml", &format!("[dependencies]\n{to} = {{ }}\n"))]);
        let mut report = Report::default();
        check(&metadata, &tree, &mut report);
        report.lines()
    }

    #[test]
    fn an_edge_that_goes_down_is_lawful() {
        assert!(findings("metsuke-cli", "metsuke-engine", None).is_empty());
        assert!(findings("metsuke-bench", "metsuke-store", None).is_empty());
    }

    #[test]
    fn an_edge_that_goes_up_is_named_with_its_line() {
        let found = findings("metsuke-model", "metsuke-store", None);
        assert_eq!(found, [format!("crates/a/Cargo.toml:2: `model` uses `store`; {REMEDY}")]);
    }

    #[test]
    fn tests_may_use_the_simulator_and_nothing_sideways() {
        assert!(findings("metsuke-clients", "metsuke-simulator", Some("dev")).is_empty());
        assert_eq!(findings("metsuke-clients", "metsuke-simulator", None).len(), 1);
        assert_eq!(findings("metsuke-clients", "metsuke-store", Some("dev")).len(), 1);
    }

    #[test]
    fn an_unknown_crate_must_be_given_a_floor() {
        assert_eq!(findings("metsuke-attic", "serde", None).len(), 1);
        assert_eq!(findings("stray", "serde", None).len(), 1);
    }
}
