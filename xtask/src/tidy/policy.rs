//! Reads from `deny.toml` the two lists that tidy enforces: allowed licences and banned crates.
//!
//! Not a TOML parser: it knows sections, and arrays of plain strings, which is all that file has.
//!
//! Invariant: an empty or missing list is an error, so that a renamed key cannot switch a check off.

use std::path::Path;

/// What `deny.toml` says.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) licences: Vec<String>,
    pub(crate) banned: Vec<String>,
}

impl Policy {
    /// Reads `deny.toml` at `root`.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or lacks one of the lists.
    pub(crate) fn load(root: &Path) -> Result<Policy, String> {
        let path = root.join("deny.toml");
        let text =
            std::fs::read_to_string(path).map_err(|error| format!("deny.toml cannot be read: {error}"))?;
        Policy::parse(&text)
    }

    fn parse(text: &str) -> Result<Policy, String> {
        let list = |section, key| match strings(text, section, key) {
            list if list.is_empty() => Err(format!("deny.toml has no list `{key}` in [{section}]")),
            list => Ok(list),
        };
        Ok(Policy { licences: list("licenses", "allow")?, banned: list("bans", "deny")? })
    }
}

/// The strings of `key = [ "…", … ]` in one section.
fn strings(text: &str, section: &str, key: &str) -> Vec<String> {
    let mut inside_section = false;
    let mut inside_list = false;
    let mut found = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        let mut rest = line;
        if !inside_list {
            if line.starts_with('[') {
                inside_section = line == format!("[{section}]");
            }
            let value = line.strip_prefix(key).map(str::trim_start).and_then(|rest| rest.strip_prefix('='));
            match value {
                Some(value) if inside_section => rest = value,
                _ => continue,
            }
        }
        found.extend(rest.split('"').skip(1).step_by(2).map(str::to_owned));
        inside_list = !rest.ends_with(']');
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_lists_are_read_with_comments_and_over_several_lines() {
        let text =
            "[bans]\ndeny = [\"a\", \"b\"]\n[licenses]\nallow = [\n  \"MIT\", # why\n  \"ISC\",\n]\nx = 1\n";
        let policy = Policy::parse(text).unwrap();
        assert_eq!(policy.licences, ["MIT", "ISC"]);
        assert_eq!(policy.banned, ["a", "b"]);
    }

    #[test]
    fn a_missing_list_is_an_error() {
        assert!(Policy::parse("[bans]\ndeny = [\"a\"]\n").unwrap_err().contains("[licenses]"));
    }
}
