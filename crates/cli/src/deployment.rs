//! Whether what `deploy/` and the guide to it have the program do is understood by it.
//!
//! No cluster and no machine is set up here.

use std::path::{Path, PathBuf};

use clap::Parser as _;

use crate::args::Cli;

fn text(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::read_to_string(root.join(path)).unwrap()
}

fn understood(words: &[String], place: &str) {
    if let Err(told) = Cli::try_parse_from(words) {
        panic!("{place}: {words:?}: {told}");
    }
}

/// What a list in YAML or JSON holds, where it stands on one line behind this name.
fn list(line: &str, name: &str) -> Option<Vec<String>> {
    let items = line.trim().strip_prefix(name)?.trim().strip_prefix('[')?.strip_suffix(']')?;
    Some(items.split(',').map(|item| item.trim().trim_matches('"').to_owned()).collect())
}

#[test]
fn what_is_deployed_starts_a_server() {
    let mut count = 0;
    for (file, name) in [
        ("deploy/container/Dockerfile", "CMD"),
        ("deploy/kubernetes/server.yaml", "args:"),
        ("deploy/helm/metsuke/values.yaml", "args:"),
    ] {
        for words in text(file).lines().filter_map(|line| list(line, name)) {
            assert_eq!(words[0], "serve", "{file}");
            understood(&[vec!["metsuke".to_owned()], words].concat(), file);
            count += 1;
        }
    }
    let unit = text("deploy/systemd/metsuke.service");
    for line in unit.lines().filter_map(|line| line.strip_prefix("ExecStart=")) {
        let words: Vec<String> = line.split_whitespace().map(ToOwned::to_owned).collect();
        assert_eq!(words[1], "serve");
        understood(&words, "metsuke.service");
        count += 1;
    }
    assert_eq!(count, 4);
}

#[test]
fn every_command_of_the_guide_is_understood() {
    let guide = text("docs/self-hosted.md");
    let mut count = 0;
    for line in guide.lines().filter(|line| line.starts_with("metsuke ")) {
        let line = line.split(['#', '>', '|', '<']).next().unwrap();
        let words: Vec<String> = line.split_whitespace().map(|word| word.replace('"', "")).collect();
        understood(&words, "docs/self-hosted.md");
        count += 1;
    }
    assert!(count >= 5, "{count}");
}

#[test]
fn what_has_to_outlive_a_container_lies_on_its_volume() {
    for file in [
        "deploy/container/Dockerfile",
        "deploy/kubernetes/server.yaml",
        "deploy/helm/metsuke/templates/server.yaml",
    ] {
        let text = text(file);
        for path in ["sqlite:/var/lib/metsuke/metsuke.db", "/var/lib/metsuke/metsuke.key"] {
            assert!(text.contains(path), "{file} lacks {path}");
        }
        let audit = PathBuf::from("/var/lib/metsuke/metsuke.db.audit-key");
        assert!(text.contains(audit.to_str().unwrap()), "{file}");
        assert_eq!(
            metsuke_engine::audit::KeyFile::beside(Path::new("/var/lib/metsuke/metsuke.db")).path(),
            audit
        );
    }
}
