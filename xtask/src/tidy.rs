//! The rules of the house, one module a rule, and the order in which they are checked.
//!
//! It reads and reports; it never repairs.
//!
//! Invariant: every finding names a file, a line and what to do.

mod banned;
mod cargo;
mod decisions;
mod headers;
mod layers;
mod length;
mod licences;
mod links;
mod migrations;
mod policy;
mod report;
mod rooms;
mod scan;
mod secrets;
mod sql;
mod traces;
mod tree;
mod unfinished;
mod unsafe_code;

pub(crate) use report::Report;

use cargo::Metadata;
use policy::Policy;
use tree::Tree;

/// Checks the whole workspace.
///
/// # Errors
///
/// When git or cargo cannot be asked, or when `deny.toml` cannot be read.
pub(crate) fn run() -> Result<Report, String> {
    // Asked at run time: two clones may share one target folder, and then one program.
    let here = std::env::current_dir().map_err(|error| format!("the current folder is unknown: {error}"))?;
    let root = here.ancestors().find(|folder| folder.join("xtask/Cargo.toml").exists());
    let root = root.ok_or("run it inside the repository")?;
    let tree = Tree::of_repository(root)?;
    let metadata = Metadata::load(root)?;
    let policy = Policy::load(root)?;

    let mut report = Report::default();
    layers::check(&metadata, &tree, &mut report);
    rooms::check(&metadata, &tree, &mut report);
    banned::check(&metadata, &policy, &mut report);
    licences::check(&metadata, &policy, &mut report);
    length::check(&tree, &mut report);
    headers::check(&tree, &mut report);
    migrations::check(&tree, &mut report);
    sql::check(&tree, &mut report);
    secrets::check(&tree, &mut report);
    unfinished::check(&tree, &mut report);
    unsafe_code::check(&tree, &mut report);
    traces::check(&tree, &mut report);
    decisions::check(&tree, &mut report);
    links::check(&tree, &mut report);
    Ok(report)
}
