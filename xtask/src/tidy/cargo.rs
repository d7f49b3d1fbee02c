//! What cargo knows of the workspace: packages, declared dependencies, and the resolved graph.
//!
//! Only the fields that a check reads; the rest of cargo's answer is ignored.
//!
//! Invariant: read with `--locked`, so a check never changes `Cargo.lock`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

/// Cargo's answer to `cargo metadata`.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    pub(crate) workspace_members: Vec<String>,
    #[serde(default)]
    pub(crate) workspace_root: String,
    pub(crate) resolve: Option<Resolve>,
}

/// One package, ours or foreign.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    #[serde(default)]
    pub(crate) license: Option<String>,
    #[serde(default)]
    pub(crate) manifest_path: String,
    #[serde(default)]
    pub(crate) dependencies: Vec<Dependency>,
}

/// One line of a `[dependencies]` table.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) kind: Option<String>,
}

impl Dependency {
    /// Whether only tests and benchmarks see it.
    pub(crate) fn is_dev(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }
}

/// The graph that cargo would build.
#[derive(Debug, Deserialize)]
pub(crate) struct Resolve {
    pub(crate) nodes: Vec<Node>,
}

/// One package in the graph, with its edges.
#[derive(Debug, Deserialize)]
pub(crate) struct Node {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) deps: Vec<Edge>,
}

/// One edge of the graph.
#[derive(Debug, Deserialize)]
pub(crate) struct Edge {
    pub(crate) pkg: String,
    #[serde(default)]
    pub(crate) dep_kinds: Vec<EdgeKind>,
}

/// How one package needs another; no kind means a normal dependency.
#[derive(Debug, Deserialize)]
pub(crate) struct EdgeKind {
    #[serde(default)]
    pub(crate) kind: Option<String>,
}

impl Metadata {
    /// Asks cargo.
    ///
    /// # Errors
    ///
    /// When cargo fails, for example because `Cargo.lock` is out of date.
    pub(crate) fn load(root: &Path) -> Result<Metadata, String> {
        let answer = Command::new("cargo")
            .args(["metadata", "--format-version", "1", "--locked"])
            .current_dir(root)
            .output()
            .map_err(|error| format!("cargo could not be started: {error}"))?;
        if !answer.status.success() {
            return Err(format!("cargo metadata failed: {}", String::from_utf8_lossy(&answer.stderr).trim()));
        }
        serde_json::from_slice(&answer.stdout)
            .map_err(|error| format!("cargo metadata gave an answer that does not fit: {error}"))
    }

    /// The packages of this workspace.
    pub(crate) fn ours(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.workspace_members.contains(&package.id))
    }

    /// The manifest of one of our packages, relative to the root.
    pub(crate) fn manifest<'a>(&self, package: &'a Package) -> &'a str {
        package
            .manifest_path
            .strip_prefix(&self.workspace_root)
            .unwrap_or(&package.manifest_path)
            .trim_start_matches('/')
    }

    /// Everything that is compiled into or for the packages in `from`, tests left out.
    ///
    /// The value is the package through which it was first reached.
    pub(crate) fn closure<'a>(&'a self, from: &[&'a Package]) -> BTreeMap<&'a str, &'a str> {
        let nodes: BTreeMap<&str, &Node> = self
            .resolve
            .iter()
            .flat_map(|resolve| &resolve.nodes)
            .map(|node| (node.id.as_str(), node))
            .collect();
        let mut reached = BTreeMap::new();
        let mut seen: BTreeSet<&str> = from.iter().map(|package| package.id.as_str()).collect();
        let mut waiting: Vec<&str> = seen.iter().copied().collect();
        while let Some(id) = waiting.pop() {
            let edges = nodes.get(id).into_iter().flat_map(|node| &node.deps);
            for edge in edges.filter(|edge| edge.dep_kinds.iter().any(|k| k.kind.as_deref() != Some("dev"))) {
                if seen.insert(&edge.pkg) {
                    reached.insert(edge.pkg.as_str(), id);
                    waiting.push(&edge.pkg);
                }
            }
        }
        reached
    }

    pub(crate) fn package(&self, id: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.id == id)
    }
}

/// The short name of one of our crates: `metsuke-store` is `store`; `None` for a foreign crate.
pub(crate) fn room(package: &str) -> Option<&str> {
    if package == "xtask" { Some(package) } else { package.strip_prefix("metsuke-") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closure_follows_build_edges_and_leaves_out_tests() {
        let edge = |pkg: &str, kind: Option<&str>| Edge {
            pkg: pkg.to_owned(),
            dep_kinds: vec![EdgeKind { kind: kind.map(str::to_owned) }],
        };
        let node = |id: &str, deps| Node { id: id.to_owned(), deps };
        let nodes = vec![
            node("a", vec![edge("b", None), edge("t", Some("dev"))]),
            node("b", vec![edge("c", Some("build"))]),
        ];
        let metadata = Metadata { resolve: Some(Resolve { nodes }), ..Metadata::default() };
        let a = Package { id: "a".to_owned(), ..Package::default() };
        assert_eq!(metadata.closure(&[&a]), BTreeMap::from([("b", "a"), ("c", "b")]));
    }
}
