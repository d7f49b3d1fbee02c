//! A file of 32 secret bytes: made when first needed, and refused where others than its owner may read it.
//!
//! What the bytes are for is decided by whoever asks: the audit trail signs with one, [`seal`](crate::seal) seals
//! with another.
//!
//! Invariant: the file is whole or not there, and is never written over. No error holds a byte of it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

/// The secret bytes.
pub(crate) type Secret = Zeroizing<[u8; 32]>;

/// Why a file cannot be used, and what the machine said.
pub(crate) type Refused = (&'static str, Option<io::Error>);

/// The bytes of a file; none where there is no file.
///
/// # Errors
///
/// [`Refused`] for a file that cannot be read, that others may read or write, or that has not 32 bytes.
pub(crate) fn load(path: &Path) -> Result<Option<Secret>, Refused> {
    match File::open(path) {
        Ok(file) => read(file).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(("it cannot be opened", Some(error))),
    }
}

/// The bytes of a file, which is made now where it is not there.
///
/// # Errors
///
/// As [`load`], and where the file cannot be made.
pub(crate) fn load_or_make(path: &Path) -> Result<Secret, Refused> {
    if let Some(secret) = load(path)? {
        return Ok(secret);
    }
    make(path)?;
    // Another program may have been first; then this is its file.
    load(path)?.ok_or(("it went away as soon as it was made", None))
}

/// Makes a folder for a key, into which only its owner may look.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn read(mut file: File) -> Result<Secret, Refused> {
    let met = |error| ("it cannot be read", Some(error));
    if readable_by_others(&file.metadata().map_err(met)?) {
        return Err(("others than its owner may read or write it", None));
    }
    let mut secret = Secret::default();
    let mut rest = [0; 1];
    match file.read_exact(&mut secret[..]) {
        Ok(()) if file.read(&mut rest).map_err(met)? == 0 => Ok(secret),
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(met(error)),
        _ => Err(("it has not the 32 bytes of a key", None)),
    }
}

/// Writes a new file under another name, and gives it its name when it is whole.
fn make(path: &Path) -> Result<(), Refused> {
    let random = SystemRandom::new();
    let (mut secret, mut name) = (Secret::default(), [0; 8]);
    if random.fill(&mut secret[..]).and_then(|()| random.fill(&mut name)).is_err() {
        return Err(("the machine gives no random bytes for it", None));
    }
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{:016x}", u64::from_be_bytes(name)));
    let draft = PathBuf::from(draft);
    let made = write_private(&draft, &secret).and_then(|()| match fs::hard_link(&draft, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked.and_then(|()| sync_folder(path)),
    });
    let removed = fs::remove_file(&draft);
    made.and(removed).map_err(|error| ("it cannot be made", Some(error)))
}

fn write_private(path: &Path, secret: &Secret) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(&secret[..])?;
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
