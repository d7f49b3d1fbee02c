//! Crates that must not be compiled into the product, however deep they hide.
//!
//! Why each is banned stands in `deny.toml`.
//!
//! Invariant: normal and build dependencies count, those of tests do not.

use super::cargo::{Metadata, Package};
use super::layers::is_shed;
use super::policy::Policy;
use super::report::Report;

/// Looks for banned crates in the graph of our product crates.
pub(crate) fn check(metadata: &Metadata, policy: &Policy, report: &mut Report) {
    report.checked();
    let product: Vec<&Package> = metadata.ours().filter(|package| !is_shed(package)).collect();
    for (id, through) in metadata.closure(&product) {
        let Some(package) = metadata.package(id).filter(|package| policy.banned.contains(&package.name))
        else {
            continue;
        };
        let through = metadata.package(through).map_or(through, |package| &package.name);
        let what =
            format!("banned crate `{} {}` comes in through `{through}`", package.name, package.version);
        report.violation(
            "Cargo.lock",
            1,
            what,
            "switch off the feature that needs it (`cargo tree -i` shows the way)",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::cargo::{Edge, EdgeKind, Node, Resolve};
    use super::*;

    fn findings(kind: Option<&str>) -> Vec<String> {
        let package =
            |name: &str| Package { id: name.to_owned(), name: name.to_owned(), ..Package::default() };
        let kinds = vec![EdgeKind { kind: kind.map(str::to_owned) }];
        let edge = Edge { pkg: "openssl".to_owned(), dep_kinds: kinds };
        let metadata = Metadata {
            packages: vec![package("metsuke-clients"), package("openssl")],
            workspace_members: vec!["metsuke-clients".to_owned()],
            resolve: Some(Resolve {
                nodes: vec![Node { id: "metsuke-clients".to_owned(), deps: vec![edge] }],
            }),
            ..Metadata::default()
        };
        let policy = Policy { licences: Vec::new(), banned: vec!["openssl".to_owned()] };
        let mut report = Report::default();
        check(&metadata, &policy, &mut report);
        report.lines()
    }

    #[test]
    fn a_banned_crate_is_named_with_the_one_that_brings_it() {
        assert!(findings(None)[0].contains("comes in through `metsuke-clients`"));
        assert_eq!(findings(Some("build")).len(), 1);
    }

    #[test]
    fn what_only_tests_use_is_not_in_the_product() {
        assert!(findings(Some("dev")).is_empty());
    }
}
