//! The file that holds the signing key of a log: made when first needed, and refused where others may read it.
//!
//! What is signed with it is decided in [`audit`](super).
//!
//! Invariant: the file is whole or not there; it is never written over, and a log that has a key gets no second
//! one by itself. No error holds a byte of it.

use std::io;
use std::path::{Path, PathBuf};

use metsuke_model::audit::{Origin, SigningKey};

use crate::EngineError;
use crate::key_file::{self, Secret};

/// Where the signing key of a log is, or will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFile(PathBuf);

impl KeyFile {
    /// The key in this file.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The key beside a database's file: its name with `.audit-key` behind it.
    #[must_use]
    pub fn beside(database: &Path) -> Self {
        let mut path = database.as_os_str().to_owned();
        path.push(".audit-key");
        Self(path.into())
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The key, where the file is there.
    ///
    /// # Errors
    ///
    /// [`EngineError::AuditKey`] for a file that cannot be read, that others than its owner may read or write, or
    /// that has not 32 bytes.
    pub fn load(&self, origin: &Origin) -> Result<Option<SigningKey>, EngineError> {
        let seed = key_file::load(&self.0).map_err(|(reason, source)| self.refused(reason, source))?;
        seed.map(|seed| self.key(&seed, origin)).transpose()
    }

    /// The key, made now where the file is not there.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load), and where the file cannot be made.
    pub(super) fn load_or_make(&self, origin: &Origin) -> Result<SigningKey, EngineError> {
        let seed =
            key_file::load_or_make(&self.0).map_err(|(reason, source)| self.refused(reason, source))?;
        self.key(&seed, origin)
    }

    fn key(&self, seed: &Secret, origin: &Origin) -> Result<SigningKey, EngineError> {
        SigningKey::from_seed(origin.clone(), seed)
            .map_err(|_| self.refused("its bytes cannot be used as a key", None))
    }

    fn refused(&self, reason: &'static str, source: Option<io::Error>) -> EngineError {
        EngineError::AuditKey { file: self.0.clone(), reason, source }
    }
}
