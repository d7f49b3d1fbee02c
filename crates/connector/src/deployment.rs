//! Whether what `deploy/` and the guide to it claim is so: settings that exist, values that exist, locks that are on.
//!
//! No cluster and no machine is set up here.
//!
//! Invariant: every file of `deploy/` is looked at.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use saphyr_parser::{Event, Parser};

use crate::command;
use crate::fields;

/// Variables that are no settings.
const OTHERS: [&str; 7] = [
    "BATON_CONFIG_PATH",
    "BATON_TMPDIR",
    "BATON_HOST_ID",
    "BATON_C1_API_HOST",
    "BATON_GET_TASKS",
    "BATON_KEEP_SYNC_COUNT",
    "BATON_SKIP_CLEANUP",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every file under a folder, with its text.
fn files(folder: &Path) -> Vec<(PathBuf, String)> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let all = entries.flat_map(|path| {
        if path.is_dir() {
            files(&path)
        } else {
            vec![(path.clone(), std::fs::read_to_string(&path).unwrap())]
        }
    });
    all.collect()
}

fn deployed() -> Vec<(PathBuf, String)> {
    files(&root().join("deploy"))
}

fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// Words of these letters that begin so.
fn words<'t>(text: &'t str, begin: &'t str, letters: fn(char) -> bool) -> impl Iterator<Item = &'t str> {
    text.match_indices(begin).map(move |(at, _)| {
        let rest = &text[at..];
        &rest[..rest[begin.len()..]
            .find(|letter| !letters(letter))
            .map_or(rest.len(), |end| begin.len() + end)]
    })
}

/// The names of a YAML document's values, with dots between them.
fn paths(text: &str) -> BTreeSet<String> {
    let (mut paths, mut path) = (BTreeSet::new(), Vec::new());
    // Of each mapping, whether a name comes next; of each list, nothing.
    let mut open: Vec<Option<bool>> = Vec::new();
    let done = |path: &mut Vec<String>, open: &mut Vec<Option<bool>>| {
        if let Some(Some(is_name @ false)) = open.last_mut() {
            *is_name = true;
            path.pop();
        }
    };
    for event in Parser::new_from_str(text) {
        match event.unwrap().0 {
            Event::Scalar(name, ..) if open.last() == Some(&Some(true)) => {
                path.push(name.into_owned());
                paths.insert(path.join("."));
                *open.last_mut().unwrap() = Some(false);
            }
            Event::Scalar(..) => done(&mut path, &mut open),
            Event::MappingStart(..) => open.push(Some(true)),
            Event::SequenceStart(..) => open.push(None),
            Event::MappingEnd | Event::SequenceEnd => {
                open.pop();
                done(&mut path, &mut open);
            }
            _ => {}
        }
    }
    paths
}

#[test]
fn every_manifest_is_yaml() {
    let is_yaml = |path: &Path| path.extension().is_some_and(|end| end == "yaml");
    let plain = deployed()
        .into_iter()
        .filter(|(path, _)| is_yaml(path) && !path.to_string_lossy().contains("templates"));
    let mut count = 0;
    for (path, text) in plain {
        for event in Parser::new_from_str(&text) {
            assert!(event.is_ok(), "{}: {event:?}", path.display());
        }
        count += 1;
    }
    assert!(count >= 5, "{count}");
}

#[test]
fn templates_name_values_that_exist_and_every_value_is_named() {
    let known = paths(&text("deploy/helm/metsuke/values.yaml"));
    let templates = files(&root().join("deploy/helm/metsuke/templates"));
    let letters = |letter: char| letter.is_ascii_alphanumeric() || letter == '.';
    let named: BTreeSet<String> = templates
        .iter()
        .flat_map(|(_, text)| words(text, ".Values.", letters))
        .map(|word| word.trim_start_matches(".Values.").to_owned())
        .collect();
    assert!(!named.is_empty());
    for name in &named {
        assert!(known.contains(name), "there is no value `{name}`");
    }
    for value in &known {
        let used = |name: &String| {
            name == value || value.starts_with(&format!("{name}.")) || name.starts_with(&format!("{value}."))
        };
        assert!(named.iter().any(used), "nothing uses value `{value}`");
    }
}

#[test]
fn every_variable_of_the_connector_that_is_named_exists() {
    let settings: BTreeSet<String> = fields::all().map(fields::Field::variable).collect();
    let letters = |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_';
    let guide = (PathBuf::from("docs/self-hosted.md"), text("docs/self-hosted.md"));
    for (path, text) in deployed().into_iter().chain([guide]) {
        for word in words(&text, "BATON_", letters) {
            let known = word == "BATON_" || settings.contains(word) || OTHERS.contains(&word);
            assert!(known, "{} names `{word}`", path.display());
        }
    }
}

#[test]
fn every_command_of_the_guide_is_understood() {
    let guide = text("docs/self-hosted.md");
    let mut count = 0;
    for line in guide.lines().filter(|line| line.starts_with("baton-heroku ")) {
        let line = line.split(['#', '>', '|']).next().unwrap();
        let arguments = line.split_whitespace().map(std::ffi::OsString::from);
        assert!(command::parse(arguments).is_ok(), "{line}");
        count += 1;
    }
    assert!(count >= 5, "{count}");
}

#[test]
fn units_and_pods_are_locked_down() {
    for unit in ["baton-heroku.service", "metsuke.service"] {
        let text = text(&format!("deploy/systemd/{unit}"));
        for lock in [
            "DynamicUser=yes",
            "ProtectSystem=strict",
            "ProtectHome=yes",
            "PrivateTmp=yes",
            "NoNewPrivileges=yes",
            "CapabilityBoundingSet=\n",
            "SystemCallFilter=@system-service",
            "/etc/metsuke/",
        ] {
            assert!(text.contains(lock), "{unit} lacks {lock}");
        }
    }
    for pod in ["kubernetes/connector.yaml", "kubernetes/server.yaml", "helm/metsuke/templates/_helpers.tpl"]
    {
        let text = text(&format!("deploy/{pod}"));
        for lock in [
            "runAsNonRoot: true",
            "readOnlyRootFilesystem: true",
            "allowPrivilegeEscalation: false",
            "RuntimeDefault",
        ] {
            assert!(text.contains(lock), "{pod} lacks {lock}");
        }
    }
    let image = text("deploy/container/Dockerfile");
    assert!(image.contains("USER 65532:65532") && image.contains(":nonroot"));
}

#[test]
fn the_chart_has_the_version_of_the_program() {
    let chart = text("deploy/helm/metsuke/Chart.yaml");
    assert!(chart.contains(&format!("appVersion: \"{}\"", env!("CARGO_PKG_VERSION"))));
}
