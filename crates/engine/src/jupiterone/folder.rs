//! The folder that JupiterOne's command line takes: `graph`, `index` and `summary.json`.
//!
//! It is built beside its place and then put there, so that nobody meets half of it. Only a folder that came from here,
//! or an empty one, is replaced.
//!
//! Source: the layout is that of JupiterOne's integration SDK.
//!
//! Invariant: the same objects give the same names of files.

use std::fs;
use std::io::{self, BufWriter, Read, Write as _};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};
use serde_json::{Map, Value as Json, json};
use tempfile::TempDir;

/// The most objects of one file.
pub(super) const MOST_OBJECTS: usize = 500;

/// What tells our folders from others': a property of the summary.
pub(super) const MARK: &str = "metsuke";

pub(super) const SUMMARY: &str = "summary.json";

/// A folder that is being built.
#[derive(Debug)]
pub(super) struct Folder {
    draft: TempDir,
    place: PathBuf,
    files: u64,
}

impl Folder {
    /// Begins one that will stand at this place.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` where something stands there that did not come from here, and what the system said.
    pub(super) fn begin(place: &Path) -> io::Result<Self> {
        let place = std::path::absolute(place)?;
        check(&place)?;
        let parent = place.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(parent)?;
        let draft = tempfile::Builder::new().prefix(".metsuke-export-").tempdir_in(parent)?;
        fs::create_dir(draft.path().join("graph"))?;
        Ok(Self { draft, place, files: 0 })
    }

    /// Writes some objects of one type, and the link by which they are found by their type.
    pub(super) fn write(
        &mut self,
        (step, word, name): (&str, &str, &str),
        ordinal: usize,
        objects: Vec<Map<String, Json>>,
    ) -> io::Result<()> {
        let file = format!("{}.json", uuid(&format!("{step}/{word}/{name}/{ordinal}")));
        let folder = self.draft.path().join("graph").join(step).join(word);
        fs::create_dir_all(&folder)?;
        let objects: Vec<Json> = objects.into_iter().map(Json::Object).collect();
        write_json(&folder.join(&file), &json!({ word: objects }))?;
        self.link((step, word, name), &file)
    }

    /// Takes a file of objects as it was written elsewhere.
    pub(super) fn take(
        &mut self,
        (step, word): (&str, &str),
        file: &str,
        read: &mut dyn Read,
    ) -> io::Result<()> {
        let folder = self.draft.path().join("graph").join(step).join(word);
        fs::create_dir_all(&folder)?;
        io::copy(read, &mut fs::File::create_new(folder.join(file))?)?;
        Ok(())
    }

    /// Makes the link by which a file of objects is found by their type.
    pub(super) fn link(&mut self, (step, word, name): (&str, &str, &str), file: &str) -> io::Result<()> {
        let index = self.draft.path().join("index").join(word).join(name);
        fs::create_dir_all(&index)?;
        symlink(self.place.join("graph").join(step).join(word).join(file), index.join(file))?;
        self.files += 1;
        Ok(())
    }

    /// Writes the summary and puts the folder in its place; gives back how many files of objects it has.
    pub(super) fn finish(self, mut summary: Map<String, Json>, mark: Json) -> io::Result<u64> {
        summary.insert(MARK.into(), mark);
        write_json(&self.draft.path().join(SUMMARY), &Json::Object(summary))?;
        // Looked at again: it may have come meanwhile.
        check(&self.place)?;
        let draft = self.draft.keep();
        let moved = put(&draft, &self.place);
        if moved.is_err() {
            fs::remove_dir_all(&draft)?;
        }
        moved.map(|()| self.files)
    }
}

/// Gives the draft its name, in the place of what was there.
fn put(draft: &Path, place: &Path) -> io::Result<()> {
    if !place.exists() {
        return fs::rename(draft, place);
    }
    let old = draft.with_extension("old");
    fs::rename(place, &old)?;
    if let Err(error) = fs::rename(draft, place) {
        fs::rename(&old, place)?;
        return Err(error);
    }
    fs::remove_dir_all(&old)
}

/// Whether a folder may stand at this place.
fn check(place: &Path) -> io::Result<()> {
    let mut entries = match fs::read_dir(place) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let ours = || {
        let summary: Json = serde_json::from_slice(&fs::read(place.join(SUMMARY)).ok()?).ok()?;
        summary.get(MARK).is_some().then_some(())
    };
    let known = |name: &std::ffi::OsStr| ["graph", "index", SUMMARY].iter().any(|known| name == *known);
    let empty = entries.next().is_none();
    let strange = || {
        fs::read_dir(place)
            .is_ok_and(|mut all| all.any(|entry| !entry.is_ok_and(|entry| known(&entry.file_name()))))
    };
    if empty || (ours().is_some() && !strange()) {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "the folder holds something that is no export of ours"))
}

fn write_json(file: &Path, json: &Json) -> io::Result<()> {
    let mut writer = BufWriter::with_capacity(1 << 16, fs::File::create(file)?);
    serde_json::to_writer_pretty(&mut writer, json)?;
    writer.flush()
}

/// A text in the form of a UUID that follows from another text.
pub(super) fn uuid(text: &str) -> String {
    let digest = digest(&SHA256, text.as_bytes());
    let bytes: [u8; 16] = digest.as_ref().first_chunk().copied().unwrap_or_default();
    // Version 5, and the variant of RFC 9562.
    let number = u128::from_be_bytes(bytes) & !(0xf << 76) & !(0b11 << 62) | (5 << 76) | (0b10 << 62);
    let digits = format!("{number:032x}");
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn export(place: &Path) -> io::Result<u64> {
        let mut folder = Folder::begin(place)?;
        let object = Map::from_iter([("_key".to_owned(), json!("k"))]);
        folder.write(("fetch-teams", "entities", "heroku_team"), 0, vec![object])?;
        folder.finish(Map::new(), json!({}))
    }

    #[test]
    fn an_export_replaces_an_export_and_nothing_else() {
        let base = tempfile::tempdir().unwrap();
        let place = base.path().join("new/.j1-integration");
        assert_eq!(export(&place).unwrap(), 1);
        assert_eq!(export(&place).unwrap(), 1);
        let left: Vec<_> = fs::read_dir(place.parent().unwrap()).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");

        fs::write(place.join("notes.txt"), "mine").unwrap();
        assert_eq!(export(&place).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert!(place.join("notes.txt").exists());

        let other = base.path().join("other");
        fs::create_dir(&other).unwrap();
        assert!(export(&other).is_ok(), "an empty folder is nobody's");
        fs::write(other.join("summary.json"), "{}").unwrap();
        assert!(export(&other).is_err());
    }

    #[test]
    fn the_index_leads_to_the_files() {
        let base = tempfile::tempdir().unwrap();
        let place = base.path().join("out");
        export(&place).unwrap();
        let index = place.join("index/entities/heroku_team");
        let link = fs::read_dir(index).unwrap().next().unwrap().unwrap().path();
        let held: Json = serde_json::from_slice(&fs::read(&link).unwrap()).unwrap();
        assert_eq!(held, json!({ "entities": [{ "_key": "k" }] }));
        assert!(fs::read_link(link).unwrap().starts_with(place.join("graph/fetch-teams/entities")));
    }

    #[test]
    fn a_name_has_the_form_of_a_uuid() {
        let name = uuid("x");
        assert_eq!((name.len(), &name[14..15]), (36, "5"));
        assert!("89ab".contains(&name[19..20]), "{name}");
        assert_eq!(name, uuid("x"));
    }
}
