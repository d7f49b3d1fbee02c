//! Where the keys lie that no database and no backup holds: the one that signs the audit trail, and the one that seals.

use std::path::Path;

use metsuke_engine::audit::KeyFile;
use metsuke_engine::seal::SealFile;

use super::Config;
use crate::context::sqlite_file;
use crate::failure::Failure;

impl Config {
    /// The file with the audit trail's key; none for a database that is no file, where nobody named one.
    pub(crate) fn audit_key(&self, flag: Option<&Path>) -> Option<KeyFile> {
        match (flag, self.text("audit.key_file")) {
            (Some(file), _) => Some(KeyFile::at(file)),
            (None, Some(file)) => Some(KeyFile::at(file.value)),
            (None, None) => sqlite_file(&self.database().value).map(|file| KeyFile::beside(&file)),
        }
    }

    /// The file of the sealing key: `METSUKE_KEY_FILE`, else beside an SQLite file, else in the folder for
    /// state.
    ///
    /// # Errors
    ///
    /// [`Failure`] where none of them is known.
    pub(crate) fn seal_file(&self) -> Result<SealFile, Failure> {
        if let Some(file) = self.text("sealing.key_file") {
            return Ok(SealFile::at(file.value));
        }
        if let Some(file) = sqlite_file(&self.database().value) {
            return Ok(SealFile::beside(&file));
        }
        let folder = self.environment.state_folder.as_ref();
        folder.map(|folder| SealFile::at(folder.join("metsuke.key"))).ok_or_else(|| {
            Failure::usage("there is no place for the sealing key")
                .hint("name its file in METSUKE_KEY_FILE; it is made when first needed")
        })
    }
}
