//! The file that holds the signing key of a log: made when first needed, and refused where others may read it.
//!
//! What is signed with it is decided in [`audit`](super).
//!
//! Invariant: the file is whole or not there; it is never written over, and a log that has a key gets no second
//! one by itself. No error holds a byte of it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use metsuke_model::audit::{Origin, SigningKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

use crate::EngineError;

/// The secret 32 bytes from which everything else of the key follows.
type Seed = Zeroizing<[u8; 32]>;

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
        match File::open(&self.0) {
            Ok(file) => self.read(file, origin).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.refused("it cannot be opened", Some(error))),
        }
    }

    /// The key, made now where the file is not there.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load), and where the file cannot be made.
    pub(super) fn load_or_make(&self, origin: &Origin) -> Result<SigningKey, EngineError> {
        if let Some(key) = self.load(origin)? {
            return Ok(key);
        }
        self.make()?;
        // Another program may have been first; then this is its key.
        self.load(origin)?.ok_or_else(|| self.refused("it went away as soon as it was made", None))
    }

    fn read(&self, mut file: File, origin: &Origin) -> Result<SigningKey, EngineError> {
        let met = |error| self.refused("it cannot be read", Some(error));
        if readable_by_others(&file.metadata().map_err(met)?) {
            return Err(self.refused("others than its owner may read or write it", None));
        }
        let mut seed = Seed::default();
        let mut rest = [0; 1];
        match file.read_exact(&mut seed[..]) {
            Ok(()) if file.read(&mut rest).map_err(met)? == 0 => {}
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(met(error)),
            _ => return Err(self.refused("it has not the 32 bytes of a key", None)),
        }
        SigningKey::from_seed(origin.clone(), &seed)
            .map_err(|_| self.refused("its bytes cannot be used as a key", None))
    }

    /// Writes a new key under another name, and gives it its name when it is whole.
    fn make(&self) -> Result<(), EngineError> {
        let met = |error| self.refused("it cannot be made", Some(error));
        let random = SystemRandom::new();
        let (mut seed, mut name) = (Seed::default(), [0; 8]);
        if random.fill(&mut seed[..]).and_then(|()| random.fill(&mut name)).is_err() {
            return Err(self.refused("the machine gives no random bytes for it", None));
        }
        let mut draft = self.0.as_os_str().to_owned();
        draft.push(format!(".{:016x}", u64::from_be_bytes(name)));
        let draft = PathBuf::from(draft);
        let made = write_private(&draft, &seed).and_then(|()| match fs::hard_link(&draft, &self.0) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked.and_then(|()| sync_folder(&self.0)),
        });
        let removed = fs::remove_file(&draft);
        made.and(removed).map_err(met)
    }

    fn refused(&self, reason: &'static str, source: Option<io::Error>) -> EngineError {
        EngineError::AuditKey { file: self.0.clone(), reason, source }
    }
}

fn write_private(path: &Path, seed: &Seed) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(&seed[..])?;
    file.sync_all()
}

/// Makes a new name durable.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(unix)]
fn readable_by_others(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0
}

#[cfg(not(unix))]
fn readable_by_others(_: &fs::Metadata) -> bool {
    false
}
