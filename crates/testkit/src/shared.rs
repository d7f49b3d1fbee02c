//! Finds test data that lies beside the repository and is not part of it.
//!
//! It only finds; what the data means is the business of the test that asks.
//!
//! Invariant: absence is said aloud, so that a test which could not run is never taken for one that passed.

use std::path::{Path, PathBuf};

/// The path of `../shared/<rel>` beside the repository, when it exists.
///
/// Otherwise `None`, after a line on stderr that names what is absent.
#[must_use]
pub fn shared(rel: &str) -> Option<PathBuf> {
    // Asked at run time: two clones may share one target folder, and then one program.
    let manifest =
        std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let found = beside_repository(Path::new(&manifest), rel);
    if found.is_none() {
        eprintln!("not run: shared/{rel} is absent");
    }
    found
}

fn beside_repository(manifest: &Path, rel: &str) -> Option<PathBuf> {
    let root = manifest.ancestors().find(|folder| folder.join("Cargo.lock").exists())?;
    let path = root.parent()?.join("shared").join(rel);
    path.exists().then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_looked_for_beside_the_repository() {
        let base = std::env::temp_dir().join(format!("metsuke-shared-{}", std::process::id()));
        let manifest = base.join("repository/crates/testkit");
        std::fs::create_dir_all(&manifest).unwrap();
        std::fs::create_dir_all(base.join("shared")).unwrap();
        std::fs::write(base.join("repository/Cargo.lock"), "").unwrap();
        std::fs::write(base.join("shared/rows.json"), "[]").unwrap();

        assert_eq!(beside_repository(&manifest, "rows.json"), Some(base.join("shared/rows.json")));
        assert_eq!(beside_repository(&manifest, "missing.json"), None);

        std::fs::remove_dir_all(base).unwrap();
    }
}
