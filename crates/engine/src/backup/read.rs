//! The file of a backup when it is read again: opened with its key, to its very end.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use age::{DecryptError, Decryptor};
use metsuke_store::Frame;
use tokio::sync::mpsc;

use super::lock::Key;
use crate::EngineError;

const BUFFER: usize = 256 * 1024;

/// What a backup holds, decrypted and unpacked.
pub(super) type Source = zstd::Decoder<'static, BufReader<Box<dyn Read + Send>>>;

/// Opens a file; the passphrase or the key is tried now.
pub(super) fn open(file: &Path, key: &Key) -> Result<Source, EngineError> {
    let unread = |source: std::io::Error| EngineError::Backup {
        reason: format!("`{}` cannot be read", file.display()),
        source: Some(source.into()),
    };
    let opened = BufReader::with_capacity(BUFFER, File::open(file).map_err(unread)?);
    let closed = Decryptor::new(opened).map_err(|error| refused(error, key))?;
    if closed.is_scrypt() != key.is_passphrase() {
        let way = if closed.is_scrypt() { "a passphrase" } else { "a key" };
        return Err(EngineError::Backup {
            reason: format!("{way} opens it, and another was given"),
            source: None,
        });
    }
    let plain = key.with(|keys| closed.decrypt(keys)).map_err(|error| refused(error, key))?;
    let plain: Box<dyn Read + Send> = Box::new(plain);
    zstd::Decoder::with_buffer(BufReader::with_capacity(BUFFER, plain)).map_err(unread)
}

fn refused(error: DecryptError, key: &Key) -> EngineError {
    let reason = match &error {
        DecryptError::NoMatchingKeys | DecryptError::DecryptionFailed if key.is_passphrase() => {
            "the passphrase does not open it"
        }
        DecryptError::NoMatchingKeys | DecryptError::DecryptionFailed => "none of the keys opens it",
        _ => "it is no file that age has encrypted, or was damaged",
    };
    EngineError::Backup { reason: reason.to_owned(), source: Some(error.into()) }
}

/// Hands over every frame up to the last one, behind which nothing may stand.
pub(super) fn frames(mut source: Source, sink: &mpsc::Sender<Frame>) -> Result<(), EngineError> {
    let mut first = true;
    loop {
        let frame = Frame::read(&mut source, first)?;
        first = false;
        let last = matches!(frame, Frame::End(_));
        if last {
            // Only at its very end does the cipher say that nothing was cut off.
            let more = source.read(&mut [0]).map_err(|error| EngineError::Backup {
                reason: "it is damaged or was cut off".into(),
                source: Some(error.into()),
            })?;
            if more > 0 {
                let reason = "something stands behind its end".to_owned();
                return Err(EngineError::Backup { reason, source: None });
            }
        }
        // Whoever takes the frames has met something worse.
        if sink.blocking_send(frame).is_err() || last {
            return Ok(());
        }
    }
}
