use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::*;

/// Variables that are no settings: where the settings' file is.
const OTHERS: &[&str] = &["METSUKE_CONFIG"];

/// Every file below a folder.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Every word that looks like one of our variables.
fn named(text: &str) -> BTreeSet<String> {
    let part = |sign: char| sign.is_ascii_uppercase() || sign.is_ascii_digit() || sign == '_';
    let words = text.split(|sign: char| !part(sign)).map(|word| word.trim_end_matches('_').to_owned());
    words.filter(|word| word.starts_with("METSUKE_")).collect()
}

fn known(word: &str) -> bool {
    let is = |setting: &Setting| {
        let by_file = word.strip_suffix(BY_FILE).filter(|_| setting.kind.may_be_secret());
        setting.variables.iter().any(|own| *own == word || Some(*own) == by_file)
    };
    OTHERS.contains(&word) || word.starts_with("METSUKE_TEST") || SETTINGS.iter().any(is)
}

#[test]
fn every_variable_that_the_program_names_is_in_the_table() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    files(&source, &mut found);
    assert!(found.len() > 50, "the source is not where it was");
    let strange: Vec<String> = found
        .iter()
        .flat_map(|file| {
            let text = std::fs::read_to_string(file).unwrap();
            named(&text).into_iter().map(move |word| format!("{word} in {}", file.display()))
        })
        .filter(|line| !known(line.split(' ').next().unwrap()))
        .collect();
    assert!(strange.is_empty(), "{strange:#?}");
}

#[test]
fn whatever_is_deployed_and_told_of_sets_what_the_table_has() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = vec![root.join("README.md")];
    files(&root.join("deploy"), &mut found);
    let pages = std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    found.extend(pages.filter(|page| page.extension().is_some_and(|ending| ending == "md")));
    // These two tell of tests, which have knobs of their own.
    found.retain(|page| !page.ends_with("docs/campaigns.md") && !page.ends_with("docs/benchmarks.md"));
    for file in found {
        let text = std::fs::read_to_string(&file).unwrap();
        let strange: Vec<String> = named(&text).into_iter().filter(|word| !known(word)).collect();
        assert!(strange.is_empty(), "{}: {strange:?}", file.display());
    }
}

#[test]
fn a_secret_can_be_given_by_a_file_and_not_twice() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "canary\n").unwrap();
    let path = file.path().to_str().unwrap();
    for setting in SETTINGS.iter().filter(|setting| setting.kind.may_be_secret()) {
        for name in setting.variables {
            let by_file = format!("{name}{BY_FILE}");
            let values = Values::of_variables(&[(by_file.as_str(), path)]).unwrap();
            let found = values.secret(setting.name).unwrap().unwrap();
            assert_eq!(found.value.expose_secret(), "canary", "{by_file}");
            let twice = Values::of_variables(&[(by_file.as_str(), path), (*name, "canary")]).unwrap_err();
            assert!(!format!("{twice:?}").contains("canary"), "{twice:?}");
        }
    }
}

#[test]
fn only_the_word_consents_to_writes() {
    let is = |name, value| {
        let values = Values::of_variables(&[(name, value)]).unwrap();
        let setting =
            if name == "METSUKE_PROVISIONING" { "provisioning.allow_writes" } else { "alerts.allow_plain" };
        values.text(setting).unwrap().unwrap().value == "true"
    };
    assert!(is("METSUKE_PROVISIONING", "true") && !is("METSUKE_PROVISIONING", "1"));
    assert!(is("METSUKE_ALLOW_PLAIN", "true") && is("METSUKE_ALLOW_PLAIN", "1"));
}
