//! Each heavy foreign crate has one room; elsewhere it may not be named.
//!
//! Only direct dependencies count: what `store` needs, `engine` gets along with it.
//!
//! Invariant: a room lists crates by their short name, as the import law does.

use super::cargo::{Metadata, room};
use super::layers::{is_shed, manifest_line};
use super::report::Report;
use super::tree::Tree;

struct Room {
    foreign: &'static [&'static str],
    allowed: &'static [&'static str],
    /// Whether the tests of every crate may use it.
    tests: bool,
}

const ROOMS: &[Room] = &[
    Room { foreign: &["sqlx", "sqlx-core", "libsqlite3-sys"], allowed: &["store"], tests: false },
    // The SQLite file inside a c1z, which is no database of the product's, and the reader of questions.
    Room { foreign: &["rusqlite"], allowed: &["baton", "store"], tests: false },
    Room { foreign: &["age", "chacha20poly1305"], allowed: &["engine"], tests: false },
    Room { foreign: &["reqwest"], allowed: &["clients"], tests: true },
    // What axum itself serves with; the door limits connections by it.
    Room { foreign: &["hyper", "hyper-util"], allowed: &["web"], tests: true },
    // The stand-in for C1 serves over TLS.
    Room { foreign: &["rustls", "tokio-rustls"], allowed: &["clients", "simulator"], tests: true },
    Room { foreign: &["rcgen"], allowed: &["simulator"], tests: true },
    Room { foreign: &["backon", "lettre"], allowed: &["clients"], tests: false },
    Room { foreign: &["clap", "clap_complete"], allowed: &["cli", "connector"], tests: false },
    Room { foreign: &["indicatif", "comfy-table"], allowed: &["cli"], tests: false },
    Room { foreign: &["anyhow"], allowed: &["cli", "connector"], tests: false },
    Room {
        foreign: &[
            "opentelemetry",
            "opentelemetry-http",
            "opentelemetry-otlp",
            "opentelemetry_sdk",
            "tikv-jemallocator",
            "tracing-opentelemetry",
        ],
        allowed: &["cli"],
        tests: false,
    },
    Room { foreign: &["tracing-subscriber"], allowed: &["cli", "connector"], tests: true },
    // The connector's health endpoints; axum is in the tree with tonic anyway.
    Room { foreign: &["axum"], allowed: &["simulator", "web", "baton"], tests: false },
    Room { foreign: &["askama", "prometheus-client", "rust-embed"], allowed: &["web"], tests: false },
    Room { foreign: &["tonic", "prost", "tonic-prost"], allowed: &["baton", "simulator"], tests: false },
    Room { foreign: &["annotate-snippets"], allowed: &["j1ql"], tests: false },
    Room { foreign: &["openidconnect"], allowed: &["clients"], tests: false },
    Room { foreign: &["argon2"], allowed: &["engine"], tests: false },
    Room { foreign: &["croner"], allowed: &["engine"], tests: false },
];

/// Checks every direct foreign dependency of a product crate.
pub(crate) fn check(metadata: &Metadata, tree: &Tree, report: &mut Report) {
    report.checked();
    for package in metadata.ours().filter(|package| !is_shed(package)) {
        let name = room(&package.name).unwrap_or(&package.name);
        let manifest = metadata.manifest(package);
        for dependency in &package.dependencies {
            let found = ROOMS.iter().find(|room| room.foreign.contains(&dependency.name.as_str()));
            let Some(place) = found else { continue };
            if place.allowed.contains(&name) || (place.tests && dependency.is_dev()) {
                continue;
            }
            let line = manifest_line(tree, manifest, &dependency.name);
            let what =
                format!("`{name}` names `{}`, which lives in {}", dependency.name, listed(place.allowed));
            report.violation(manifest, line, what, "offer what is needed from that crate, in our own types");
        }
    }
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use super::super::cargo::{Dependency, Package};
    use super::*;

    fn count(crate_name: &str, dependency: &str, kind: Option<&str>) -> usize {
        let package = Package {
            id: crate_name.to_owned(),
            name: crate_name.to_owned(),
            dependencies: vec![Dependency { name: dependency.to_owned(), kind: kind.map(str::to_owned) }],
            ..Package::default()
        };
        let members = vec![crate_name.to_owned()];
        let metadata =
            Metadata { packages: vec![package], workspace_members: members, ..Metadata::default() };
        let mut report = Report::default();
        check(&metadata, &Tree::default(), &mut report);
        report.lines().len()
    }

    #[test]
    fn a_foreign_crate_is_free_in_its_room_only() {
        assert_eq!(count("metsuke-store", "sqlx", None), 0);
        assert_eq!(count("metsuke-engine", "sqlx", None), 1);
        assert_eq!(count("metsuke-engine", "sqlx", Some("dev")), 1);
    }

    #[test]
    fn tests_may_speak_http() {
        assert_eq!(count("metsuke-simulator", "reqwest", Some("dev")), 0);
        assert_eq!(count("metsuke-simulator", "reqwest", None), 1);
    }

    #[test]
    fn benchmarks_are_exempt() {
        assert_eq!(count("metsuke-bench", "sqlx", None), 0);
    }
}
