//! The files of the repository as git sees them: tracked ones and new ones that are not ignored.
//!
//! It knows nothing of any rule; it only reads, and answers what kind of file a path is.
//!
//! Invariant: paths are relative to the root and use `/`; files that are not UTF-8 have no text.

use std::path::Path;
use std::process::Command;

/// One file with its text.
#[derive(Debug, Clone)]
pub(crate) struct File {
    /// Path from the root of the repository.
    pub(crate) path: String,
    /// `None` for a file that is not UTF-8.
    pub(crate) text: Option<String>,
}

impl File {
    /// The numbered lines, from 1; none for a file that is not text.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.as_deref().unwrap_or_default().lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// The extension, without its dot.
    pub(crate) fn extension(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.rsplit_once('.').map_or("", |(_, extension)| extension)
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.extension() == "rs"
    }

    /// Whether a program wrote it.
    pub(crate) fn is_generated(&self) -> bool {
        self.path.split('/').any(|part| part == "generated")
    }

    /// Whether it holds nothing but tests or benchmarks.
    pub(crate) fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs")
            || self.path.ends_with("_tests.rs")
            || self.path.split('/').any(|part| part == "tests" || part == "benches")
    }

    /// The checks themselves, which must spell what they look for.
    pub(crate) fn is_tidy(&self) -> bool {
        self.path.starts_with("xtask/src/tidy")
    }

    /// The line of the inline test module, if there is one; tests stand at the end of a file.
    fn first_test_line(&self) -> usize {
        let mut before = "";
        for (number, line) in self.lines() {
            if before.trim() == "#[cfg(test)]" && line.trim_start().starts_with("mod ") && line.ends_with('{')
            {
                return number;
            }
            before = line;
        }
        usize::MAX
    }

    /// The numbered lines that are neither comments nor inside tests.
    pub(crate) fn product_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let end = if self.is_test() { 0 } else { self.first_test_line() };
        self.lines().filter(move |(number, line)| *number < end && !line.trim_start().starts_with("//"))
    }
}

/// All files of the repository.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    files: Vec<File>,
}

impl Tree {
    /// Reads the repository at `root`.
    ///
    /// # Errors
    ///
    /// When git is missing or refuses to list the files.
    pub(crate) fn of_repository(root: &Path) -> Result<Tree, String> {
        let listing = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root)
            .output()
            .map_err(|error| format!("git could not be started: {error}"))?;
        if !listing.status.success() {
            return Err(format!(
                "git could not list the files: {}",
                String::from_utf8_lossy(&listing.stderr)
            ));
        }
        let mut paths: Vec<String> = listing
            .stdout
            .split(|byte| *byte == 0)
            .filter(|path| !path.is_empty())
            .map(|path| String::from_utf8_lossy(path).into_owned())
            .collect();
        paths.sort();
        paths.dedup();
        // A deleted file stays in git's list until the deletion is staged.
        let files = paths.into_iter().filter_map(|path| {
            let bytes = std::fs::read(root.join(&path)).ok()?;
            Some(File { path, text: String::from_utf8(bytes).ok() })
        });
        Ok(Tree { files: files.collect() })
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &File> {
        self.files.iter()
    }

    pub(crate) fn rust_files(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.is_rust() && !file.is_generated())
    }

    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Whether `path` is a file, or a folder that holds one; the root is the empty path.
    pub(crate) fn has(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        path.is_empty() || self.files.iter().any(|file| file.path == path || file.path.starts_with(&folder))
    }

    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Tree {
        let file =
            |(path, text): &(&str, &str)| File { path: (*path).to_owned(), text: Some((*text).to_owned()) };
        Tree { files: files.iter().map(file).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn product_lines_leave_out_comments_and_tests() {
        let text = "let a;\n// note\n#[cfg(test)]\nmod tests {\nlet b;\n}\n";
        let tree = Tree::of(&[("crates/x/src/lib.rs", text), ("crates/x/tests/it/main.rs", "let c;\n")]);
        let lines: Vec<_> = tree.files().flat_map(File::product_lines).collect();
        assert_eq!(lines, [(1, "let a;"), (3, "#[cfg(test)]")]);
    }

    #[test]
    fn folders_count_as_present() {
        let tree = Tree::of(&[("docs/adr/0001-workspace.md", "")]);
        assert!(tree.has("docs/adr") && tree.has("docs/adr/0001-workspace.md") && !tree.has("docs/ad"));
    }
}
