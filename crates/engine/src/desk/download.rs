//! Versions as files of other tools, to be carried off; and other tools' files held against a version.
//!
//! Forms that another room makes and reads come in through [`Forms`]; JupiterOne's folder is packed here.
//!
//! Invariant: a file is whole before its first byte is given, and belongs to nobody once it was read.

use std::fs::File;
use std::io::Seek as _;
use std::path::Path;
use std::sync::Arc;

use futures::future::LocalBoxFuture;
use metsuke_model::{AsOf, Moment, Version};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::apart::apart;
use super::{Desk, Estate};
use crate::EngineError;
use crate::jupiterone::{self, Options};

/// In which form a version goes out.
#[derive(Clone, Debug)]
pub enum Form {
    /// The whole graph, in a form of this name: `json`, `jsonl`, `graphml` or `dot`.
    Graph {
        /// The form's name.
        form: String,
        /// Also effective access.
        effective: bool,
    },
    /// A file of the Baton ecosystem.
    C1z {
        /// Whether grants that follow from others are written out: `auto`, `always` or `never`.
        expand: String,
    },
    /// The folder of JupiterOne's command line, as an archive.
    JupiterOne(Options),
}

/// Writes forms that are made elsewhere.
pub trait Forms: Send + Sync + std::fmt::Debug {
    /// Writes a version into a file that nobody else knows, to be read from its beginning.
    fn write<'a>(
        &'a self,
        estate: &'a Estate,
        as_of: Option<AsOf>,
        form: &'a Form,
    ) -> LocalBoxFuture<'a, Result<File, EngineError>>;

    /// Holds a c1z file against a version: its newest finished sync, or the one of this id. At most `most` differences are
    /// told one by one.
    fn compare<'a>(
        &'a self,
        estate: &'a Estate,
        as_of: Option<AsOf>,
        file: &'a Path,
        sync: Option<&'a str>,
        most: usize,
    ) -> LocalBoxFuture<'a, Result<FileCompared, EngineError>>;
}

/// What came of holding a file against a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileCompared {
    /// The sync in the file.
    pub sync: String,
    /// When it ended.
    pub ended_at: Option<Moment>,
    /// The version.
    pub version: Version,
    /// Counts and differences, in the words of whoever compares.
    pub compared: Value,
    /// Differences that are not told one by one.
    pub left_out: u64,
}

impl Desk {
    /// A version in some form.
    ///
    /// # Errors
    ///
    /// As [`estate`](Self::estate); [`EngineError::NoVersion`], [`EngineError::Fields`] for a form that is not there, and what
    /// writing met.
    pub async fn download(
        &self,
        connector: Option<&str>,
        as_of: Option<AsOf>,
        form: Form,
    ) -> Result<File, EngineError> {
        let estate = self.estate(connector).await?;
        let forms: Option<Arc<dyn Forms>> = self.forms();
        apart(async move || match (&form, forms) {
            (Form::JupiterOne(options), _) => archive(&estate, as_of, options).await,
            (_, Some(forms)) => forms.write(&estate, as_of, &form).await,
            (_, None) => Err(EngineError::field("form", "it is not written here")),
        })
        .await
    }

    /// A c1z file held against a version.
    ///
    /// # Errors
    ///
    /// As [`estate`](Self::estate); [`EngineError::NoVersion`], [`EngineError::Fields`] for a file that is none or lacks the sync.
    pub async fn compare_file(
        &self,
        (connector, as_of): (Option<&str>, Option<AsOf>),
        file: &Path,
        sync: Option<String>,
        most: usize,
    ) -> Result<FileCompared, EngineError> {
        let estate = self.estate(connector).await?;
        let forms = self.forms().ok_or_else(|| EngineError::field("file", "it is not read here"))?;
        let file = file.to_owned();
        apart(async move || forms.compare(&estate, as_of, &file, sync.as_deref(), most).await).await
    }
}

async fn archive(estate: &Estate, as_of: Option<AsOf>, options: &Options) -> Result<File, EngineError> {
    let scratch = |source| EngineError::Scratch { source };
    let snapshot = estate.version(as_of).await?.ok_or(EngineError::NoVersion)?;
    let mut read = jupiterone::Estate::of(&estate.store, snapshot).await?;
    let folder = tempfile::tempdir().map_err(scratch)?;
    let place = folder.path().join(".j1-integration");
    jupiterone::export(&mut read, options, &place).await?;
    packed(folder.path(), &place).map_err(scratch)
}

/// The files of a folder as an archive, in the order of their names.
fn packed(root: &Path, folder: &Path) -> std::io::Result<File> {
    let mut left = vec![folder.to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = left.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() { left.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    let mut archive = tar::Builder::new(tempfile::tempfile()?);
    for path in files {
        let file = File::open(&path)?;
        let mut header = tar::Header::new_gnu();
        header.set_size(file.metadata()?.len());
        header.set_mode(0o600);
        archive.append_data(&mut header, path.strip_prefix(root).unwrap_or(&path), file)?;
    }
    let mut out = archive.into_inner()?;
    out.rewind()?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn an_archive_is_what_tar_reads() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        std::fs::create_dir_all(&inner).unwrap();
        std::fs::write(inner.join("one.json"), "x".repeat(700)).unwrap();
        let long = format!("a/{}/{}", "b".repeat(60), "c".repeat(60));
        std::fs::create_dir_all(folder.path().join(&long)).unwrap();
        std::fs::write(folder.path().join(&long).join("two.json"), "two").unwrap();
        let mut archive = Vec::new();
        packed(folder.path(), &folder.path().join("a")).unwrap().read_to_end(&mut archive).unwrap();
        let file = folder.path().join("x.tar");
        std::fs::write(&file, archive).unwrap();
        let told = std::process::Command::new("tar").arg("-tvf").arg(&file).output().unwrap();
        let told = String::from_utf8(told.stdout).unwrap();
        assert!(
            told.contains("700")
                && told.contains("a/b/one.json")
                && told.contains(&format!("{long}/two.json")),
            "{told}"
        );
    }
}
