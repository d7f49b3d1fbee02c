//! Writes the Rust code for the `.proto` files of `crates/baton/proto`, or says that it is out of date.
//!
//! Nothing of the product runs this: what it writes is committed, so that a build needs no compiler for Protocol Buffers.
//!
//! Invariant: the same `.proto` files give the same bytes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tonic_prost_build::Builder;

/// Where the `.proto` files stand.
const PROTO: &str = "crates/baton/proto";

/// One crate that gets generated code.
struct Target {
    folder: &'static str,
    /// The files that hold what it uses; what these import comes along.
    files: &'static [&'static str],
    build: fn(Builder) -> Builder,
}

const TARGETS: &[Target] = &[
    Target { folder: "crates/baton/src/generated", files: &[], build: |builder| builder },
    // The stand-in reads the contract for itself, and only plays C1's side.
    Target {
        folder: "crates/simulator/src/generated",
        files: &["c1/connectorapi/baton/v1/baton.proto"],
        build: |builder| builder.build_client(false),
    },
];

/// Writes all generated code; with `check`, only compares.
///
/// # Errors
///
/// When a `.proto` file cannot be compiled, a file not be written, or, with `check`, one differs.
pub(crate) fn run(check: bool) -> Result<String, String> {
    let here = std::env::current_dir().map_err(|error| format!("the current folder is unknown: {error}"))?;
    let root = here.ancestors().find(|folder| folder.join("xtask/Cargo.toml").exists());
    let root = root.ok_or("run it inside the repository")?;
    let mut stale = Vec::new();
    let mut count = 0;
    for target in TARGETS {
        let made = make(root, target)?;
        count += made.len();
        let folder = root.join(target.folder);
        if check {
            stale.extend(differences(&folder, &made)?);
        } else {
            put(&folder, &made)?;
        }
    }
    if stale.is_empty() {
        return Ok(format!("codegen: {count} files {}\n", if check { "up to date" } else { "written" }));
    }
    let listed: Vec<String> = stale.iter().map(|path| path.display().to_string()).collect();
    Err(format!(
        "{}: not what the .proto files give; run `cargo run -p xtask --features codegen -- codegen`",
        listed.join(", ")
    ))
}

/// The generated files of a target, by name.
fn make(root: &Path, target: &Target) -> Result<BTreeMap<String, String>, String> {
    let proto = root.join(PROTO);
    let mut files: Vec<PathBuf> = target.files.iter().map(|file| proto.join(file)).collect();
    if files.is_empty() {
        collect(&proto, &mut files)?;
    }
    let descriptors = protox::compile(&files, [&proto]).map_err(|error| format!("{PROTO}: {error}"))?;
    let out = std::env::temp_dir().join(format!("metsuke-codegen-{}", std::process::id()));
    std::fs::create_dir_all(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    // Sorted maps, so that the same message is always the same bytes; names, so that any message can be packed.
    let mut messages = tonic_prost_build::Config::new();
    messages
        .btree_map(["."])
        .enable_type_names()
        .type_name_domain(["."], "type.googleapis.com")
        .out_dir(&out);
    let builder = (target.build)(tonic_prost_build::configure().emit_rerun_if_changed(false).out_dir(&out));
    let written = builder.compile_fds_with_config(descriptors, messages).map_err(|error| error.to_string());
    let made = written.and_then(|()| read(&out));
    std::fs::remove_dir_all(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    made
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    files.sort();
    Ok(())
}

/// The files of a folder, by name; a folder that is not there is empty.
fn read(folder: &Path) -> Result<BTreeMap<String, String>, String> {
    let mut found = BTreeMap::new();
    if !folder.exists() {
        return Ok(found);
    }
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".rs") {
            found.insert(name, std::fs::read_to_string(entry.path()).map_err(failed)?);
        }
    }
    Ok(found)
}

fn differences(folder: &Path, made: &BTreeMap<String, String>) -> Result<Vec<PathBuf>, String> {
    let held = read(folder)?;
    let names = held.keys().chain(made.keys()).filter(|name| held.get(*name) != made.get(*name));
    let mut stale: Vec<PathBuf> = names.map(|name| folder.join(name)).collect();
    stale.sort();
    stale.dedup();
    Ok(stale)
}

fn put(folder: &Path, made: &BTreeMap<String, String>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    std::fs::create_dir_all(folder).map_err(failed)?;
    for name in read(folder)?.keys().filter(|name| !made.contains_key(*name)) {
        std::fs::remove_file(folder.join(name)).map_err(failed)?;
    }
    for (name, text) in made {
        std::fs::write(folder.join(name), text).map_err(failed)?;
    }
    Ok(())
}
