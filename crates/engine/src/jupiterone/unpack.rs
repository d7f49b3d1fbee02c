//! The folder of JupiterOne's command line from the archive as which a server gives it.
//!
//! Invariant: nothing is written but what such a folder has, whatever the archive names; and nobody meets half of it.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Component, Path};

use serde_json::{Map, Value as Json};

use super::folder::{Folder, MARK, SUMMARY};
use crate::EngineError;

/// The longest summary: a line for each step, and there are some dozens.
const MOST_SUMMARY: u64 = 4 << 20;

/// What an archive held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpacked {
    /// The version that was written.
    pub version: i64,
    /// Entities.
    pub entities: u64,
    /// Relationships.
    pub relationships: u64,
    /// Files of objects.
    pub files: u64,
    /// Types of which something could not be read.
    pub partial: Vec<String>,
}

/// Puts the folder of an archive into its place; an earlier export there is replaced.
///
/// # Errors
///
/// [`EngineError::ExportFolder`] where the archive is none of such a folder, where the folder is somebody else's or cannot be
/// written.
pub fn unpack(archive: impl Read, place: &Path) -> Result<Unpacked, EngineError> {
    put(archive, place).map_err(|source| EngineError::ExportFolder { folder: place.to_owned(), source })
}

fn put(archive: impl Read, place: &Path) -> io::Result<Unpacked> {
    let mut folder = Folder::begin(place)?;
    let (mut files, mut words) = (BTreeMap::new(), BTreeMap::new());
    let mut summary = None;
    for entry in tar::Archive::new(archive).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let names: Option<Vec<&str>> = path.components().map(plain).collect();
        match names.as_deref() {
            Some([_, "graph", step, word, file]) => {
                folder.take((step, word), file, &mut entry)?;
                files.insert((*file).to_owned(), ((*step).to_owned(), (*word).to_owned()));
            }
            Some([_, "index", word, name, file]) => {
                let (step, _) = files.get(*file).ok_or_else(|| strange("a link leads to no file"))?;
                folder.link((step, word, name), file)?;
                words.insert((*name).to_owned(), (*word).to_owned());
            }
            Some([_, SUMMARY]) => {
                let mut text = Vec::new();
                entry.take(MOST_SUMMARY).read_to_end(&mut text)?;
                summary = Some(serde_json::from_slice::<Map<String, Json>>(&text)?);
            }
            _ => return Err(strange("it holds what no such folder has")),
        }
    }
    let mut summary = summary.ok_or_else(|| strange("it has no summary"))?;
    let mark = summary.remove(MARK).ok_or_else(|| strange("its summary is none of ours"))?;
    let mut told = counted(&summary, &words);
    told.version = mark.get("version").and_then(Json::as_i64).unwrap_or_default();
    told.files = folder.finish(summary, mark)?;
    Ok(told)
}

/// A part of a path that is a name and nothing else.
fn plain(part: Component<'_>) -> Option<&str> {
    match part {
        Component::Normal(name) => name.to_str(),
        _ => None,
    }
}

/// What the steps of a summary made, by the words of their types.
fn counted(summary: &Map<String, Json>, words: &BTreeMap<String, String>) -> Unpacked {
    let mut told = Unpacked { version: 0, entities: 0, relationships: 0, files: 0, partial: Vec::new() };
    let steps = summary.get("integrationStepResults").and_then(Json::as_array).into_iter().flatten();
    let made = steps.filter_map(|step| step.get("encounteredTypeCounts")?.as_object()).flatten();
    for (name, count) in made {
        let count = count.as_u64().unwrap_or_default();
        match words.get(name).map(String::as_str) {
            Some("entities") => told.entities += count,
            _ => told.relationships += count,
        }
    }
    let partial = summary.get("metadata").and_then(|metadata| metadata.pointer("/partialDatasets/types"));
    let partial = partial.and_then(Json::as_array).into_iter().flatten();
    told.partial = partial.filter_map(|name| Some(name.as_str()?.to_owned())).collect();
    told
}

fn strange(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the server's archive is not such a folder: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(files: &[(&str, &str)]) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for (path, text) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            // As somebody would write it who means ill: the checked way refuses such a path.
            header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_cksum();
            archive.append(&header, text.as_bytes()).unwrap();
        }
        archive.into_inner().unwrap()
    }

    const SUMMARY: (&str, &str) = (
        "x/summary.json",
        r#"{"integrationStepResults":[{"encounteredTypeCounts":{"heroku_team":2}}],
            "metadata":{"partialDatasets":{"types":["heroku_app"]}},"metsuke":{"version":7}}"#,
    );

    #[test]
    fn a_folder_comes_out_as_it_went_in() {
        let out = tempfile::tempdir().unwrap();
        let place = out.path().join("there");
        let files =
            [("x/graph/teams/entities/a.json", "{}"), ("x/index/entities/heroku_team/a.json", "{}"), SUMMARY];
        let told = unpack(&*archive(&files), &place).unwrap();
        assert_eq!((told.version, told.entities, told.relationships, told.files), (7, 2, 0, 1));
        assert_eq!(told.partial, ["heroku_app"]);
        let link = place.join("index/entities/heroku_team/a.json");
        assert_eq!(std::fs::read_link(link).unwrap(), place.join("graph/teams/entities/a.json"));
    }

    #[test]
    fn what_no_such_folder_has_is_refused_and_nothing_is_left() {
        for path in
            ["x/graph/../../evil", "/etc/passwd", "x/graph/a/b/../c.json", "x/other", "x/index/a/b/c.json"]
        {
            let out = tempfile::tempdir().unwrap();
            let place = out.path().join("there");
            assert!(unpack(&*archive(&[(path, "evil"), SUMMARY]), &place).is_err(), "{path}");
            assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 0, "{path}");
        }
        let out = tempfile::tempdir().unwrap();
        let place = out.path().join("there");
        assert!(unpack(&*archive(&[("x/graph/teams/entities/a.json", "{}")]), &place).is_err());
        assert!(!place.exists());
    }
}
